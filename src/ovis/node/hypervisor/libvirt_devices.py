"""`devices` on libvirt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libvirt

from ovis.node.hypervisor.devices import CpuTime, IoLimits

if TYPE_CHECKING:
    from ovis.node.hypervisor.libvirt_driver import LibvirtHypervisor

POOL = "lifecycle"
LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
LIMITS = tuple(IoLimits.__dataclass_fields__)
PERIOD, QUOTA = "vcpu_period", "vcpu_quota"


class LibvirtDevices:
    def __init__(self, driver: LibvirtHypervisor) -> None:
        self._driver = driver

    async def attach(self, domain_id: str, xml: str, *, deadline: float | None = None) -> None:
        await self._driver.on_domain(
            POOL, "attach device", domain_id, lambda domain: domain.attachDeviceFlags(xml, LIVE), deadline
        )

    async def detach(self, domain_id: str, alias: str, *, deadline: float | None = None) -> None:
        # By its alias, for with XML libvirt waits for the guest, 5 s of a thread's time.
        await self._driver.on_domain(
            POOL, "detach device", domain_id, lambda domain: domain.detachDeviceAlias(alias, LIVE), deadline
        )

    async def detach_lease(self, domain_id: str, xml: str, *, deadline: float | None = None) -> None:
        await self._driver.on_domain(
            POOL, "detach lease", domain_id, lambda domain: domain.detachDeviceFlags(xml, LIVE), deadline
        )

    async def update(self, domain_id: str, xml: str, *, force: bool = False, deadline: float | None = None) -> None:
        flags = LIVE | (libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE if force else 0)
        await self._driver.on_domain(
            POOL, "update device", domain_id, lambda domain: domain.updateDeviceFlags(xml, flags), deadline
        )

    async def set_vcpus(self, domain_id: str, count: int, *, deadline: float | None = None) -> None:
        await self._driver.on_domain(
            POOL, "set vcpus", domain_id, lambda domain: domain.setVcpusFlags(count, LIVE), deadline
        )

    async def pin_vcpu(self, domain_id: str, vcpu: int, cpus: frozenset[int], *, deadline: float | None = None) -> None:
        def work(domain: libvirt.virDomain) -> None:
            present = domain.connect().getCPUMap()[0]
            domain.pinVcpuFlags(vcpu, tuple(cpu in cpus for cpu in range(present)), LIVE)

        await self._driver.on_domain(POOL, "pin vcpu", domain_id, work, deadline)

    async def set_balloon(self, domain_id: str, size: int, *, deadline: float | None = None) -> None:
        await self._driver.on_domain(
            POOL, "set balloon", domain_id, lambda domain: domain.setMemoryFlags(size >> 10, LIVE), deadline
        )

    async def io_limits(self, domain_id: str, disk: str, *, deadline: float | None = None) -> IoLimits:
        def work(domain: libvirt.virDomain) -> IoLimits:
            found = domain.blockIoTune(disk, LIVE)
            return IoLimits(**{name: int(found.get(name, 0)) for name in LIMITS})

        return await self._driver.on_domain(POOL, "read io limits", domain_id, work, deadline)

    async def set_io_limits(
        self, domain_id: str, disk: str, limits: IoLimits, *, deadline: float | None = None
    ) -> None:
        values = {name: int(getattr(limits, name)) for name in LIMITS}
        await self._driver.on_domain(
            POOL, "set io limits", domain_id, lambda domain: domain.setBlockIoTune(disk, values, LIVE), deadline
        )

    async def cpu_time(self, domain_id: str, *, deadline: float | None = None) -> CpuTime:
        def work(domain: libvirt.virDomain) -> CpuTime:
            found = domain.schedulerParametersFlags(LIVE)
            return CpuTime(int(found.get(PERIOD, 0)), int(found.get(QUOTA, -1)))

        return await self._driver.on_domain(POOL, "read cpu time", domain_id, work, deadline)

    async def set_cpu_time(
        self,
        domain_id: str,
        *,
        period_us: int | None = None,
        quota_us: int | None = None,
        deadline: float | None = None,
    ) -> None:
        given = {PERIOD: period_us, QUOTA: quota_us}
        values = {name: value for name, value in given.items() if value is not None}
        await self._driver.on_domain(
            POOL,
            "set cpu time",
            domain_id,
            lambda domain: domain.setSchedulerParametersFlags(values, LIVE),
            deadline,
        )

    async def add_filter(self, name: str, xml: str, *, deadline: float | None = None) -> bool:
        def work(connection: libvirt.virConnect) -> bool:
            try:
                connection.nwfilterLookupByName(name)
            except libvirt.libvirtError as error:
                if error.get_error_code() != libvirt.VIR_ERR_NO_NWFILTER:
                    raise
                connection.nwfilterDefineXML(xml)
                return True
            return False

        return await self._driver.call("slow", "define a network filter", work, deadline)

    async def all_host_devices(self, *, deadline: float | None = None) -> list[str]:
        return await self._driver.call("slow", "list host devices", _descriptions, deadline)

    async def host_device(self, name: str, *, deadline: float | None = None) -> str:
        return await self._driver.call(
            "query",
            "host device",
            lambda connection: connection.nodeDeviceLookupByName(name).XMLDesc(0),
            deadline,
        )

    async def take_from_host(self, name: str, *, deadline: float | None = None) -> None:
        await self._driver.call(
            POOL,
            "take host device",
            lambda connection: connection.nodeDeviceLookupByName(name).detachFlags(None, 0),
            deadline,
        )

    async def give_back_to_host(self, name: str, *, deadline: float | None = None) -> None:
        await self._driver.call(
            POOL,
            "give host device back",
            lambda connection: connection.nodeDeviceLookupByName(name).reAttach(),
            deadline,
        )


def _descriptions(connection: libvirt.virConnect) -> list[str]:
    found = []
    for device in connection.listAllDevices(0):
        try:
            found.append(device.XMLDesc(0))
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_NODE_DEVICE:  # it went this moment
                raise
    return found
