"""A sysfs with two multipath maps (iSCSI with two paths, Fibre Channel with one), and the helper of its host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulated_lvm import SimulatedRoot

from ovis.node.privileged.devices import RescanHosts, SettleDevices
from ovis.node.privileged.iscsi import RescanSessions
from ovis.node.privileged.multipath import ReadMultipath
from ovis.node.privileged.protocol import CommandResult
from ovis.node.storage.devices.devices import Devices
from ovis.node.storage.lvm.isolation import Isolation
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.privileged import PrivilegedLvm

GIB = 1 << 30
FIRST, SECOND = "360000000000000000e00000000010001", "360000000000000000e00000000010002"
REPORT = """{"major_version": 0, "maps": [{"name": "x", "path_groups": [
  {"paths": [{"dev": "sda", "dm_st": "active", "chk_st": "ready"}]},
  {"paths": [{"dev": "sdb", "dm_st": "failed", "chk_st": "faulty"}]}]}]}"""


class Sysfs:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "block").mkdir(parents=True)

    def write(self, path: str, content: str | bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else f"{content}\n".encode())

    def disk(self, name: str, place: str, sectors: int) -> None:
        self.write(f"block/{name}/size", str(sectors))
        device = self.folder / "devices" / place
        device.mkdir(parents=True)
        (self.folder / "block" / name / "device").symlink_to(device)
        for key, value in (("vendor", "IET     "), ("model", "VIRTUAL-DISK    "), ("rev", "0001")):
            self.write(f"block/{name}/device/{key}", value)
        self.write(f"block/{name}/device/vpd_pg80", b"\x00\x80\x00\x08  beaf11")
        (device / "block" / name).mkdir(parents=True)

    def device(self, name: str, uuid: str, paths: Sequence[str] = (), holders: Sequence[str] = ()) -> None:
        values = {
            "dm/uuid": uuid, "dm/name": uuid.removeprefix("mpath-"), "size": str(16 * GIB // 512),
            "queue/logical_block_size": "512", "queue/physical_block_size": "4096",
            "queue/discard_max_bytes": "1048576",
        }  # fmt: skip
        for key, value in values.items():
            self.write(f"block/{name}/{key}", value)
        for kind, names in (("slaves", paths), ("holders", holders)):
            for other in names:
                (self.folder / "block" / name / kind / other).mkdir(parents=True)

    def session(self, number: int, host: str) -> None:
        folder = f"class/iscsi_session/session{number}"
        for key, value in (("targetname", "iqn.2024-01.test:t"), ("tpgt", "1"), ("ifacename", "default")):
            self.write(f"{folder}/{key}", value)
        (self.folder / folder / "device").symlink_to(self.folder / f"devices/host{number}/session{number}")
        self.write(f"class/iscsi_connection/connection{number}:0/persistent_address", host)
        self.write(f"class/iscsi_connection/connection{number}:0/persistent_port", "3260")


class Root(SimulatedRoot):
    """With multipathd, and a look for new disks."""

    multipathd: CommandResult | Exception = CommandResult(0, REPORT.encode())
    rescans: CommandResult | Exception = CommandResult(21)

    async def call(self, request: Any, *, seconds: float | None = None, told: Any = None) -> Any:
        match request:
            case ReadMultipath():
                answer = self.multipathd
            case RescanSessions() | RescanHosts() | SettleDevices():
                self.commands.append((type(request).__name__,))
                answer = self.rescans
            case _:
                return await super().call(request, seconds=seconds, told=told)
        if isinstance(answer, Exception):
            raise answer
        return answer


def two_disks(folder: Path) -> Sysfs:
    made = Sysfs(folder)
    made.disk("sda", "host1/session1/target1:0:0/1:0:0:7", 16 * GIB // 512)
    made.disk("sdb", "host2/session2/target2:0:0/2:0:0:7", 16 * GIB // 512)
    made.disk("sdc", "host3/rport-3:0-1/target3:0:0/3:0:0:2", 16 * GIB // 512)
    made.session(1, "10.0.0.1")
    made.session(2, "10.0.0.2")
    made.device("dm-0", f"mpath-{FIRST}", ["sda", "sdb"])
    made.device("dm-1", f"mpath-{SECOND}", ["sdc"])
    made.device("dm-2", "LVM-abcdef", ["dm-0"])
    return made


def devices(tmp_path: Path, sysfs: Sysfs) -> tuple[Devices, Root]:
    (tmp_path / "root").mkdir()
    root = Root(tmp_path / "root", {f"/dev/mapper/{guid}": 16 * GIB for guid in (FIRST, SECOND)})
    lvm = Lvm(PrivilegedLvm(root), Isolation())
    return Devices(root, lvm, sysfs=sysfs.folder), root
