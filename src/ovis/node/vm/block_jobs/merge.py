"""VM.merge: the data of newer layers is written down into an older one while the guest runs.

The answer comes when QEMU works on it. The job is in the VM's record before QEMU is asked, and it is followed until it
has ended: an agent that starts again follows on (see `merge_steps`). While it runs, and after whatever ends it early,
the guest sees all its data through the chain as it was.
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from ovis.node.hypervisor.block_jobs import BlockJobState
from ovis.node.hypervisor.errors import DeadlineExceeded, DomainNotFound, HypervisorError
from ovis.node.vm.block_jobs import room
from ovis.node.vm.block_jobs.merge_steps import Next, Seen, next_of
from ovis.node.vm.disks import image_header
from ovis.node.vm.disks.drives import Drive, Mirror
from ovis.node.vm.disks.errors import DiskBusy, JobExists, MergeFailed
from ovis.node.vm.disks.exclusive import require_exclusive
from ovis.node.vm.disks.truth import conclude, note, remember, settle
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.disks.work import Merge, Step
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0  # an event comes earlier; this is for the progress that statistics show
PIVOT_ATTEMPTS = 10  # QEMU refuses a pivot for a moment only, while the guest writes quickly
LATE_START = 60.0  # how long a call that passed its deadline may still start the job


@dataclass(frozen=True)
class Wish:
    """`base` and `top` are volume ids; `bandwidth` in bytes/s, 0: no limit."""

    disk: VolumeIds
    base: str
    top: str
    bandwidth: int = 0
    job_id: str | None = None


async def merge(vms: Vms, vm: Vm, wish: Wish) -> str:
    """Begin a merge; the answer is the id of its job. After an error nothing has begun.

    Raises VmNotRunning, VmBusy, DriveNotFound, DiskBusy, JobExists, MergeFailed, HypervisorError.
    """
    vm.require_qemu()
    async with vm.claim("merge"):
        drive = await vms.drives.find(vm, wish.disk)
        job = _job(vm, drive, wish)
        require_exclusive(vms, vm, job.base)
        base, top = drive.paths.index(job.base), drive.paths.index(job.top)
        await room.make_room(vms, vm, drive, base=base, top=top)
        relative = not job.is_active and await _names_relative(vms, drive, top)
        await _noted(vms, vm, job)
        late_until = 0.0
        try:
            await vms.hypervisor.block_jobs.commit(
                vm.id,
                job.disk,
                base=drive.layers[base].index or 0,
                top=drive.layers[top].index or 0,
                is_active=job.is_active,
                bandwidth=job.bandwidth,
                relative=relative,
            )
        except DeadlineExceeded as error:
            if not error.started:
                await conclude(vms, vm, lambda work: work.without_merge(job.id))
                raise
            late_until = time.monotonic() + LATE_START
        except HypervisorError as error:
            if not await _runs(vms, vm, job):
                await conclude(vms, vm, lambda work: work.without_merge(job.id))
                raise MergeFailed(vm.id, f"{job.disk}: {error}; the chain is as it was") from error
        else:
            begun = msgspec.structs.replace(job, step=Step.COPY)
            await settle(vms, vm, lambda work: work.with_merge(begun))
    start_following(vms, vm, job.id, late_until=late_until)
    return job.id


def start_following(vms: Vms, vm: Vm, job_id: str, *, late_until: float = 0.0) -> None:
    vms.own(_follow(vms, vm, job_id, late_until), f"merge {job_id} of VM {vm.id}")


def _job(vm: Vm, drive: Drive, wish: Wish) -> Merge:
    if wish.job_id is not None and vm.disk_work.merge(wish.job_id) is not None:
        raise JobExists(vm.id, f"merge {wish.job_id} exists already")
    if (holder := vm.disk_work.holder_of(drive.target)) is not None:
        raise DiskBusy(vm.id, f"{holder} is at work on {drive.target}")
    base, top = drive.place_of(wish.base), drive.place_of(wish.top)
    if base is None or top is None:
        missing = wish.base if base is None else wish.top
        raise MergeFailed(vm.id, f"volume {missing} is not in the chain of {drive.target}: {list(drive.paths)}")
    if base <= top:
        raise MergeFailed(vm.id, f"volume {wish.base} is not below {wish.top} in the chain of {drive.target}")
    return Merge(
        id=wish.job_id or str(uuid.uuid4()),
        disk=drive.target,
        image_id=drive.image_id or "",
        base=drive.layers[base].path,
        top=drive.layers[top].path,
        is_active=top == 0,
        bandwidth=wish.bandwidth,
    )


async def _noted(vms: Vms, vm: Vm, job: Merge) -> None:
    try:
        await note(vms, vm, lambda work: work.with_merge(job))
    except OSError as error:
        raise MergeFailed(vm.id, f"its record could not be written: {error}; nothing has begun") from error


async def _names_relative(vms: Vms, drive: Drive, top: int) -> bool:
    """Whether the layer above `top` names its backing file by a relative path: then it is to stay so."""
    above = drive.layers[top - 1]
    if above.format != "qcow2":
        return False

    def look() -> bool:
        try:
            return not (image_header.read(above.path).backing or "/").startswith("/")
        except (OSError, image_header.BadImage):
            return False  # QEMU has it open; what it writes then is an absolute path

    return await vms.drives.run(look, "look at a backing file")


async def _runs(vms: Vms, vm: Vm, job: Merge) -> bool:
    """After an error whose meaning is not known (libvirt went away): not knowing counts as running."""
    try:
        return next_of(job, await _look(vms, vm, job)) is not Next.FAILED
    except DomainNotFound:
        return False
    except HypervisorError:
        return True


async def _look(vms: Vms, vm: Vm, job: Merge) -> Seen:
    """Raises HypervisorError; DomainNotFound also when the disk has gone."""
    state = await vms.hypervisor.block_jobs.job(vm.id, job.disk)
    if state is not None:
        vm.block_progress[job.id] = state
        vm.touch()
    drive = next((d for d in await vms.drives.drives(vm) if d.target == job.disk), None)
    if drive is None:
        raise DomainNotFound(vm.id)
    return Seen(None if state is None else state.kind, _is_ready(state, drive.mirror), drive.paths)


def _is_ready(state: BlockJobState | None, mirror: Mirror | None) -> bool:
    """A libvirtd that is killed before QEMU has answered the commit knows the job afterwards, and no mirror (9.0). A
    job that is not ready never has all of its work done (libvirt's qemuBlockJobInfoTranslate)."""
    if mirror is not None:
        return mirror.job == "active-commit" and mirror.is_ready
    return state is not None and 0 < state.end <= state.cur


async def _follow(vms: Vms, vm: Vm, job_id: str, late_until: float) -> None:
    pivots = 0
    told = False
    while (job := vm.disk_work.merge(job_id)) is not None and vm.has_qemu:
        events = vm.block_job_events
        try:
            match next_of(job, await _look(vms, vm, job), may_still_start=time.monotonic() < late_until):
                case Next.PIVOT:
                    pivots += 1
                    await _pivot(vms, vm, job, attempt=pivots)
                    continue
                case Next.DONE:
                    log.info("VM %s: merge %s of %s is done", vm.id, job.id, job.disk)
                    await room.tell_storage(vms, vm, job)
                    await _end(vms, vm, job)
                    return
                case Next.FAILED:
                    log.warning("VM %s: merge %s of %s has failed, the chain is as it was", vm.id, job.id, job.disk)
                    await _end(vms, vm, job)
                    return
                case Next.WAIT:
                    pass
            told = False
        except DomainNotFound:
            break
        except (HypervisorError, OSError) as error:
            if not told:
                log.warning("VM %s: merge %s cannot be followed for now: %s", vm.id, job.id, error)
            told = True
        await vm.until(lambda events=events: vm.is_down or vm.block_job_events != events, seconds=LOOK_EVERY)  # type: ignore[misc]
    vm.block_progress.pop(job_id, None)


async def _pivot(vms: Vms, vm: Vm, job: Merge, *, attempt: int) -> None:
    """Noted first: after it the old top must never be started from again."""
    if job.step is not Step.PIVOT:
        pivoting = msgspec.structs.replace(job, step=Step.PIVOT)
        await note(vms, vm, lambda work: work.with_merge(pivoting))
    try:
        await vms.hypervisor.block_jobs.pivot(vm.id, job.disk)
        changed = msgspec.structs.replace(job, step=Step.CHANGED)
        await remember(vms, vm, lambda work: work.with_merge(changed))
    except DomainNotFound:
        raise
    except HypervisorError as error:
        log.warning("VM %s: %s does not change over to %s: %s", vm.id, job.disk, job.base, error)
        if attempt >= PIVOT_ATTEMPTS:
            await vms.hypervisor.block_jobs.cancel(vm.id, job.disk)
        await vm.until(lambda: vm.is_down, seconds=LOOK_EVERY)


async def _end(vms: Vms, vm: Vm, job: Merge) -> None:
    vm.block_progress.pop(job.id, None)
    await conclude(vms, vm, lambda work: work.without_merge(job.id))
    await room.let_go_of_others(vms, vm, job.disk)
