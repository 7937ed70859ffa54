"""What becomes of work on disks when the agent starts again, when the VM ends, and when QEMU tells of a job's end.

A running VM: everything is looked at and taken up where it stands. A VM that has ended has taken its jobs with it; its
chains are as they were noted, with one exception. While a disk changes over to the base of its chain (a merge at PIVOT)
there is a moment, some milliseconds, in which base and old top are both complete and only QEMU knows which one the
guest writes to. If QEMU and agent are both gone then, nothing on the disk tells. It is said in the VM's exit message,
and stays in its record: a human has to look.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import BlockJob
from ovis.node.vm.backup import backup
from ovis.node.vm.block_jobs import merge, replica
from ovis.node.vm.disks.truth import settle
from ovis.node.vm.disks.work import NOTHING, DiskWork, Merge, Step
from ovis.node.vm.snapshots import snapshot
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0


def resume(vms: Vms, vm: Vm) -> None:
    """At the start of the agent."""
    if vm.disk_work == NOTHING:
        return
    if vm.is_down:
        ended(vms, vm)
        return
    for job in vm.disk_work.merges:
        merge.start_following(vms, vm, job.id)
    vms.own(_take_up(vms, vm), f"take up the work on the disks of VM {vm.id}")


def ended(vms: Vms, vm: Vm) -> None:
    """The VM has ended, now or before the agent started. Safe to repeat."""
    work = vm.disk_work
    undecided = tuple(job for job in work.merges if job.is_active and job.step is Step.PIVOT)
    if undecided and vm.exit is not None:
        said = " ".join(_undecided(job) for job in undecided)
        if said not in vm.exit.message:
            log.error("VM %s: %s", vm.id, said)
            vm.exit = replace(vm.exit, message=f"{vm.exit.message}. {said}")
    vm.block_progress.clear()
    if work.backup is not None:
        vms.own(backup.remove_files(vms, work.backup), f"clean up the backup of VM {vm.id}")
    left = DiskWork(merges=undecided)
    if left != work:
        vms.own(settle(vms, vm, left), f"settle the disks of VM {vm.id}")


def block_job(vms: Vms, vm: Vm, event: BlockJob) -> None:
    """Merges are looked at by those who follow them; a mirror that ends by itself is settled here."""
    vm.block_job_events += 1
    vm.touch()
    found = vm.disk_work.replica(event.disk)
    if event.status != "ready" and found is not None and found.step is Step.COPY and vm.operation is None:
        vms.own(replica.look_after(vms, vm, found), f"look after the replication of {event.disk} of VM {vm.id}")


async def _take_up(vms: Vms, vm: Vm) -> None:
    while vm.has_qemu:
        try:
            for found in vm.disk_work.replicas:
                await replica.look_after(vms, vm, found)
            await snapshot.clean_up(vms, vm)
            await backup.take_up(vms, vm)
        except HypervisorError as error:
            log.warning("the work on the disks of VM %s cannot be taken up yet: %s", vm.id, error)
            await vm.until(lambda: vm.is_down, seconds=LOOK_EVERY)
        else:
            return


def _undecided(job: Merge) -> str:
    return (
        f"Disk {job.disk} was changing over from {job.top} to {job.base} when it ended: compare both (qemu-img compare)"
        " and start from the newer one, never from the other"
    )
