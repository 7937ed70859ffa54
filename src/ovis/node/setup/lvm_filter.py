"""What the host's own LVM may look at: everything but LUNs.

Volumes of storage domains, and whatever guests put on them, are none of the host's business: LVM started by hand or at
boot would activate them beside the agent, which reads settings of its own. Those that hold the host's own volume groups
are named first. Both are told by the same link, which udev makes of what multipath says: where it is missing, LVM sees
the disk. (Links by the identifier of LVM itself are not made of LUNs everywhere.)

Source: lvm.conf(5), devices/filter (the first expression that matches counts, under whichever name of the device);
the identifiers that multipath gives its maps ("mpath-" and that of the disk).
"""

from __future__ import annotations

import json
import re

from ovis.node.setup.errors import SetupError
from ovis.node.setup.machine import Machine

_DOMAIN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LUN = re.compile(r"mpath-[A-Za-z0-9_.:-]+")
DEVICES_FILE = "/etc/lvm/devices/system.devices"
_EVERYTHING = 'devices { filter = [ "a|.*|" ] }'  # also what a former filter hid
_REPORT = ["pvs", "--config", _EVERYTHING, "--reportformat", "json", "--options", "pv_name,vg_name"]
_HEAD = """\
# LUNs belong to storage domains, which the agent looks after; disks of the host's own groups come first.
# A new disk of the host that is a LUN: `ovis node setup apply` again.
"""


def lvm_settings(machine: Machine) -> str:
    """Empty where the host has a devices file: only what is named in it is looked at. Raises SetupError."""
    if machine.path(DEVICES_FILE).exists():
        return ""
    expressions = [f"a|^/dev/disk/by-id/dm-uuid-{lun}$|" for lun in host_luns(machine)]
    expressions.append("r|^/dev/disk/by-id/dm-uuid-mpath-|")
    listed = ", ".join(f'"{expression}"' for expression in expressions)
    return f"{_HEAD}devices {{\n    filter = [ {listed} ]\n}}"


def host_luns(machine: Machine) -> list[str]:
    """Identifiers of LUNs with groups that are not domains (those are named by UUIDs). Raises SetupError."""
    if not machine.is_live or not machine.has_program("pvs"):
        return []
    try:
        rows = json.loads(machine.run(_REPORT))["report"][0]["pv"]
        devices = [str(row["pv_name"]) for row in rows if row["vg_name"] and not _DOMAIN.fullmatch(row["vg_name"])]
    except (ValueError, LookupError, TypeError) as error:
        raise SetupError(f"{' '.join(_REPORT)}: its answer is not understood: {error!r}") from error
    found = {_identifier(device, machine) for device in devices}
    return sorted(identifier for identifier in found if identifier.startswith("mpath-"))


def _identifier(device: str, machine: Machine) -> str:
    """Of a device of the device mapper; empty for others. Raises SetupError for one that a filter cannot name."""
    kernel_name = machine.path(device).resolve().name
    identifier = machine.text(f"/sys/class/block/{kernel_name}/dm/uuid").strip()
    if identifier.startswith("mpath-") and not _LUN.fullmatch(identifier):
        raise SetupError(f"{device} has the identifier {identifier!r}, which LVM's filter cannot name")
    return identifier
