"""VM.seal: what makes a machine itself (host keys, addresses, logs) is removed from disks that are to be a template.

virt-sysprep does it, in a process with a deadline; it starts a small machine of its own to open the disks.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ovis.client.types import HostJobType
from ovis.node import processes
from ovis.node.errors import BadParameter
from ovis.node.jobs import Job, Jobs
from ovis.node.processes import Command, Limits
from ovis.node.vm.disks.errors import DiskBusy, DiskError, Unsupported
from ovis.node.vm.disks.volumes import Volume, VolumeIds

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

PROGRAM = "virt-sysprep"
LIMITS = Limits(memory=None, files=4096, grace=10.0)  # a virtual machine of its own runs inside
SECONDS = 2 * 3600.0  # minutes where the machine has KVM, much longer where it emulates


class SealFailed(DiskError):
    wire_name = "GeneralException"


async def start(vms: Vms, jobs: Jobs, vm_id: str, job_id: str, volumes: Sequence[VolumeIds]) -> None:
    """Begin the job. Raises JobExists, DriveNotFound, DiskBusy, BadParameter, Unsupported."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise Unsupported(vm_id, f"sealing needs {PROGRAM} on the host (Debian: guestfs-tools); nothing was changed")
    if not volumes:
        raise BadParameter("images", "is empty")
    found = [await vms.drives.volume(vm_id, ids) for ids in volumes]
    for volume in found:
        await vms.drives.check_chain(volume.path, "images")
        await _require_unused(vms, volume)

    async def work(_job: Job) -> None:
        await seal(program, vm_id, found, emulated=vms.settings.virt_type == "qemu")

    jobs.start(job_id, HostJobType.VIRT, f"seal VM {vm_id}", work)


async def seal(
    program: str, vm_id: str, volumes: Sequence[Volume], *, emulated: bool = False, seconds: float = SECONDS
) -> None:
    """Raises SealFailed; the disks may be half sealed, and sealing them again is safe."""
    words = [program]
    for volume in volumes:
        words += ["--format", volume.header.format, "-a", volume.path]
    command = Command(words, limits=LIMITS, environment=_environment(emulated=emulated))
    try:
        ended = await processes.run(command, seconds=seconds)
    except processes.Stalled as error:
        raise SealFailed(vm_id, f"{PROGRAM} did not end within {seconds:g} s") from error
    if ended.status:
        raise SealFailed(vm_id, f"{PROGRAM}: {ended.complaint}")


def _environment(*, emulated: bool) -> dict[str, str]:
    """As for virt-v2v. `emulated`: KVM does not work here, whatever /dev/kvm says."""
    given = {name: value for name, value in os.environ.items() if name.startswith(("SUPERMIN_", "LIBGUESTFS_"))}
    return {
        "LIBGUESTFS_BACKEND": "direct",
        **({"LIBGUESTFS_BACKEND_SETTINGS": "force_tcg"} if emulated else {}),
        **given,
    }


async def _require_unused(vms: Vms, volume: Volume) -> None:
    for vm in vms:
        if vm.has_qemu and any(volume.path in drive.paths for drive in await vms.drives.drives(vm)):
            raise DiskBusy(vm.id, f"it uses {volume.path}")
