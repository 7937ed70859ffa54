"""NUMA nodes: CPUs and the memory near to them. Source: Documentation/ABI/stable/sysfs-devices-node.

A kernel without NUMA has one node, 0, that holds everything. So does the only node of a kernel with NUMA: its own
figures may lag behind (memory that is initialized when first used is not in them yet), those of the host do not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ovis.node.host import memory
from ovis.node.host.kernel_files import KeptFile, KernelFiles, number_list, whole
from ovis.node.host.memory import Memory

_NODES = "sys/devices/system/node"


@dataclass(frozen=True)
class HugePages:
    """Pages of one size that are set aside, used or free."""

    size_kib: int
    total: int


@dataclass(frozen=True)
class Node:
    """`distances` to all nodes in their order, 10 being local; empty without NUMA."""

    number: int
    cpus: tuple[int, ...]
    memory: int
    huge_pages: tuple[HugePages, ...]
    distances: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NodeMemory:
    """`free_huge_pages`: page size in KiB to number of pages."""

    total: int
    free: int
    free_huge_pages: Mapping[int, int]


def read(files: KernelFiles, *, online: Sequence[int]) -> list[Node]:
    """`online`: the CPUs of a host without NUMA."""
    nodes = [_node(files, number) for number in _numbers(files)]
    if len(nodes) > 1:
        return nodes
    total = memory.read(files.text("proc/meminfo") or "").total
    if nodes:
        return [replace(nodes[0], memory=total)]
    return [Node(0, tuple(online), total, _huge_pages(files, "sys/kernel/mm/hugepages"), ())]


def node_of_each_cpu(files: KernelFiles) -> dict[int, int]:
    """CPU number to node number; empty without NUMA."""
    return {
        cpu: node for node in _numbers(files) for cpu in number_list(files.text(f"{_NODES}/node{node}/cpulist") or "")
    }


class NodeMemoryReader:
    """Free memory of each node, sampled."""

    def __init__(self, files: KernelFiles) -> None:
        self._nodes = {
            number: (
                files.keep(f"{_NODES}/node{number}/meminfo"),
                _free_counts(files, f"{_NODES}/node{number}/hugepages"),
            )
            for number in _numbers(files)
        }
        self._counts = _free_counts(files, "sys/kernel/mm/hugepages")

    def read(self, host: Memory) -> dict[int, NodeMemory]:
        if len(self._nodes) <= 1:
            only = next(iter(self._nodes), 0)
            return {only: NodeMemory(host.total, host.free, _counts(self._counts))}
        found = {}
        for number, (meminfo, counts) in self._nodes.items():
            values = _node_meminfo(meminfo.read() or "")
            if "MemTotal" in values:
                found[number] = NodeMemory(values["MemTotal"], values.get("MemFree", 0), _counts(counts))
        return found


def _node(files: KernelFiles, number: int) -> Node:
    folder = f"{_NODES}/node{number}"
    return Node(
        number=number,
        cpus=tuple(number_list(files.text(f"{folder}/cpulist") or "")),
        memory=_node_meminfo(files.text(f"{folder}/meminfo") or "").get("MemTotal", 0),
        huge_pages=_huge_pages(files, f"{folder}/hugepages"),
        distances=tuple(int(d) for d in (files.text(f"{folder}/distance") or "").split()),
    )


def _numbers(files: KernelFiles) -> list[int]:
    return [int(name[4:]) for name in files.names(_NODES) if re.fullmatch(r"node\d+", name)]


def _huge_pages(files: KernelFiles, folder: str) -> tuple[HugePages, ...]:
    return tuple(
        HugePages(size, files.number(f"{folder}/{name}/nr_hugepages") or 0) for size, name in _page_sizes(files, folder)
    )


def _free_counts(files: KernelFiles, folder: str) -> dict[int, KeptFile]:
    return {size: files.keep(f"{folder}/{name}/free_hugepages") for size, name in _page_sizes(files, folder)}


def _counts(kept: Mapping[int, KeptFile]) -> dict[int, int]:
    return {size: whole(file.read()) or 0 for size, file in kept.items()}


def _page_sizes(files: KernelFiles, folder: str) -> list[tuple[int, str]]:
    """Size in KiB and folder of each kind of huge page."""
    matches = (re.fullmatch(r"hugepages-(\d+)kB", name) for name in files.names(folder))
    return [(int(match[1]), match[0]) for match in matches if match]


def _node_meminfo(text: str) -> dict[str, int]:
    """Lines like `Node 0 MemTotal:  24684096 kB`, in bytes."""
    return {name: int(kib) * 1024 for name, kib in re.findall(r"^Node \d+ (\w+):\s+(\d+) kB", text, re.MULTILINE)}
