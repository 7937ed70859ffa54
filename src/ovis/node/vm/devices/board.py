"""What the devices of one VM plug into while it is put together from parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ovis.client.types import VmDiskDeviceInterface
from ovis.node.errors import BadParameter

LETTERS = "abcdefghijklmnopqrstuvwxyz"
PREFIXES = {"virtio": "vd", "scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd", "fdc": "fd"}
_TARGET = re.compile(r"[hsvf]d[a-z]{1,2}")


@dataclass
class Board:
    """`block_paths` are those of the disk paths that are block devices; `host_devices` libvirt's XML of the host's
    devices that are wanted, by name; `taken` the names of disk targets in use.
    """

    is_q35: bool
    display_address: str
    block_paths: frozenset[str] = frozenset()
    host_devices: Mapping[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    needs_virtio_scsi: bool = False
    has_agent_channel: bool = False

    def bus(self, iface: VmDiskDeviceInterface | None, *, removable: bool) -> str:
        """The chipset q35 has no IDE; what was meant is its SATA."""
        if iface is VmDiskDeviceInterface.IDE or (iface is None and removable):
            return "sata" if self.is_q35 else "ide"
        return "virtio" if iface is None else iface.value

    def target(self, bus: str, wanted: str | None, field_name: str) -> str:
        """The name of a disk. Raises BadParameter."""
        if wanted is None:
            wanted = self._free(PREFIXES.get(bus, "vd"), field_name)
        elif not _TARGET.fullmatch(wanted):
            raise BadParameter(f"{field_name}.name", f"{wanted!r} is no name of a disk such as vda")
        elif wanted in self.taken:
            raise BadParameter(f"{field_name}.name", f"{wanted} is used by another disk")
        self.taken.add(wanted)
        return wanted

    def _free(self, prefix: str, field_name: str) -> str:
        endings: list[str] = [*LETTERS, *(first + second for first in LETTERS for second in LETTERS)]
        for ending in endings:
            if prefix + ending not in self.taken:
                return prefix + ending
        raise BadParameter(field_name, f"there is no free name for one more disk {prefix}*")
