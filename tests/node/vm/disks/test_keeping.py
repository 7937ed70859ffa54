"""Volumes of storage domains are taken before a VM gets them, and given back when it has them no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from device_host import device_host
from lxml import etree
from vm_host import ID, VmHost, parameters, vm_host

from ovis.client.types import VmDeviceType, VmDiskDevice, VmDiskDeviceInterface, VmDiskDeviceType, VmParameters
from ovis.node.errors import BadParameter, NodeError, VmExists
from ovis.node.vm.disks import drives
from ovis.node.vm.disks.keeping import Kept, KeptLayer
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.safe_xml import parse

POOL, DOMAIN, IMAGE, BASE, LEAF = (f"{digit}0000000-0000-4000-8000-00000000000{digit}" for digit in "12345")
NAMED = (
    f"<ovirt-vm:device devtype='disk' name='vda'><ovirt-vm:poolID>{POOL}</ovirt-vm:poolID>"
    f"<ovirt-vm:domainID>{DOMAIN}</ovirt-vm:domainID><ovirt-vm:imageID>{IMAGE}</ovirt-vm:imageID>"
    f"<ovirt-vm:volumeID>{LEAF}</ovirt-vm:volumeID></ovirt-vm:device>"
)
SOURCE = "<driver name='qemu' type='qcow2'/><source dev='/nowhere'/>"
DISK = f"<disk type='file'>{SOURCE}<target dev='vda' bus='virtio'/></disk>"


class Domain:
    """One storage domain with one image, and who has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held: set[tuple[str, str]] = set()
        self.asked: list[Callable[[str], bool]] = []
        self.delay = asyncio.Event()
        self.delay.set()

    def path(self, volume: str) -> str:
        path = self.folder / volume
        path.touch()
        return str(path)

    async def take(self, vm_id: str, ids: VolumeIds, *, transient: bool = False) -> Kept | None:
        if ids.domain != DOMAIN:
            return None
        await self.delay.wait()
        if ids.volume not in (BASE, LEAF):
            raise NodeError(f"no volume {ids.volume}")
        self.held.add((vm_id, IMAGE))
        layers = (KeptLayer(BASE, IMAGE, self.path(BASE), "/lease", 1 << 20), KeptLayer(LEAF, IMAGE, self.path(LEAF)))
        return Kept(self.path(ids.volume), is_block=False, driver="qcow2", layers=layers)

    async def keep_only(self, vm_id: str, ids: VolumeIds) -> None:
        pass

    async def give_back(self, vm_id: str, image: str | None = None) -> None:
        self.held = {(vm, held) for vm, held in self.held if vm != vm_id or image not in (None, held)}

    async def give_back_of_others(self, is_used: Callable[[str], bool]) -> None:
        self.asked.append(is_used)


@pytest.fixture
def domain(tmp_path: Path) -> Domain:
    return Domain(tmp_path)


def chain(xml: str) -> list[str]:
    """What the metadata say of the first disk's chain, each layer in words."""
    root = parse(xml, "xml")
    found = root.iterfind(".//{*}volumeChainNode")
    return [" ".join(f"{etree.QName(member).localname}={member.text}" for member in node) for node in found]


def disk_of(host: VmHost) -> etree._Element:
    return parse(host.vms.find(ID).xml, "xml").find("devices/disk")


def test_disk_of_a_description_gets_the_path_and_its_chain_is_noted(domain: Domain, tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, volumes=domain) as host:
            vm = await host.started(devices=DISK, metadata=NAMED)
            source = disk_of(host).find("source")
            assert (source.get("file"), source.get("dev")) == (domain.path(LEAF), None)
            told = chain(vm.xml)
            assert [f"volumeID={volume}" in line for volume, line in zip((BASE, LEAF), told, strict=True)] == [True] * 2
            assert "leaseOffset=1048576 leasePath=/lease" in told[0]
            assert domain.held == {(ID, IMAGE)}
            (drive,) = drives.read(parse(vm.xml, "xml"))
            assert drive.active.volume_id == LEAF
            assert [str(change) for change in vm.changes if "source" in str(change)]

    asyncio.run(main())


def test_disk_of_parameters_is_named_by_its_ids_alone(domain: Domain, tmp_path: Path) -> None:
    disk = VmDiskDevice(
        device_type=VmDeviceType.DISK,
        device=VmDiskDeviceType.DISK,
        iface=VmDiskDeviceInterface.VIRTIO,
        index="0",
        pool_id=POOL,
        domain_id=DOMAIN,
        image_id=IMAGE,
        volume_id=LEAF,
    )

    async def main() -> None:
        async with vm_host(tmp_path, volumes=domain) as host:
            await host.vms.create(ID, VmParameters(vm_name="one", mem_size=128 << 20, devices=[disk]))
            assert disk_of(host).find("source").get("file") == domain.path(LEAF)
            assert disk_of(host).find("driver").get("type") == "qcow2"
            assert len(chain(host.vms.find(ID).xml)) == 2

    asyncio.run(main())


