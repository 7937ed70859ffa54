"""Memory, devices of the host and leases that come to and leave a VM."""

import asyncio
from pathlib import Path
from typing import Any

from device_host import MIB, device_host
from vm_host import ID, new_id

from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.vm.lease_places import LeasePlace, NoLease

MODULE = {"deviceType": "memory", "device": "memory", "node": 0, "size": 128}
PCI = "<device><name>{0}</name><capability type='pci'><domain>0</domain><bus>59</bus><slot>0</slot><function>{1}</function></capability></device>"  # noqa: E501
USB = "<device><capability type='usb_device'><bus>1</bus><device>4</device></capability></device>"


def test_memory_comes_and_its_return_is_only_asked_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            answer = await host.call("VM.hotplugMemory", params={"memory": MODULE, "memGuaranteedSize": 200})
            assert answer["memSize"] == 384
            assert host.vm.definition.guaranteed_memory == 200 * MIB
            await host.call("VM.hotplugMemory", params={"memory": MODULE})
            host.hypervisor.devices.keeps.add("dimm1")
            await host.call("VM.hotunplugMemory", params={"memory": {**MODULE, "alias": "dimm1"}})
            assert host.vm.definition.memory == 512 * MIB
            await host.call("VM.hotunplugMemory", params={"memory": MODULE})
            await host.host.until(lambda: host.vm.definition.memory == 384 * MIB)
            await host.fails(85, "VM.hotunplugMemory", "no such", params={"memory": {**MODULE, "size": 256}})

    asyncio.run(main())


def test_memory_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            await host.fails(91, "VM.hotplugMemory", "multiple of 128", params={"memory": {**MODULE, "size": 100}})
            await host.fails(70, "VM.hotplugMemory", "maximum", params={"memory": {**MODULE, "size": 896}})
            host.hypervisor.faults.fail("attach", error=OperationFailed("no free slots"))
            await host.fails(70, "VM.hotplugMemory", "no free slots", params={"memory": MODULE})
            await host.fails(11, "VM.hotplugMemory", params={})

    asyncio.run(main())


def test_devices_of_the_host_come_and_go(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            devices = host.hypervisor.devices
            devices.host_devices = {"pci_a": PCI.format("a", 0), "pci_b": PCI.format("b", 1), "usb_1_4": USB}
            host.hypervisor.faults.fail("attach", error=OperationFailed("no IOMMU"))
            assert await host.call("VM.hotplugHostdev", devices=["pci_a", "pci_b", "usb_1_4"]) == ["pci_b", "usb_1_4"]
            assert devices.taken == {"pci_b"}  # the other one is with the host again
            assert [e.get("type") for e in host.elements("devices/hostdev")] == ["pci", "usb"]
            assert await host.call("VM.hotunplugHostdev", devices=["usb_1_4", "pci_a", "pci_b"]) != []
            assert host.elements("devices/hostdev") == []
            await host.fails(91, "VM.hotplugHostdev", "no device of this host", devices=["nothing"])

    asyncio.run(main())


def test_a_device_that_the_host_keeps_is_told_apart(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            host.hypervisor.devices.host_devices = {"pci_a": PCI.format("a", 0)}
            host.hypervisor.faults.fail("take_from_host", error=OperationFailed("in use"))
            await host.fails(83, "VM.hotplugHostdev", "in use", devices=["pci_a"])
            assert host.elements("devices/hostdev") == []

    asyncio.run(main())


class OneLease:
    def __init__(self, lease_id: str) -> None:
        self.lease_id = lease_id

    async def find(self, domain_id: str, lease_id: str) -> LeasePlace:
        if lease_id != self.lease_id:
            raise NoLease(lease_id)
        return LeasePlace("/leases", 1 << 20)


def test_leases_come_and_go(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            lease: dict[str, Any] = {"lease_id": new_id(), "sd_id": new_id(), "type": "lease"}
            await host.fails(86, "VM.hotplugLease", "not connected", lease=lease)
            host.host.vms.leases = OneLease(lease["lease_id"])
            await host.call("VM.hotplugLease", lease=lease)
            assert host.elements("devices/lease/target")[0].get("offset") == str(1 << 20)
            await host.fails(86, "VM.hotplugLease", "already", lease=lease)
            await host.call("VM.hotunplugLease", lease=lease)
            assert host.elements("devices/lease") == []
            await host.fails(87, "VM.hotunplugLease", lease=lease)

    asyncio.run(main())


def test_a_lease_is_let_go_when_the_record_fails(tmp_path: Path, monkeypatch: Any) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            lease = {"lease_id": new_id(), "sd_id": new_id()}
            host.host.vms.leases = OneLease(lease["lease_id"])

            async def full(_vm: object) -> None:
                raise OSError("full")

            monkeypatch.setattr(host.host.vms, "keep", full)
            await host.fails(86, "VM.hotplugLease", "full", lease=lease)
            assert host.elements("devices/lease") == []
            assert host.hypervisor.domain(ID).has_agent_channel is False

    asyncio.run(main())
