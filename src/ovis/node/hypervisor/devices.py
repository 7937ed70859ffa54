"""Changing the machine of a running domain: its devices, CPUs, memory and limits; and the host's own devices."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class IoLimits:
    """Of one disk: bytes and requests per second, 0 without limit. A total excludes its read and write."""

    total_bytes_sec: int = 0
    read_bytes_sec: int = 0
    write_bytes_sec: int = 0
    total_iops_sec: int = 0
    read_iops_sec: int = 0
    write_iops_sec: int = 0


@dataclass(frozen=True)
class CpuTime:
    """What each vCPU may use: `quota_us` of every `period_us`, in microseconds; a negative quota is no limit."""

    period_us: int
    quota_us: int


class Devices(Protocol):
    """Devices are libvirt's XML elements. Every change is one of the running domain only: it is transient."""

    async def attach(self, domain_id: str, xml: str, *, deadline: float | None = None) -> None:
        """The device is there on return. Raises OperationRefused, OperationFailed: it is not."""
        ...

    async def detach(self, domain_id: str, alias: str, *, deadline: float | None = None) -> None:
        """Ask the guest to give a device up. Returns when asked; `DeviceRemoved` tells when it is gone.

        Raises OperationRefused where it cannot be unplugged.
        """
        ...

    async def detach_lease(self, domain_id: str, xml: str, *, deadline: float | None = None) -> None:
        """A lease has no alias and no guest to be asked: it is gone on return."""
        ...

    async def update(self, domain_id: str, xml: str, *, force: bool = False, deadline: float | None = None) -> None:
        """Make the device of the same target as the given one. `force` opens a tray that the guest has locked."""
        ...

    async def set_vcpus(self, domain_id: str, count: int, *, deadline: float | None = None) -> None:
        """How many are plugged in. Taking one out needs the guest's consent: OperationFailed without it."""
        ...

    async def pin_vcpu(self, domain_id: str, vcpu: int, cpus: frozenset[int], *, deadline: float | None = None) -> None:
        """Let a vCPU run on these CPUs of the host only."""
        ...

    async def set_balloon(self, domain_id: str, size: int, *, deadline: float | None = None) -> None:
        """How much memory, in bytes, the guest shall keep. It follows when and as far as it likes."""
        ...

    async def io_limits(self, domain_id: str, disk: str, *, deadline: float | None = None) -> IoLimits:
        """`disk` is the target name (vda)."""
        ...

    async def set_io_limits(
        self, domain_id: str, disk: str, limits: IoLimits, *, deadline: float | None = None
    ) -> None: ...

    async def cpu_time(self, domain_id: str, *, deadline: float | None = None) -> CpuTime: ...

    async def set_cpu_time(
        self,
        domain_id: str,
        *,
        period_us: int | None = None,
        quota_us: int | None = None,
        deadline: float | None = None,
    ) -> None: ...

    async def add_filter(self, name: str, xml: str, *, deadline: float | None = None) -> bool:
        """Define a network filter, unless there is one of that name; whether it was defined.

        Raises OperationRefused where the hypervisor has no filters.
        """
        ...

    async def all_host_devices(self, *, deadline: float | None = None) -> list[str]:
        """libvirt's XML of every device of the host."""
        ...

    async def host_device(self, name: str, *, deadline: float | None = None) -> str:
        """libvirt's XML of a device of the host. Raises OperationFailed when there is none of that name."""
        ...

    async def take_from_host(self, name: str, *, deadline: float | None = None) -> None:
        """Unbind a PCI device from its driver of the host. Safe to repeat."""
        ...

    async def give_back_to_host(self, name: str, *, deadline: float | None = None) -> None:
        """Safe to repeat."""
        ...
