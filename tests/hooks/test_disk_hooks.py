"""Hooks about disks."""

import subprocess
from pathlib import Path

import pytest
from hook_bench import VM, Bench

from ovis.node.hooks.errors import HookFailed

VOLUME = "00000000-0000-4000-8000-00000000000d"


def test_directlun_adds_devices(bench: Bench) -> None:
    root = bench.domain("directlun", directlun="36001:shareable,36002:readonly:scsi")
    disks = root.findall("devices/disk[@type='block']")
    assert [(one.find("source").get("dev"), one.find("target").get("dev")) for one in disks] == [
        ("/dev/mapper/36001", "vdb"),
        ("/dev/mapper/36002", "sdb"),
    ]
    assert disks[0].find("shareable") is not None
    assert disks[1].find("readonly") is not None
    for value in ("../sda", "36001:rw", ""):
        if value:
            with pytest.raises(HookFailed):
                bench.domain("directlun", directlun=value)


def test_vmdisk_adds_images(bench: Bench) -> None:
    disks = bench.domain("vmdisk", vmdisk="/a.qcow2:qcow2,/b").findall("devices/disk[@device='disk']")[1:]
    assert [(one.find("source").get("file"), one.find("driver").get("type")) for one in disks] == [
        ("/a.qcow2", "qcow2"),
        ("/b", "raw"),
    ]
    with pytest.raises(HookFailed, match="absolute"):
        bench.domain("vmdisk", vmdisk="b")


def test_floppy_gets_a_drive(bench: Bench) -> None:
    drive = bench.domain("floppy", floppy="/x.vfd").find("devices/disk[@device='floppy']")
    assert (drive.find("source").get("file"), drive.find("target").get("dev")) == ("/x.vfd", "fda")


def test_scratchpad_makes_files_that_go_with_the_vm(bench: Bench, tmp_path: Path) -> None:
    value = f"1M,{tmp_path}/one:512K,{tmp_path}/two"
    disks = bench.domain("scratchpad", scratchpad=value).findall("devices/disk[@device='disk']")[1:]
    files = [Path(one.find("source").get("file")) for one in disks]
    assert [(path.name, path.stat().st_size) for path in files] == [(f"one.{VM}", 1 << 20), (f"two.{VM}", 512 << 10)]
    (tmp_path / "one").touch()
    for _ in range(2):
        bench.run("scratchpad", "after_vm_destroy", "<domain/>", scratchpad=value)
    assert not any(path.exists() for path in files)
    assert (tmp_path / "one").exists()
    with pytest.raises(HookFailed, match="cannot be migrated"):
        bench.run("scratchpad", "before_vm_migrate_source", "<domain/>", scratchpad=value)


def test_diskunmap_passes_discards_on(bench: Bench) -> None:
    root = bench.domain("diskunmap", enable_diskunmap="true")
    assert [found.get("discard") for found in root.findall("devices/disk/driver")] == ["unmap", None]
    disk = "<disk type='file' device='disk'><source file='/x'/></disk>"
    assert bench.device("diskunmap", "before_disk_hotplug", disk, enable_diskunmap="on").find("driver") is not None


def test_vhostmd_shows_its_disk(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "vhostmd0").touch()
    disk = bench.domain("vhostmd", vhostmd=str(tmp_path / "vhostmd0")).findall("devices/disk")[-1]
    assert disk.find("readonly") is not None
    with pytest.raises(HookFailed, match="does the service vhostmd run"):
        bench.domain("vhostmd", sap_agent=str(tmp_path / "missing"))


def test_fileinject_hands_the_content_to_guestfish(bench: Bench, tmp_path: Path) -> None:
    bench.program("guestfish", f"cat > {tmp_path}/content")
    bench.domain("fileinject", fileinject="/etc/motd:a: b")
    assert bench.calls == ["guestfish --rw --format=qcow2 -a /var/lib/ovis/root.qcow2 -i upload - /etc/motd"]
    assert (tmp_path / "content").read_text() == "a: b"
    bench.program("guestfish", "echo no such disk >&2; exit 1")
    with pytest.raises(HookFailed, match="no such disk"):
        bench.domain("fileinject", fileinject="/etc/motd:x")


def test_checkimages_refuses_damage(bench: Bench, tmp_path: Path) -> None:
    image = tmp_path / "image"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"], check=True)
    text = (
        f"<domain><devices><disk type='file'><driver type='qcow2'/><source file='{image}'/></disk></devices></domain>"
    )
    assert bench.run("checkimages", "before_vm_start", text, checkimages="true") == text
    with image.open("r+b") as file:  # the reference counts are gone
        file.seek(48)
        file.write(bytes(8))
    with pytest.raises(HookFailed, match=r"image (is damaged|cannot be checked)"):
        bench.run("checkimages", "before_vm_start", text, checkimages="60")
    assert bench.run("checkimages", "before_vm_start", text, checkimages="false") == text


DISK = {"volumeID": VOLUME, "path": "/shared", "format": "cow", "device": "disk"}


@pytest.mark.parametrize(
    ("kind", "place"), [("lvm", "-L 1048576b"), ("lvmthin", "-V 1048576b --thinpool pool0")]
)  # fmt: skip
def test_localdisk_copies_once(bench: Bench, kind: str, place: str) -> None:
    bench.program("lvs", "exit 5")
    bench.program("qemu-img", "[ $1 = info ] && echo '{\"virtual-size\": 1048576}'; true")
    for name in ("lvcreate", "lvrename", "lvremove"):
        bench.program(name)
    left = bench.json("localdisk", "after_disk_prepare", DISK, localdisk=kind)
    assert (left["path"], left["format"]) == (f"/dev/ovirt-local/{VOLUME}", "raw")
    done = [call for call in bench.calls if not call.startswith(("sudo", "lvs"))]
    assert done == [
        "qemu-img info --output=json -U -f qcow2 /shared",
        f"lvcreate -y -n {VOLUME}.new {place} ovirt-local",
        f"qemu-img convert -n -t none -f qcow2 -O raw /shared /dev/ovirt-local/{VOLUME}.new",
        f"lvrename ovirt-local {VOLUME}.new {VOLUME}",
    ]
    bench.program("lvs", "exit 0")
    (bench.folder / "calls").unlink()
    assert bench.json("localdisk", "after_disk_prepare", DISK, localdisk=kind) == left
    assert [call for call in bench.calls if not call.startswith(("sudo", "lvs"))] == []


def test_a_copy_that_fails_leaves_nothing(bench: Bench) -> None:
    bench.program("lvs", "exit 5")
    bench.program("qemu-img", "[ $1 = info ] && echo '{\"virtual-size\": 1048576}' && exit; echo disk full >&2; exit 1")
    for name in ("lvcreate", "lvrename", "lvremove"):
        bench.program(name)
    with pytest.raises(HookFailed, match="disk full"):
        bench.json("localdisk", "after_disk_prepare", DISK, localdisk="lvm")
    assert bench.calls[-1] == f"lvremove -y ovirt-local/{VOLUME}.new"
    with pytest.raises(HookFailed, match="cannot be migrated"):
        bench.run("localdisk", "before_vm_migrate_source", "<domain/>", localdisk="lvm")
