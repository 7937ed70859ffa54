"""LVM's JSON reports as values. All sizes in bytes.

    lvm fullreport --reportformat json     one object for each group: its "vg", "pv", "lv", "pvseg" and "seg" lists
    lvm pvs --reportformat json            one object with one "pv" list

Numbers come as text. What LVM prints may be longer than what was asked for (it cannot leave sections of a full report
out), never shorter. Source: lvmreport(7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from ovis.node.storage.lvm.errors import UnreadableReport

GROUP_FIELDS = (
    "vg_name,vg_uuid,vg_attr,vg_size,vg_free,vg_extent_size,vg_extent_count,vg_free_count,vg_tags,vg_seqno,"
    "vg_mda_size,vg_mda_free,vg_missing_pv_count"
)
DEVICE_FIELDS = (
    "pv_name,pv_uuid,pv_size,pv_free,dev_size,pe_start,pv_pe_count,pv_pe_alloc_count,pv_mda_count,pv_mda_used_count,"
    "pv_missing"
)
VOLUME_FIELDS = "lv_name,lv_uuid,lv_size,lv_tags,lv_attr"
FULL_REPORT = (
    *("--configreport", "vg", "--options", GROUP_FIELDS),
    *("--configreport", "pv", "--options", DEVICE_FIELDS),
    *("--configreport", "lv", "--options", VOLUME_FIELDS),
    # sections that cannot be left out, without rows: a seventh of the time with 1,500 volumes
    *("--configreport", "pvseg", "--options", "pvseg_start", "--select", "pvseg_size<0"),
    *("--configreport", "seg", "--options", "seg_start", "--select", "seg_size_pe<0"),
)
DEVICES_REPORT = ("--options", f"{DEVICE_FIELDS},vg_name,vg_uuid")
FORM = ("--reportformat", "json", "--units", "b", "--nosuffix")

_INTERNAL_ATTRIBUTES = frozenset("epl")
"""First letter of lv_attr: parts of a move, of a mirror's log and the like, no volumes of anybody."""

Row = Mapping[str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class PhysicalVolume:
    """`name`: the device's path, or LVM's "[unknown]" for one that is missing. `device_size` may be more than `size`
    (it has grown). `used_metadata_areas`: 0 on disks that hold no copy of the group's metadata."""

    name: str
    uuid: str
    size: int
    free: int
    device_size: int
    first_byte: int
    extents: int
    allocated_extents: int
    metadata_areas: int
    used_metadata_areas: int
    is_missing: bool = False
    group: str = ""
    group_uuid: str = ""

    @property
    def guid(self) -> str:
        """The device's name without its folder: a multipath map's is its identifier."""
        return self.name.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class LogicalVolume:
    name: str
    uuid: str
    size: int
    tags: frozenset[str]
    attributes: str

    @property
    def is_internal(self) -> bool:
        return self.attributes[:1] in _INTERNAL_ATTRIBUTES


@dataclass(frozen=True)
class Group:
    """A volume group as its metadata said at one moment. `attributes` as vgs(8) writes them, such as wz--n-.

    `sequence` grows with each change of anything in the group."""

    name: str
    uuid: str
    attributes: str
    size: int
    free: int
    extent_size: int
    extents: int
    free_extents: int
    tags: frozenset[str]
    sequence: int
    metadata_size: int
    metadata_free: int
    missing_devices: int
    devices: tuple[PhysicalVolume, ...]
    volumes: Mapping[str, LogicalVolume]

    def rounded(self, size: int) -> int:
        """What a logical volume of `size` bytes takes."""
        return max(1, -(-size // self.extent_size)) * self.extent_size


def read_groups(output: bytes) -> tuple[Group, ...]:
    """Of a full report. Disks without a group are not in it. Raises UnreadableReport."""
    return tuple(_group(part) for part in _parts(output) if part.get("vg"))


def read_devices(output: bytes) -> tuple[PhysicalVolume, ...]:
    """Of `pvs`. Raises UnreadableReport."""
    return tuple(_device(row) for part in _parts(output) for row in _rows(part, "pv"))


def _parts(output: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        report = msgspec.json.decode(output, type=dict[str, list[dict[str, Any]]])
    except msgspec.MsgspecError as error:
        raise UnreadableReport("the whole", str(error)) from error
    yield from report.get("report", [])


def _rows(part: Mapping[str, Any], section: str) -> Sequence[Row]:
    try:
        return msgspec.convert(part.get(section, []), list[dict[str, str]])
    except msgspec.ValidationError as error:
        raise UnreadableReport(section, str(error)) from error


def _group(part: Mapping[str, Any]) -> Group:
    row = _rows(part, "vg")[0]
    name = _text(row, "vg_name")
    devices = tuple(
        _device({**device, "vg_name": name, "vg_uuid": _text(row, "vg_uuid")}) for device in _rows(part, "pv")
    )
    volumes = (_volume(volume) for volume in _rows(part, "lv"))
    return Group(
        name=name,
        uuid=_text(row, "vg_uuid"),
        attributes=_text(row, "vg_attr"),
        size=_number(row, "vg_size"),
        free=_number(row, "vg_free"),
        extent_size=_number(row, "vg_extent_size"),
        extents=_number(row, "vg_extent_count"),
        free_extents=_number(row, "vg_free_count"),
        tags=_tags(row, "vg_tags"),
        sequence=_number(row, "vg_seqno"),
        metadata_size=_number(row, "vg_mda_size"),
        metadata_free=_number(row, "vg_mda_free"),
        missing_devices=_number(row, "vg_missing_pv_count"),
        devices=devices,
        volumes={volume.name: volume for volume in volumes if not volume.is_internal},
    )


def _device(row: Row) -> PhysicalVolume:
    return PhysicalVolume(
        name=_text(row, "pv_name"),
        uuid=_text(row, "pv_uuid"),
        size=_number(row, "pv_size"),
        free=_number(row, "pv_free"),
        device_size=_number(row, "dev_size"),
        first_byte=_number(row, "pe_start"),
        extents=_number(row, "pv_pe_count"),
        allocated_extents=_number(row, "pv_pe_alloc_count"),
        metadata_areas=_number(row, "pv_mda_count"),
        used_metadata_areas=_number(row, "pv_mda_used_count"),
        is_missing=bool(row.get("pv_missing")),
        group=_text(row, "vg_name"),
        group_uuid=_text(row, "vg_uuid"),
    )


def _volume(row: Row) -> LogicalVolume:
    return LogicalVolume(
        name=_text(row, "lv_name"),
        uuid=_text(row, "lv_uuid"),
        size=_number(row, "lv_size"),
        tags=_tags(row, "lv_tags"),
        attributes=_text(row, "lv_attr"),
    )


def _text(row: Row, field: str) -> str:
    try:
        return row[field]
    except KeyError:
        raise UnreadableReport(field, "is missing") from None


def _number(row: Row, field: str) -> int:
    text = _text(row, field).strip()
    try:
        return int(text or "0")  # of a missing disk LVM knows no sizes
    except ValueError:
        raise UnreadableReport(field, f"not a number: {text[:80]!r}") from None


def _tags(row: Row, field: str) -> frozenset[str]:
    return frozenset(tag for tag in _text(row, field).split(",") if tag)