def test_disk_of_an_unknown_domain_keeps_its_path(domain: Domain, tmp_path: Path) -> None:
    (tmp_path / "disk").touch()

    async def main() -> None:
        async with vm_host(tmp_path, volumes=domain) as host:
            here = DISK.replace("dev='/nowhere'", f"file='{tmp_path}/disk'")
            vm = await host.started(devices=here, metadata=NAMED.replace(DOMAIN, POOL))
            assert disk_of(host).find("source").get("file") == str(tmp_path / "disk")
            assert chain(vm.xml) == []

    asyncio.run(main())


def test_refused_vm_has_nothing(domain: Domain, tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, volumes=domain) as host:
            with pytest.raises(BadParameter):
                await host.vms.create(ID, parameters(devices=DISK + DISK.replace("vda", "vdb"), metadata=NAMED))
            assert not domain.held
            with pytest.raises(NodeError, match="no volume"):
                await host.vms.create(ID, parameters(devices=DISK, metadata=NAMED.replace(LEAF, IMAGE)))
            assert not domain.held

    asyncio.run(main())


def test_second_call_for_the_same_vm_does_not_cost_the_first_its_volumes(domain: Domain, tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, volumes=domain) as host:
            domain.delay.clear()
            first = asyncio.ensure_future(host.vms.create(ID, parameters(devices=DISK, metadata=NAMED)))
            for _ in range(20):
                await asyncio.sleep(0)
            with pytest.raises(VmExists):
                await host.vms.create(ID, parameters(devices=DISK, metadata=NAMED))
            domain.delay.set()
            await first
            assert domain.held == {(ID, IMAGE)}

    asyncio.run(main())


def test_volumes_are_given_back_when_the_vm_has_ended_and_when_it_is_destroyed(domain: Domain, tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, volumes=domain) as host:
            vm = await host.started(devices=DISK, metadata=NAMED)
            await host.hypervisor.destroy(ID)
            await host.until(lambda: vm.is_down and not domain.held)
            await host.vms.find(ID).until(lambda: True, seconds=0)
            domain.held.add((ID, IMAGE))
            from ovis.node.vm import ending

            await ending.destroy(host.vms, vm, graceful_attempts=0)
            assert not domain.held

    asyncio.run(main())


def test_what_a_dead_agent_left_is_given_back(domain: Domain, tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path, volumes=domain) as host:
            await host.until(lambda: domain.asked)
            (is_used,) = domain.asked
            assert not is_used(ID)
            domain.delay.clear()  # a VM that comes while storage is still waited for keeps what it takes
            creating = asyncio.ensure_future(host.vms.create(ID, parameters(devices=DISK, metadata=NAMED)))
            await host.until(lambda: is_used(ID))
            domain.delay.set()
            await creating
            assert is_used(ID)

    asyncio.run(main())


def test_plugged_disk_is_taken_and_given_back(domain: Domain, tmp_path: Path) -> None:
    drive = {"deviceType": "disk", "device": "disk", "iface": "virtio", "index": "0"}
    ids = {"poolID": POOL, "domainID": DOMAIN, "imageID": IMAGE, "volumeID": LEAF}

    async def main() -> None:
        async with device_host(tmp_path, volumes=domain) as host:
            await host.call("VM.hotplugDisk", params={"vmId": ID, "drive": drive | ids})
            assert domain.held == {(ID, IMAGE)}
            assert domain.path(LEAF) in host.vm.xml
            assert len(chain(host.vm.xml)) == 2
            await host.fails(45, "VM.hotplugDisk", "already", params={"vmId": ID, "drive": drive | ids})
            assert domain.held == {(ID, IMAGE)}
            await host.call("VM.hotunplugDisk", params={"vmId": ID, "drive": drive | ids})
            assert not domain.held

    asyncio.run(main())


def test_disk_plugged_in_by_xml_gets_its_path(domain: Domain, tmp_path: Path) -> None:
    metadata = f"<metadata xmlns:ovirt-vm='http://ovirt.org/vm/1.0'><ovirt-vm:vm>{NAMED}</ovirt-vm:vm></metadata>"
    xml = f"<hotplug><devices>{DISK}</devices>{metadata}</hotplug>"

    async def main() -> None:
        async with device_host(tmp_path, volumes=domain) as host:
            await host.call("VM.hotplugDisk", params={"vmId": ID, "xml": xml})
            assert domain.path(LEAF) in host.vm.xml
            assert len(chain(host.vm.xml)) == 2
            other = xml.replace("vda", "vdb").replace(IMAGE, BASE)
            await host.fails(91, "VM.hotplugDisk", "open for writing", params={"vmId": ID, "xml": other})
            assert domain.held == {(ID, IMAGE)}

    asyncio.run(main())
