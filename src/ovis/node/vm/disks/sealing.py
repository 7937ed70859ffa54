"""VM.seal: what makes a machine itself (host keys, addresses, logs) is removed from disks that are to be a template.

virt-sysprep does it, in a process with a deadline; it starts a small machine of its own to open the disks.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ovis.client.types import HostJobType
from ovis.node.errors import BadParameter
from ovis.node.jobs import Job, Jobs
from ovis.node.vm.disks.errors import DiskBusy, DiskError, Unsupported
from ovis.node.vm.disks.volumes import Volume, VolumeIds

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

PROGRAM = "virt-sysprep"
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
        await seal(program, vm_id, found)

    jobs.start(job_id, HostJobType.VIRT, f"seal VM {vm_id}", work)


async def seal(program: str, vm_id: str, volumes: Sequence[Volume], *, seconds: float = SECONDS) -> None:
    """Raises SealFailed; the disks may be half sealed, and sealing them again is safe."""
    command = [program]
    for volume in volumes:
        command += ["--format", volume.header.format, "-a", volume.path]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            _, errors = await process.communicate()
    except TimeoutError as error:
        raise SealFailed(vm_id, f"{PROGRAM} did not end within {seconds:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise SealFailed(vm_id, f"{PROGRAM}: {errors.decode(errors='replace').strip()[-1000:]}")


async def _require_unused(vms: Vms, volume: Volume) -> None:
    for vm in vms:
        if vm.has_qemu and any(volume.path in drive.paths for drive in await vms.drives.drives(vm)):
            raise DiskBusy(vm.id, f"it uses {volume.path}")
