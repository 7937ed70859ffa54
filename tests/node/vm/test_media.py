"""What lies in the drives of a running VM, and devices that change where they are."""

import asyncio
import base64
from pathlib import Path

import pytest
from device_host import DeviceHost, device_host
from lxml import etree
from vm_host import ID, new_id

from ovis.node.errors import VmExists
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.vm import media

FLOPPY = "<disk type='file' device='floppy'><target dev='fda' bus='fdc'/></disk>"
SECOND = "<disk type='file' device='cdrom'><target dev='sdd' bus='sata'/><readonly/></disk>"
USER_DATA = {"user-data": base64.b64encode(b"#cloud-config").decode()}


def cd(host: DeviceHost) -> str | None:
    return host.vm.definition.cdrom


def looked_at(path: str | None) -> tuple[int, bytes]:
    """Permissions and content."""
    file = Path(path or "")
    return file.stat().st_mode & 0o777, file.read_bytes()


def files_below(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def test_a_cd_is_put_in_changed_and_taken_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            one, two = host.file("one.iso"), host.file("two.iso")
            await host.call("VM.changeCD", driveSpec={"path": one})
            assert cd(host) == one
            await host.call("VM.changeCD", driveSpec={"iface": "sata", "index": 2, "path": two})
            assert cd(host) == two
            await host.call("VM.changeCD", driveSpec={"iface": "ide", "index": 2})
            assert cd(host) is None
            await host.call("VM.changeCD", driveSpec={"path": ""})
            await host.fails(91, "VM.changeCD", "no such file", driveSpec={"path": str(tmp_path / "none.iso")})
            await host.fails(41, "VM.changeFloppy", "has none", driveSpec={"path": one})

    asyncio.run(main())


def test_the_drive_that_is_meant_is_the_one_that_changes(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path, devices=SECOND + FLOPPY) as host:
            one = host.file("one.iso")
            await host.call("VM.changeCD", driveSpec={"iface": "sata", "index": 3, "path": one})
            assert {disk.target: disk.path for disk in host.vm.definition.disks} == {
                "sdc": None,
                "sdd": one,
                "fda": None,
            }
            await host.fails(
                91, "VM.changeCD", "no cdrom drive 7", driveSpec={"iface": "scsi", "index": 7, "path": one}
            )
            await host.call("VM.changeFloppy", driveSpec={"path": one})
            assert host.vm.definition.disks[-1].path == one

    asyncio.run(main())


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_locked_tray_is_opened_by_force_and_the_former_medium_told(
    tmp_path: Path, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "PAUSES", (0.0, 0.001, None))

    async def main() -> None:
        async with device_host(tmp_path) as host:
            one, two = host.file("one.iso"), host.file("two.iso")
            await host.call("VM.changeCD", driveSpec={"path": one})
            host.hypervisor.faults.fail("update", times=times, error=OperationFailed("Tray is locked"))
            if times < 3:
                await host.call("VM.changeCD", driveSpec={"path": two})
            else:
                await host.fails(41, "VM.changeCD", f"holds {one} now", driveSpec={"path": two})
            assert cd(host) == (two if times < 3 else one)

    asyncio.run(main())


def test_a_medium_made_of_files_goes_with_the_vm(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            spec = {"device": "cdrom", "specParams": {"vmPayload": {"file": USER_DATA}}}
            await host.call("VM.changeCD", driveSpec=spec)
            mode, image = looked_at(cd(host))
            assert mode == 0o600
            assert b"#cloud-config" in image
            assert USER_DATA["user-data"] in host.metadata()
            bad = {"device": "cdrom", "specParams": {"vmPayload": {"file": {"../../x": "eA=="}}}}
            await host.fails(91, "VM.changeCD", "no path of a file", driveSpec=bad)
            await host.call("VM.destroy")
            assert files_below(tmp_path / "payloads") == []

    asyncio.run(main())


PAYLOAD = f"""<ovirt-vm:device devtype='disk' name='sdd'><ovirt-vm:payload><ovirt-vm:volId>config-2</ovirt-vm:volId>
  <ovirt-vm:file path='openstack/latest/user_data'>{USER_DATA["user-data"]}</ovirt-vm:file></ovirt-vm:payload>
  </ovirt-vm:device>"""
PLACEHOLDER = "<disk type='file' device='cdrom'><source file='{}'/><target dev='sdd' bus='sata'/><readonly/></disk>"


def test_a_placeholder_becomes_a_medium_when_the_vm_is_made(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path, devices=PLACEHOLDER.format("PAYLOAD:"), metadata=PAYLOAD) as host:
            _, image = looked_at(cd(host))
            assert image[0x8028:0x8030] == b"config-2"
            assert b"#cloud-config" in image
            found = [change for change in host.vm.changes if "source" in change.path]
            assert [change.before for change in found] == ["PAYLOAD:"]

    asyncio.run(main())


def test_a_medium_of_another_host_is_made_anew(tmp_path: Path) -> None:
    foreign = PLACEHOLDER.format("/elsewhere/11111111-2222-4333-8444-555555555555/sdd-0123456789abcdef.img")

    async def main() -> None:
        async with device_host(tmp_path, devices=foreign, metadata=PAYLOAD) as host:
            assert (cd(host) or "").startswith(str(tmp_path))

    asyncio.run(main())


def test_a_card_changes_network_link_and_filter(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            params = {"deviceType": "interface", "alias": "net0", "network": "other", "linkActive": False,
                      "filter": "clean", "filterParameters": [{"name": "IP", "value": "192.0.2.1"}]}  # fmt: skip
            await host.call("VM.updateDevice", params=params)
            card = host.vm.definition.interfaces[0]
            assert (card.bridge, card.link_up, card.model) == ("other", False, "virtio")
            assert "other" in host.metadata()
            await host.call("VM.updateDevice", params={"deviceType": "interface", "alias": "net0", "linkActive": True})
            assert host.vm.definition.interfaces[0].link_up
            assert host.vm.definition.interfaces[0].bridge == "other"
            await host.call("VM.updateDevice", params={"deviceType": "interface", "alias": "net0", "network": ""})
            assert not host.vm.definition.interfaces[0].link_up
            await host.fails(56, "VM.updateDevice", "no card", params={**params, "alias": "net7"})

    asyncio.run(main())


def test_a_card_that_cannot_be_changed_is_put_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            host.hypervisor.faults.fail("set_metadata")
            params = {"deviceType": "interface", "alias": "net0", "network": "other"}
            await host.fails(56, "VM.updateDevice", "as it was", params=params)
            assert host.vm.definition.interfaces[0].bridge == "ovirtmgmt"

    asyncio.run(main())


def test_a_device_is_changed_by_its_xml(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            card = host.elements("devices/interface")[0]
            etree.SubElement(card, "link", state="down")
            text = etree.tostring(card, encoding="unicode")
            await host.call(
                "VM.updateDevice",
                params={"deviceType": "interface", "xml": f"<hotplug><devices>{text}</devices></hotplug>"},
            )
            assert not host.vm.definition.interfaces[0].link_up
            disk = "<disk type='file' device='cdrom'><source file='/etc/passwd'/><target dev='sdc' bus='sata'/></disk>"
            await host.fails(91, "VM.updateDevice", "outside", params={"deviceType": "disk", "xml": disk})
            inside = disk.replace("/etc/passwd", host.file("x.iso"))
            await host.fails(91, "VM.updateDevice", "keeps its source", params={"deviceType": "disk", "xml": inside})
            await host.fails(91, "VM.updateDevice", "one device", params={"deviceType": "x", "xml": "<vsock/>"})

    asyncio.run(main())


def test_a_console_password_is_set(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            params = {"deviceType": "graphics", "graphicsType": "vnc", "password": "secret", "ttl": 60}
            await host.call("VM.updateDevice", params=params)
            await host.fails(18, "VM.updateDevice", params={**params, "graphicsType": "spice"})

    asyncio.run(main())


def test_what_the_host_changed_in_the_description_can_be_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            changes = await host.call("VM.getXmlDifference")
            assert {"kind": "added", "path": "domain/devices/graphics[vnc]/listen[address]"}.items() <= {
                key: value for change in changes if "graphics" in change["path"] for key, value in change.items()
            }.items()
            assert any("startTime" in change["path"] for change in changes)
            (told,) = await host.call("Host.getVMFullList", vmList=[])
            assert [device["deviceType"] for device in told["devices"]] == ["interface", "disk", "graphics"]

    asyncio.run(main())


def test_a_device_of_the_host_is_given_to_a_new_vm(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path, create=False) as host:
            host.hypervisor.devices.host_devices["pci_0000_3b_00_1"] = (
                "<device><capability type='pci'><domain>0</domain><bus>59</bus><slot>0</slot><function>1</function>"
                "</capability></device>"
            )
            device = {"deviceType": "hostdev", "device": "pci_0000_3b_00_1"}
            await host.call("VM.create", vmParams={"memSize": 64, "devices": [device]})
            await host.host.until(lambda: host.vm.has_qemu)
            assert [found.get("managed") for found in host.elements("devices/hostdev")] == ["yes"]

    asyncio.run(main())


def test_a_medium_made_of_files_by_parameters(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path, create=False) as host:
            payload = {"file": USER_DATA, "volId": "mine"}
            for kind in ("cdrom", "floppy"):
                drive = {"deviceType": "disk", "device": kind, "specParams": {"vmPayload": payload}}
                await host.call("VM.create", vmParams={"memSize": 64, "devices": [drive]})
                await host.host.until(lambda: host.vm.has_qemu)
                _, image = looked_at(host.vm.definition.disks[0].path)
                assert (b"mine" if kind == "cdrom" else b"MINE") in image
                await host.call("VM.destroy")

    asyncio.run(main())


def test_a_vm_that_is_refused_leaves_no_medium(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path, create=False) as host:
            other = new_id()
            await host.create(vm_id=other, devices="")
            with pytest.raises(VmExists):
                await host.create(devices=PLACEHOLDER.format("PAYLOAD:"), metadata=PAYLOAD)
            assert ID not in [path.name for path in files_below(tmp_path / "payloads")]

    asyncio.run(main())
