"""Multipath devices with failed paths, as the kernel sees them: a few reads, no process, no root.

A path counts as failed when its SCSI device does not run; what multipathd alone knows (a path that its checker does not
like) is in Host.getDeviceList. Source: Documentation/ABI/testing/sysfs-block-dm, drivers/scsi/scsi_sysfs.c (states).
"""

from __future__ import annotations

from ovis.client.types import MultipathStatus
from ovis.node.host.kernel_files import KernelFiles

_BLOCK = "sys/class/block"
_KIND = "mpath-"
_WORKING = frozenset({"running", "created"})


def unhealthy(files: KernelFiles) -> dict[str, MultipathStatus]:
    """By WWID; devices in good health are left out."""
    found = {}
    for name in files.names(_BLOCK):
        if not name.startswith("dm-"):
            continue
        kind = files.text(f"{_BLOCK}/{name}/dm/uuid") or ""
        if not kind.startswith(_KIND):
            continue
        paths = files.names(f"{_BLOCK}/{name}/slaves")
        failed = [path for path in paths if not _works(files, path)]
        if failed or not paths:
            found[kind.removeprefix(_KIND)] = MultipathStatus(failed_paths=failed, valid_paths=len(paths) - len(failed))
    return found


def _works(files: KernelFiles, path: str) -> bool:
    """What has no such state (a disk that is not SCSI) works as far as can be told."""
    state = files.text(f"{_BLOCK}/{path}/device/state")
    return state is None or state in _WORKING
