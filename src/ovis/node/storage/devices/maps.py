"""Multipath maps and their paths, from sysfs. No disk is asked, so a dead one costs nothing.

block/dm-<n>/dm/uuid                 mpath-<guid>; partitions of a map: part<n>-mpath-<guid>
block/dm-<n>/dm/name                 the map's name in /dev/mapper: the guid, unless somebody wants friendly names
block/dm-<n>/slaves/<disk>           its paths
block/dm-<n>/holders/<device>        what lies on it
block/<disk>/device -> .../<host>/session<N>/target.../<host>:<channel>:<target>:<unit>      over iSCSI
block/<disk>/device/vpd_pg80         serial number: | type | 0x80 | length: 2 | text |
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ovis.node.storage.connections import iscsi_sessions
from ovis.node.storage.connections.iscsi_sessions import Session

SECTOR = 512
MAPPER = PurePosixPath("/dev/mapper")

_MPATH = "mpath-"
_PARTITION = re.compile(r"part[0-9]+-mpath-")
_ISCSI = re.compile(r"/session[0-9]+/")
_UNIT = re.compile(r"[0-9]+:[0-9]+:[0-9]+:([0-9]+)")


@dataclass(frozen=True)
class DiskPath:
    """`disk`: the kernel's name, such as sdb. `session`: of iSCSI. Bytes."""

    disk: str
    unit: int
    size: int
    is_iscsi: bool
    session: Session | None = None


@dataclass(frozen=True)
class MultipathMap:
    """Sizes in bytes. `discard_limit`: of one request; 0: the disk cannot discard."""

    guid: str
    name: str
    size: int
    logical_block: int
    physical_block: int
    discard_limit: int
    vendor: str
    product: str
    revision: str
    serial: str
    holders: tuple[str, ...]
    is_partitioned: bool
    paths: tuple[DiskPath, ...]

    @property
    def path(self) -> PurePosixPath:
        return MAPPER / self.name


def read(sysfs: Path) -> list[MultipathMap]:
    """All maps; those that come or go meanwhile are left out."""
    sessions = {disk: session for session in iscsi_sessions.read(sysfs) for disk in session.disks}
    devices = [device for device in _names(sysfs / "block") if device.startswith("dm-")]
    return [found for device in devices if (found := _map(sysfs / "block", device, sessions)) is not None]


def guids(sysfs: Path) -> set[str]:
    """Of all maps: a quicker look."""
    block = sysfs / "block"
    kinds = (_text(block / device / "dm/uuid") for device in _names(block) if device.startswith("dm-"))
    return {kind.removeprefix(_MPATH) for kind in kinds if kind.startswith(_MPATH)}


def _map(block: Path, device: str, sessions: dict[str, Session]) -> MultipathMap | None:
    folder = block / device
    kind = _text(folder / "dm/uuid")
    if not kind.startswith(_MPATH):
        return None
    disks = _names(folder / "slaves")
    first = block / disks[0] / "device" if disks else folder
    holders = tuple(_names(folder / "holders"))
    try:
        return MultipathMap(
            guid=kind.removeprefix(_MPATH),
            name=_must(folder / "dm/name"),
            size=int(_must(folder / "size")) * SECTOR,
            logical_block=int(_must(folder / "queue/logical_block_size")),
            physical_block=int(_must(folder / "queue/physical_block_size")),
            discard_limit=int(_text(folder / "queue/discard_max_bytes") or "0"),
            vendor=_text(first / "vendor"),
            product=_text(first / "model"),
            revision=_text(first / "rev"),
            serial=_serial(first / "vpd_pg80"),
            holders=holders,
            is_partitioned=any(_PARTITION.match(_text(block / holder / "dm/uuid")) for holder in holders),
            paths=tuple(_path(block, disk, sessions.get(disk)) for disk in disks),
        )
    except (OSError, ValueError):
        return None


def _path(block: Path, disk: str, session: Session | None) -> DiskPath:
    place = os.path.realpath(block / disk / "device")
    unit = _UNIT.fullmatch(os.path.basename(place))
    return DiskPath(
        disk=disk,
        unit=int(unit[1]) if unit else 0,
        size=int(_must(block / disk / "size")) * SECTOR,
        is_iscsi=session is not None or _ISCSI.search(place) is not None,
        session=session,
    )


def _serial(file: Path) -> str:
    try:
        page = file.read_bytes()
    except OSError:
        return ""
    length = int.from_bytes(page[2:4], "big")
    return page[4 : 4 + length].decode("ascii", "replace").strip(" \0")


def _must(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace").strip()


def _text(file: Path) -> str:
    try:
        return _must(file)
    except OSError:
        return ""


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
