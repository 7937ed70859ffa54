"""Which disks LVM may look at, and how it behaves in our hands whatever /etc/lvm/lvm.conf says.

A guest may put LVM on its disk, which is a logical volume here: with the host's usual settings its groups would show up
on the host, with any name and any tags, and be activated. So a device is seen only when one of its names matches a
pattern, and the usual one is udev's name of a whole multipath map; a logical volume or a partition never has it.

    filter = [ "a|^/dev/disk/by-id/dm-uuid-mpath-|", "r|.*|" ]
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovis.node.errors import BadParameter
from ovis.node.storage.lvm.runner import ConfigValue

MULTIPATH = "^/dev/disk/by-id/dm-uuid-mpath-"

SETTINGS: Mapping[str, ConfigValue] = {
    "devices/use_devicesfile": 0,  # where the host keeps one, the filter would not count
    "devices/obtain_device_list_from_udev": 1,  # the usual pattern is about a name that udev gives
    "devices/external_device_info_source": "none",  # LVM believes what it reads, not udev's older view
    "devices/preferred_names": ["^/dev/mapper/"],  # of a disk's many names: the one that we use
    "devices/hints": "none",  # a hints file is right for one filter, and the host's own LVM has another
    "devices/scan_lvs": 0,  # never look inside
    "devices/md_component_detection": 0,
    "global/use_lvmpolld": 0,  # moving data is our own process and ends with it
    "global/wait_for_locks": 1,  # changes on one host queue up
    "backup/backup": 0,  # a group keeps its history in its own 128 MiB; /etc is not written at each change
    "backup/archive": 0,
}

_NOT_IN_A_PATTERN = '|"\\\n'
_PLAIN_PATH = re.compile(r"(/dev(?:/[A-Za-z0-9_:-]+)*)/[A-Za-z0-9_:-]+")


@dataclass(frozen=True)
class Isolation:
    """`patterns`: regular expressions, of LVM's kind, of the devices that may be seen."""

    patterns: tuple[str, ...] = (MULTIPATH,)

    def __post_init__(self) -> None:
        if not self.patterns:
            raise BadParameter("lvm_filter", "without any pattern LVM sees nothing")
        for pattern in self.patterns:
            if any(sign in pattern for sign in _NOT_IN_A_PATTERN):
                raise BadParameter("lvm_filter", f"{pattern!r} has a character that LVM's filter cannot hold")

    def config(self) -> dict[str, ConfigValue]:
        return {**SETTINGS, "devices/filter": [*(f"a|{pattern}|" for pattern in self.patterns), "r|.*|"]}

    def narrowed(self, disks: Sequence[str]) -> dict[str, ConfigValue]:
        """For a command about disks that LVM has found by the patterns before: the others of the host, which may be
        hundreds, are not even listed."""
        plain = [_PLAIN_PATH.fullmatch(disk) for disk in disks]
        if not disks or not all(plain):
            return self.config()
        return {
            **SETTINGS,
            "devices/filter": [*(f"a|^{disk}$|" for disk in disks), "r|.*|"],
            "devices/obtain_device_list_from_udev": 0,
            "devices/scan": sorted({found[1] for found in plain if found}),
        }


def isolation(patterns: Sequence[str]) -> Isolation:
    """Of the setting; nothing set: multipath maps."""
    return Isolation(tuple(patterns)) if patterns else Isolation()
