"""What the host's own LVM may look at: everything but LUNs.

Volumes of storage domains, and whatever guests put on them, are none of the host's business: LVM started by hand or at
boot would activate them beside the agent, which reads settings of its own. Disks of the host's own volume groups are
named first: they may be LUNs as well. Source: lvm.conf(5), devices/filter (the first expression that matches counts,
under whichever name of the device).
"""

from __future__ import annotations

import json
import re

from ovis.node.setup.errors import SetupError
from ovis.node.setup.machine import Machine

_DOMAIN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DISK = re.compile(r"[A-Za-z0-9-]{38}")
DEVICES_FILE = "/etc/lvm/devices/system.devices"
_REPORT = ["pvs", "--reportformat", "json", "--options", "pv_uuid,vg_name"]
_HEAD = """\
# LUNs belong to storage domains, which the agent looks after; disks of the host's own groups come first.
# A new disk of the host that is a LUN: `ovis node setup apply` again.
"""


def lvm_settings(machine: Machine) -> str:
    """Empty where the host has a devices file: only what is named in it is looked at. Raises SetupError."""
    if machine.path(DEVICES_FILE).exists():
        return ""
    expressions = [f"a|^/dev/disk/by-id/lvm-pv-uuid-{disk}$|" for disk in host_disks(machine)]
    expressions.append("r|^/dev/disk/by-id/dm-uuid-mpath-|")
    listed = ", ".join(f'"{expression}"' for expression in expressions)
    return f"{_HEAD}devices {{\n    filter = [ {listed} ]\n}}"


def host_disks(machine: Machine) -> list[str]:
    """Identifiers of the disks of groups that are not domains (those are named by UUIDs). Raises SetupError."""
    if not machine.is_live or not machine.has_program("pvs"):
        return []
    try:
        rows = json.loads(machine.run(_REPORT))["report"][0]["pv"]
        found = [str(row["pv_uuid"]) for row in rows if row["vg_name"] and not _DOMAIN.fullmatch(row["vg_name"])]
    except (ValueError, LookupError, TypeError) as error:
        raise SetupError(f"{' '.join(_REPORT)}: its answer is not understood: {error!r}") from error
    return sorted(disk for disk in found if _DISK.fullmatch(disk))
