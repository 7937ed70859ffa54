"""The figures of one look at a node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class VmFigures:
    """None where the agent has not told (a VM that is starting, ended, or has no agent inside)."""

    id: str
    name: str
    status: str
    cpu_percent: float | None = None
    memory: int | None = None
    memory_percent: float | None = None
    disk_read: float | None = None
    disk_write: float | None = None
    net_in: float | None = None
    net_out: float | None = None
    address: str = ""
    answers: bool = True
    """False when QEMU does not answer libvirt."""


@dataclass(frozen=True)
class HostFigures:
    name: str
    cpus: int | None
    cpu_percent: float | None
    load: float | None
    memory: int | None
    memory_percent: float | None
    swap_used: int | None
    vms: int
    vms_up: int
    uptime: float | None


@dataclass(frozen=True)
class Look:
    host: HostFigures
    vms: tuple[VmFigures, ...]


@dataclass(frozen=True)
class _Counters:
    at: float
    received: int
    sent: int


class Reader:
    """Makes figures of clean answers; remembers the network counters of the last look, for rates."""

    def __init__(self, capabilities: dict[str, Any], name: str) -> None:
        self._capabilities = capabilities
        self._name = name
        self._counters: dict[str, _Counters] = {}
        self._rates: dict[str, tuple[float, float]] = {}

    def look(self, host: dict[str, Any], vms: Iterable[dict[str, Any]]) -> Look:
        figures = tuple(self._vm(vm) for vm in vms)
        known = {vm.id for vm in figures}
        self._counters = {vm_id: counters for vm_id, counters in self._counters.items() if vm_id in known}
        self._rates = {vm_id: rates for vm_id, rates in self._rates.items() if vm_id in known}
        return Look(self._host(host, figures), figures)

    def _host(self, stats: dict[str, Any], vms: tuple[VmFigures, ...]) -> HostFigures:
        idle, swap, free = stats.get("cpuIdle"), stats.get("swapTotal"), stats.get("swapFree")
        return HostFigures(
            name=self._name,
            cpus=self._capabilities.get("cpuThreads") or self._capabilities.get("cpuCores"),
            cpu_percent=None if idle is None else max(0.0, 100.0 - idle),
            load=stats.get("cpuLoad"),
            memory=self._capabilities.get("memSize"),
            memory_percent=stats.get("memUsed"),
            swap_used=None if swap is None or free is None else swap - free,
            vms=len(vms),
            vms_up=sum(vm.status == "Up" for vm in vms),
            uptime=stats.get("elapsedTime"),
        )

    def _vm(self, stats: dict[str, Any]) -> VmFigures:
        vm_id = str(stats.get("vmId", ""))
        disks = list((stats.get("disks") or {}).values())
        net_in, net_out = self._network_rates(vm_id, list((stats.get("network") or {}).values()))
        cpu = [stats[key] for key in ("cpuUser", "cpuSys") if stats.get(key) is not None]
        return VmFigures(
            id=vm_id,
            name=str(stats.get("vmName") or vm_id),
            status=str(stats.get("status", "")),
            cpu_percent=sum(cpu) if cpu else None,
            memory=_memory(stats),
            memory_percent=stats.get("memUsage"),
            disk_read=_total(disks, "readRate"),
            disk_write=_total(disks, "writeRate"),
            net_in=net_in,
            net_out=net_out,
            address=_address(stats),
            answers=stats.get("monitorResponse") != -1,
        )

    def _network_rates(self, vm_id: str, cards: list[dict[str, Any]]) -> tuple[float | None, float | None]:
        """From the agent's own sampling times, so that a look between two samples keeps the last rate."""
        times = [card["sampleTime"] for card in cards if card.get("sampleTime") is not None]
        received, sent = _total(cards, "rx"), _total(cards, "tx")
        if times and received is not None and sent is not None:
            now = _Counters(max(times), int(received), int(sent))
            before = self._counters.get(vm_id)
            if before is None or now.at < before.at or now.received < before.received or now.sent < before.sent:
                self._rates.pop(vm_id, None)  # the VM started anew
            elif now.at > before.at:
                span = now.at - before.at
                self._rates[vm_id] = ((now.received - before.received) / span, (now.sent - before.sent) / span)
            self._counters[vm_id] = now
        return self._rates.get(vm_id, (None, None))


def _total(parts: list[dict[str, Any]], member: str) -> float | None:
    values = [part[member] for part in parts if part.get(member) is not None]
    return sum(values) if values else None


def _memory(stats: dict[str, Any]) -> int | None:
    balloon = stats.get("balloonInfo") or {}
    size = balloon.get("balloon_cur") or balloon.get("balloon_max") or (stats.get("memoryStats") or {}).get("mem_total")
    return size or None


def _address(stats: dict[str, Any]) -> str:
    """The address a person would try: IPv4 before IPv6, none that only the guest itself can reach."""
    known = str(stats.get("guestIPs") or "").split()
    for card in stats.get("netIfaces") or []:
        known += [*card.get("inet", []), *card.get("inet6", [])]
    useful = [address for address in known if not address.startswith(("127.", "::1", "fe80:", "169.254."))]
    return min(useful, key=lambda address: ":" in address, default="")


SORTS: dict[str, Callable[[VmFigures], tuple[Any, ...]]] = {
    "cpu": lambda vm: (-(vm.cpu_percent or 0.0), vm.name),
    "memory": lambda vm: (-(vm.memory or 0), vm.name),
    "name": lambda vm: (vm.name,),
    "disk": lambda vm: (-((vm.disk_read or 0.0) + (vm.disk_write or 0.0)), vm.name),
    "traffic": lambda vm: (-((vm.net_in or 0.0) + (vm.net_out or 0.0)), vm.name),
}
