"""The 58 points at which scripts run, what they are handed there, and whether their failure stops the operation.

Before an operation a failure refuses it, afterwards it is only logged; the exceptions are listed.
Source: reference/vdsm.md, section 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Payload(Enum):
    """A file that the scripts read and may change; the variable that names it."""

    DOMAIN = "domain"
    DEVICE = "device"
    JSON = "json"
    NOTHING = "nothing"

    @property
    def variable(self) -> str | None:
        match self:
            case Payload.JSON:
                return "_hook_json"
            case Payload.NOTHING:
                return None
        return "_hook_domxml"


@dataclass(frozen=True, slots=True)
class Point:
    """`refuses`: a failing script fails the operation. `wants_root`: such scripts expect to be root."""

    name: str
    payload: Payload
    refuses: bool
    wants_root: bool = False


_PAIRS = {
    Payload.DOMAIN: "vm_start vm_cont vm_pause vm_hibernate vm_dehibernate vm_migrate_source vm_migrate_destination "
    "vm_destroy vm_set_ticket set_num_of_cpus",
    Payload.DEVICE: "device_create device_destroy device_migrate_source device_migrate_destination update_device "
    "nic_hotplug nic_hotunplug disk_hotplug disk_hotunplug memory_hotplug",
    Payload.JSON: "network_setup get_vm_stats get_all_vm_stats get_caps get_stats",
}
_SINGLE = {
    Payload.NOTHING: "before_vdsm_start after_vdsm_stop",
    Payload.DEVICE: "after_update_device_fail after_nic_hotplug_fail after_nic_hotunplug_fail",
    Payload.JSON: "after_network_setup_fail after_disk_prepare after_hostdev_list_by_caps",
}
_NEVER_REFUSE = {"before_vm_destroy", "before_vm_set_ticket", "before_vdsm_start"}
_REFUSE_LATE = {"after_disk_prepare", "after_vm_hibernate"}
_ROOT = {"before_network_setup", "after_network_setup", "after_network_setup_fail", "before_vdsm_start"}


def _point(name: str, payload: Payload) -> Point:
    refuses = name in _REFUSE_LATE or (name.startswith("before_") and name not in _NEVER_REFUSE)
    return Point(name, payload, refuses, wants_root=name in _ROOT)


def _names() -> list[tuple[str, Payload]]:
    pairs = [
        (f"{when}_{name}", payload)
        for payload, names in _PAIRS.items()
        for name in names.split()
        for when in ("before", "after")
    ]
    return pairs + [(name, payload) for payload, names in _SINGLE.items() for name in names.split()]


POINTS: dict[str, Point] = {name: _point(name, payload) for name, payload in sorted(_names(), key=lambda row: row[0])}
