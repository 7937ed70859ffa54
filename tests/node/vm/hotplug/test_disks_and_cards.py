"""Disks and network cards that come to and leave a VM."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from device_host import DeviceHost, device_host
from vm_host import ID, new_id

from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.hypervisor.interface import DeviceRemovalFailed
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.states import Cause
from ovis.node.vm.vm import Vm

NIC = {"deviceType": "interface", "device": "bridge", "macAddr": "52:54:00:00:00:AA", "nicModel": "pv", "network": "n"}
HOTPLUG = """<hotplug><devices>
  <disk type='file' device='disk'><source file='{path}'/><target dev='vdb' bus='virtio'/></disk></devices>
  <metadata xmlns:ovirt-vm='http://ovirt.org/vm/1.0'><ovirt-vm:vm>
    <ovirt-vm:device devtype='disk' name='vdb'><ovirt-vm:imageID>image</ovirt-vm:imageID></ovirt-vm:device>
  </ovirt-vm:vm></metadata></hotplug>"""


def drive(path: str, **more: object) -> dict[str, object]:
    return {"drive": {"deviceType": "disk", "device": "disk", "path": path, "format": "raw", "iface": "virtio", **more}}


def test_a_disk_comes_and_goes_with_its_metadata(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            answer = await host.call("VM.hotplugDisk", params={"xml": HOTPLUG.format(path=host.file("b"))})
            assert "vdb" in answer["xml"]
            assert "image" in host.metadata()
            assert [disk.target for disk in host.vm.definition.disks] == ["sdc", "vdb"]
            await host.fails(45, "VM.hotplugDisk", "already", params={"xml": HOTPLUG.format(path=host.file("c"))})
            await host.call("VM.hotunplugDisk", params={"xml": HOTPLUG.format(path=host.file("b"))})
            assert "image" not in host.metadata()
            assert [disk.target for disk in host.vm.definition.disks] == ["sdc"]
            await host.fails(46, "VM.hotunplugDisk", "no such", params={"xml": HOTPLUG.format(path=host.file("b"))})

    asyncio.run(main())


def test_a_disk_by_parameters_gets_a_free_name(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            await host.call("VM.hotplugDisk", params=drive(host.file("a"), imageID=new_id(), domainID=new_id()))
            await host.call("VM.hotplugDisk", params=drive(host.file("b"), name="vdz"))
            assert [disk.target for disk in host.vm.definition.disks] == ["sdc", "vda", "vdz"]
            assert host.metadata().count("domainID") == 2
            await host.call("VM.hotunplugDisk", params=drive(host.file("b")))
            assert [disk.target for disk in host.vm.definition.disks] == ["sdc", "vda"]

    asyncio.run(main())


def test_a_disk_is_open_for_writing_in_one_vm_only(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            path = host.file("a")
            disk = f"<disk type='file'><source file='{path}'/><target dev='vda' bus='virtio'/></disk>"
            other = new_id()
            await host.create(vm_id=other, name="two", devices=disk)
            await host.fails(91, "VM.hotplugDisk", f"open for writing in VM {other}", params=drive(path))
            await host.call("VM.hotplugDisk", params=drive(path, readonly=True))

    asyncio.run(main())


def test_two_plugs_of_one_file_at_once_let_one_through(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            other = new_id()
            await host.create(vm_id=other, name="two")
            params = drive(host.file("a"))
            calls = [host.call("VM.hotplugDisk", vmID=vm_id, params=params) for vm_id in (ID, other)]
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert sorted(isinstance(result, Exception) for result in results) == [False, True]

    asyncio.run(main())


def test_files_outside_of_the_allowed_places_are_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            await host.fails(91, "VM.hotplugDisk", "outside", params=drive("/etc/passwd"))
            os.symlink("/etc/passwd", tmp_path / "link")
            await host.fails(91, "VM.hotplugDisk", "outside", params=drive(str(tmp_path / "link")))
            await host.fails(11, "VM.hotplugDisk", "either xml or drive", params={})
            await host.fails(91, "VM.hotplugDisk", "there must be one", params={"xml": "<hotplug><devices/></hotplug>"})
            assert len(host.elements("devices/disk")) == 1

    asyncio.run(main())


@pytest.mark.parametrize("step", ["attach", "metadata", "set_metadata", "record"])
def test_what_fails_in_between_leaves_nothing_behind(tmp_path: Path, step: str, monkeypatch: Any) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            if step == "record":

                async def full(_vm: Vm) -> None:
                    raise OSError("no space left")

                monkeypatch.setattr(host.host.vms, "keep", full)
            else:
                host.hypervisor.faults.fail(step, domain_id=ID)
            await host.fails(45, "VM.hotplugDisk", params={"xml": HOTPLUG.format(path=host.file("b"))})
            assert [disk.target for disk in host.vm.definition.disks] == ["sdc"]
            assert len(host.elements("devices/disk")) == 1
            assert "image" not in host.metadata()
            assert (host.vm.operation, host.vm.arriving_disks) == (None, set())

    asyncio.run(main())


def test_a_guest_that_keeps_a_disk_is_an_error_and_noticed_when_it_lets_go(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path, unplug_timeout=0.05) as host:
            await host.call("VM.hotplugDisk", params={"xml": HOTPLUG.format(path=host.file("b"))})
            host.hypervisor.devices.keeps.add("virtio-disk0")
            await host.fails(46, "VM.hotunplugDisk", "still there", params={"xml": HOTPLUG.format(path="/x")})
            assert "image" in host.metadata()
            host.hypervisor.devices.give_up(ID, "virtio-disk0")
            await host.host.until(lambda: "image" not in host.metadata())
            assert [disk.target for disk in host.vm.definition.disks] == ["sdc"]

    asyncio.run(main())


def test_a_guest_that_refuses_is_not_waited_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path, unplug_timeout=1000.0) as host:
            await host.call("VM.hotplugDisk", params=drive(host.file("b")))
            host.hypervisor.devices.keeps.add("virtio-disk0")
            call = asyncio.ensure_future(host.fails(46, "VM.hotunplugDisk", "refuses", params=drive(host.file("b"))))
            await host.host.until(lambda: host.vm.operation)
            for _ in range(20):
                host.hypervisor.publish(DeviceRemovalFailed(ID, "virtio-disk0"))
                await asyncio.sleep(0.01)
            await call
            host.hypervisor.devices.keeps.clear()
            await host.call("VM.hotunplugDisk", params=drive(host.file("b")))

    asyncio.run(main())


def test_a_guest_that_does_not_hear_at_first_is_asked_again(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("ovis.node.vm.hotplug.plugging.ASK_EVERY", 0.01)

    async def main() -> None:
        async with device_host(tmp_path) as host:
            await host.call("VM.hotplugDisk", params=drive(host.file("b")))
            asked = 0
            detach = host.hypervisor.devices.detach

            async def counted(domain_id: str, alias: str, *, deadline: float | None = None) -> None:
                nonlocal asked
                asked += 1
                host.hypervisor.devices.keeps = {alias} if asked < 3 else set()
                await detach(domain_id, alias, deadline=deadline)

            monkeypatch.setattr(host.hypervisor.devices, "detach", counted)
            await host.call("VM.hotunplugDisk", params=drive(host.file("b")))
            assert asked == 3

    asyncio.run(main())


def test_a_call_whose_caller_has_gone_ends_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            host.hypervisor.faults.delay("attach", 0.05)
            call = asyncio.ensure_future(host.call("VM.hotplugDisk", params=drive(host.file("b"))))
            await host.host.until(lambda: host.vm.operation)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            await host.host.until(lambda: len(host.vm.definition.disks) == 2 and host.vm.operation is None)

    asyncio.run(main())


def test_while_one_operation_runs_another_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host, host.vm.claim("something else"):
            await host.fails(40, "VM.hotplugNic", "something else", params={"nic": NIC})

    asyncio.run(main())


async def cards(host: DeviceHost) -> list[str]:
    return [card.mac for card in host.vm.definition.interfaces]


def test_a_card_comes_and_goes(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            nic = {**NIC, "custom": {"queues": "4"}}
            await host.call("VM.hotplugNic", params={"nic": nic})
            assert await cards(host) == ["52:54:00:00:00:01", "52:54:00:00:00:aa"]
            assert 'mac_address="52:54:00:00:00:aa"' in host.metadata()
            await host.fails(49, "VM.hotplugNic", "already", params={"nic": NIC})
            await host.call("VM.hotunplugNic", params={"nic": NIC})
            assert await cards(host) == ["52:54:00:00:00:01"]
            assert "mac_address" not in host.metadata()
            await host.fails(50, "VM.hotunplugNic", params={"nic": NIC})
            bare = "<interface type='bridge'><mac address='52:54:00:00:00:BB'/><source bridge='n'/></interface>"
            await host.call("VM.hotplugNic", params={"xml": bare})
            host.hypervisor.faults.fail("detach", error=OperationFailed("no"))
            await host.fails(50, "VM.hotunplugNic", "no", params={"xml": bare})

    asyncio.run(main())


def test_what_shall_go_may_be_named_by_its_alias_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            await host.call("VM.hotplugDisk", params={"xml": HOTPLUG.format(path=host.file("b"))})
            await host.call("VM.hotplugNic", params={"nic": NIC})
            wrapped = "<hotunplug><devices><{0}><alias name='{1}'/></{0}></devices></hotunplug>"
            await host.call("VM.hotunplugDisk", params={"xml": wrapped.format("disk", "virtio-disk0")})
            await host.call("VM.hotunplugNic", params={"xml": wrapped.format("interface", "net1")})
            assert [disk.target for disk in host.vm.definition.disks] == ["sdc"]
            assert await cards(host) == ["52:54:00:00:00:01"]
            assert "image" not in host.metadata()
            await host.fails(46, "VM.hotunplugDisk", "no such", params={"xml": wrapped.format("disk", "virtio-disk0")})

    asyncio.run(main())


def test_a_new_disk_in_the_place_of_a_late_one_keeps_its_metadata(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            plug = {"xml": HOTPLUG.format(path=host.file("b"))}
            await host.call("VM.hotplugDisk", params=plug)
            vms, former = host.host.vms, host.vm.xml
            await host.call("VM.hotunplugDisk", params=plug)
            await host.call("VM.hotplugDisk", params=plug)
            host.vm.xml = former.replace("virtio-disk0", "virtio-disk7")  # what was known when the old one left
            await plugging.removed(vms, host.vm, "virtio-disk7")
            assert "image" in host.metadata()

    asyncio.run(main())


def test_a_vm_on_its_way_to_another_host_keeps_its_devices(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            host.host.vms.move(host.vm, Cause.MIGRATION_STARTED)
            for method in ("VM.hotplugNic", "VM.hotunplugNic"):
                await host.fails(51, method, "on its way", params={"nic": NIC})

    asyncio.run(main())
