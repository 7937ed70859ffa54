"""The member of an untagged union is chosen as the peer meant it. The wire forms are those of existing engines."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ovis.client import codec, types

ID = "11111111-2222-3333-4444-555555555555"
VOLUME = {"domainID": ID, "imageID": ID, "poolID": ID, "volumeID": ID}


def chosen(union: type, value: dict[str, Any]) -> str:
    return type(codec.decode_value(union, json.dumps(value).encode())).__name__


@pytest.mark.parametrize(
    ("value", "member"),
    [
        ({**VOLUME, "device": "disk"}, "DriveSpecVolume"),
        (VOLUME, "DriveSpecVolume"),
        ({"GUID": "36001405"}, "DriveSpecGUID"),
        ({"path": "/iso/x.iso"}, "DriveSpecPath"),
        ({"path": ""}, "DriveSpecPath"),
        ({"path": "/iso/x.iso", "iface": "ide", "index": "2"}, "DriveSpecPathCdrom"),
        ({"path": "", "iface": "ide", "index": "2"}, "DriveSpecVolumeCdrom"),  # both mean: eject
        ({"drive_spec": VOLUME, "iface": "sata", "index": 2}, "DriveSpecVolumeCdrom"),
    ],
)
def test_drives(value: dict[str, Any], member: str) -> None:
    assert chosen(types.DriveSpec, value) == member


@pytest.mark.parametrize(
    ("value", "member"),
    [
        ({"type": "disk", "deviceType": "disk", "device": "cdrom", "path": "", "iface": "sata"}, "VmDiskDevice"),
        ({"deviceType": "video", "device": "qxl", "specParams": {"vram": "65536"}}, "VmVideoDevice"),
        (
            {"deviceType": "interface", "device": "bridge", "macAddr": "00:1a:4a:00:00:01", "nicModel": "pv"},
            "VmInterfaceDevice",
        ),
        ({"deviceType": "balloon", "device": "memballoon", "specParams": {"model": "virtio"}}, "VmBalloonDevice"),
        ({"deviceType": "graphics", "device": "vnc", "port": "-1"}, "VmGraphicsDevice"),
        ({"type": "lease", "lease_id": ID, "sd_id": ID}, "VmLeaseDevice"),
    ],
)
def test_devices(value: dict[str, Any], member: str) -> None:
    assert chosen(types.VmDevice, value) == member


def test_snapshot_drives() -> None:
    volume = {"domainID": ID, "imageID": ID, "volumeID": ID, "baseVolumeID": ID}
    assert chosen(types.SnapshotDriveInfo, volume) == "SnapshotVolumeDriveInfo"
    assert chosen(types.SnapshotDriveInfo, {"GUID": "36", "baseGUID": "37"}) == "SnapshotGUIDDriveInfo"
    assert chosen(types.SnapshotDriveInfo, {"UUID": "36", "baseUUID": "37"}) == "SnapshotUUIDDriveInfo"


def test_device_updates() -> None:
    update = types.vmUpdateDeviceParams
    nic = {"deviceType": "interface", "alias": "net0", "network": "ovirtmgmt"}
    console = {"deviceType": "graphics", "graphicsType": "vnc", "password": "x", "ttl": 120}
    assert chosen(update, nic) == "vmUpdateInterfaceDeviceParams"
    assert chosen(update, console) == "vmUpdateGraphicsDeviceParams"
    assert chosen(update, {"deviceType": "disk", "xml": "<disk/>"}) == "vmUpdateXMLDeviceParams"


def test_statistics() -> None:
    ended = {"vmId": ID, "status": "Down", "exitCode": 0, "exitMessage": "", "exitReason": 7, "timeOffset": "0"}
    running = {
        **dict.fromkeys(["vmName", "clientIp"], ""),
        **dict.fromkeys(["cpuSys", "cpuUser", "elapsedTime", "monitorResponse", "statusTime"], "5"),
        "vmId": ID,
        "status": "Up",
    }
    assert chosen(types.VmStats, ended) == "ExitedVmStats"
    assert chosen(types.VmStats, running) == "RunningVmStats"


def test_entries_of_a_vm_list_are_ids_or_objects() -> None:
    short = {"vmId": ID, "status": "Up", "statusTime": "1"}
    entries = codec.decode_result("Host.getVMList", json.dumps([ID, short, {**short, "xml": "<domain/>"}]).encode())
    assert entries[0] == ID
    assert [type(entry).__name__ for entry in entries[1:]] == ["VmShortStatus", "VmDefinition"]
    with pytest.raises(msgspec.ValidationError, match=r"at `\$\[0\]`"):
        codec.decode_result("Host.getVMList", b'["no id"]')


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (
            {"domainID": ID, "imageID": ID, "poolID": ID},
            r"as DriveSpecVolume, .*missing.*`volumeID`.* - at `\$.driveSpec`",
        ),
        (
            {**VOLUME, "volumeID": 7},
            r"as DriveSpecVolume, .*Expected `str`, got `int` at `.volumeID` - at `\$.driveSpec`",
        ),
        ("sda", r"Expected `object`, got `str` - at `\$.driveSpec`"),
    ],
)
def test_a_value_that_no_member_holds_is_refused_with_what_is_wrong_with_the_nearest(value: Any, problem: str) -> None:
    arguments = json.dumps({"vmID": ID, "driveSpec": value}).encode()
    with pytest.raises(msgspec.ValidationError, match=problem):
        codec.decode_arguments("VM.changeCD", arguments)
