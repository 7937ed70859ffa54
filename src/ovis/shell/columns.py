"""Which members of an object are worth a column, for tables of people who look at many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ovis.shell.api import Shape

CHOSEN = {
    "VmStats": ("vmName", "vmId", "status", "cpuUser", "cpuSys", "memUsage", "guestIPs", "elapsedTime"),
    "VmInfo": ("vmName", "vmId", "status", "memSize", "smp", "clientIp"),
    "VMFullInfo": ("vmName", "vmId", "status", "memSize", "smp", "guestFQDN", "guestIPs"),
    "BlockDeviceInfo": ("GUID", "capacity", "devtype", "status", "vendorID", "productID", "vgUUID"),
    "HostNetworkInterfaceStats": ("name", "state", "speed", "rx", "tx", "rxDropped", "txDropped", "rxErrors"),
    "NetworkInterfaceStats": ("name", "macAddr", "state", "rx", "tx", "rxDropped", "txDropped"),
    "VmDiskStats": ("readRate", "writeRate", "readBytes", "writtenBytes", "truesize", "apparentsize"),
    "VmDevice": ("type", "device", "alias", "deviceType", "name", "macAddr", "path", "specParams"),
}
"""By type; every other type gets its single values: names, ids and states first."""


def columns(shape: Shape, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Names of the members to show, the most telling first; members that no row has are left out."""
    present = {name for row in rows for name, value in row.items() if value not in (None, "", [], {})}
    names = CHOSEN.get(shape.name)
    if names is not None:
        return [name for name in names if name in present]
    fields = shape.fields
    known = [name for name in fields if name in present and _is_short(shape.field(name))]
    unknown = sorted(
        name for name in present - fields.keys() if all(not isinstance(row.get(name), dict | list) for row in rows)
    )
    return sorted(known, key=_rank) + unknown


def _is_short(shape: Shape) -> bool:
    """Single values, and lists of them."""
    return shape.is_scalar or (shape.kind == "list" and shape.item.is_scalar)


def _rank(name: str) -> int:
    """Sorting by it keeps the order of the schema among equals."""
    lower = name.lower()
    if lower == "name" or lower.endswith("name"):
        return 0
    if lower in {"id", "uuid", "guid", "vmid"}:
        return 1
    if lower in {"status", "state"}:
        return 2
    return 4 if lower.endswith(("id", "uuid")) else 3
