"""Identity of the machine as its firmware tables state it.

Serial number and UUID are for root alone; to an agent that runs as another user its root helper tells them.
Source: SMBIOS 3 type 1, drivers/firmware/dmi-id.c.
"""

from __future__ import annotations

import re

from ovis.client.types import HardwareInformation
from ovis.node.host.kernel_files import KernelFiles

_DMI = "sys/class/dmi/id"
# What makers leave in a field that they never filled.
_FILLERS = re.compile(
    r"|(to be filled by o\.?e\.?m\.?|not (specified|available|applicable)|none|default string|system \S+( name)?"
    r"|unknown|undefined|0123456789|0+)\.?",
    re.IGNORECASE,
)
_NO_UUIDS = {
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "03000200-0400-0500-0006-000700080009",  # the example of a firmware kit, on boards of many makers
}


def read(files: KernelFiles) -> HardwareInformation:
    return HardwareInformation(
        system_manufacturer=_field(files, "sys_vendor"),
        # Boards without SMBIOS (most ARM ones) have a device tree that names the model.
        system_product_name=_field(files, "product_name") or _device_tree_model(files),
        system_version=_field(files, "product_version"),
        system_serial_number=_field(files, "product_serial"),
        system_family=_field(files, "product_family"),
        system_uuid=machine_uuid(files),
    )


def machine_uuid(files: KernelFiles) -> str | None:
    """Lower case; None when unreadable or one that many machines share."""
    uuid = (files.text(f"{_DMI}/product_uuid") or "").lower()
    valid = re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid)
    return uuid if valid and uuid not in _NO_UUIDS else None


def _field(files: KernelFiles, name: str) -> str | None:
    text = files.text(f"{_DMI}/{name}")
    return None if text is None or _FILLERS.fullmatch(text) else text


def _device_tree_model(files: KernelFiles) -> str | None:
    return (files.text("proc/device-tree/model") or "").rstrip("\0").strip() or None
