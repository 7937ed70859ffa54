"""Memory, swap, page merging (KSM) and transparent huge pages of the host. Sizes in bytes.

Source: Documentation/filesystems/proc.rst (meminfo), Documentation/admin-guide/mm/ksm.rst and transhuge.rst.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from ovis.node.host.kernel_files import KernelFiles, whole

_PAGE = os.sysconf("SC_PAGE_SIZE")
_LINE = re.compile(r"^([\w()]+):\s+(\d+)", re.MULTILINE)
_KSM = "sys/kernel/mm/ksm"


@dataclass(frozen=True, slots=True)
class Memory:
    """`free` is used for nothing; `available` can be had without swapping, caches included."""

    total: int
    free: int
    available: int
    swap_total: int
    swap_free: int
    anonymous_huge_pages: int

    @property
    def used_percent(self) -> int:
        return round(100 * (self.total - self.available) / self.total) if self.total else 0


@dataclass(frozen=True, slots=True)
class PageMerging:
    """`pages_to_scan`: examined before each pause. `shared`: bytes that are saved because pages are in common."""

    running: bool
    pages_to_scan: int
    shared: int
    across_nodes: bool | None


def read(meminfo: str) -> Memory:
    kib = {name: int(value) for name, value in _LINE.findall(meminfo)}
    available = kib.get("MemAvailable", kib.get("MemFree", 0) + kib.get("Buffers", 0) + kib.get("Cached", 0))
    return Memory(
        total=kib.get("MemTotal", 0) * 1024,
        free=kib.get("MemFree", 0) * 1024,
        available=available * 1024,
        swap_total=kib.get("SwapTotal", 0) * 1024,
        swap_free=kib.get("SwapFree", 0) * 1024,
        anonymous_huge_pages=kib.get("AnonHugePages", 0) * 1024,
    )


class PageMergingReader:
    def __init__(self, files: KernelFiles) -> None:
        self._run = files.keep(f"{_KSM}/run")
        self._pages = files.keep(f"{_KSM}/pages_to_scan")
        self._sharing = files.keep(f"{_KSM}/pages_sharing")
        self._across = files.keep(f"{_KSM}/merge_across_nodes")

    def read(self) -> PageMerging | None:
        """None when the kernel cannot merge pages."""
        run = whole(self._run.read())
        if run is None:
            return None
        across = whole(self._across.read())  # absent in kernels without NUMA
        return PageMerging(
            running=run == 1,  # 2 means stopped and everything unmerged
            pages_to_scan=whole(self._pages.read()) or 0,
            shared=(whole(self._sharing.read()) or 0) * _PAGE,
            across_nodes=None if across is None else across != 0,
        )


def huge_page_policy(text: str | None) -> str | None:
    """The chosen one of `always [madvise] never`; None when the kernel has no transparent huge pages."""
    chosen = re.search(r"\[(\w+)\]", text or "")
    return chosen[1] if chosen else None
