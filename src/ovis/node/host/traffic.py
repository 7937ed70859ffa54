"""Counters of the host's network interfaces, sampled. Interfaces of VMs are left out: those are in the VMs' statistics.

One read of /proc/net/dev gives all counters. The state of the link is a file of each interface; its speed is asked only
when the state has changed or the answer is a minute old, since drivers take a lock of the whole network stack for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import NetworkInterfaceState
from ovis.node.host import network
from ovis.node.host.kernel_files import KernelFiles

_NET = "sys/class/net"
_SPEED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """Totals since the interface was made; bytes and packets."""

    rx: int
    rx_errors: int
    rx_dropped: int
    tx: int
    tx_errors: int
    tx_dropped: int
    speed_mbits_per_second: int
    state: NetworkInterfaceState


class TrafficReader:
    def __init__(self, files: KernelFiles) -> None:
        self._files = files
        self._counters = files.keep("proc/net/dev")
        self._interfaces: dict[str, _Interface | None] = {}

    def read(self, now: float) -> dict[str, Traffic]:
        """`now`: monotonic seconds."""
        found: dict[str, Traffic] = {}
        seen: dict[str, _Interface | None] = {}
        for line in (self._counters.read() or "").splitlines()[2:]:
            name, _, numbers = line.partition(":")
            name = name.strip()
            interface = self._interfaces[name] if name in self._interfaces else _Interface.of_host(self._files, name)
            seen[name] = interface
            if interface is not None:
                state, speed = interface.link(now)
                c = [int(word) for word in numbers.split()]
                found[name] = Traffic(c[0], c[2], c[3], c[8], c[10], c[11], speed, state)
        self._interfaces = seen
        return found


class _Interface:
    def __init__(self, files: KernelFiles, name: str) -> None:
        self._files = files
        self._name = name
        self._state_file = files.keep(f"{_NET}/{name}/operstate")
        self._state = ""
        self._speed = 0
        self._speed_at = 0.0

    @classmethod
    def of_host(cls, files: KernelFiles, name: str) -> _Interface | None:
        """None for a tap, the host's end of a VM's interface."""
        return None if files.exists(f"{_NET}/{name}/tun_flags") else cls(files, name)

    def link(self, now: float) -> tuple[NetworkInterfaceState, int]:
        state = (self._state_file.read() or "").strip()
        if state != self._state or now - self._speed_at >= _SPEED_SECONDS:
            self._state, self._speed_at = state, now
            self._speed = network.speed(self._files, self._name)
        return self._reading(state), self._speed

    def _reading(self, state: str) -> NetworkInterfaceState:
        """RFC 2863 words. Loopback and some virtual drivers never leave `unknown`: their carrier tells."""
        if state == "unknown":
            carrier = self._files.number(f"{_NET}/{self._name}/carrier")
            return NetworkInterfaceState.UP if carrier else NetworkInterfaceState.UNKNOWN
        if not state:
            return NetworkInterfaceState.UNKNOWN
        return NetworkInterfaceState.UP if state == "up" else NetworkInterfaceState.DOWN
