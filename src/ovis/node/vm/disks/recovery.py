"""What becomes of work on disks when the agent starts again, when the VM ends, and when QEMU tells of a job's end.

A running VM: everything is looked at and taken up where it stands. A VM that has ended has taken its jobs with it; its
chains are as they were noted, with one exception. While a disk changes over to the base of its chain (a merge at PIVOT)
or to its mirror, there is a moment, some milliseconds, in which both are complete and only QEMU knows which one the
guest writes to. If QEMU is gone before it could say, nothing on the disk tells. It is said in the VM's exit message,
and stays in its record: a human has to look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from lxml import etree

from ovis.node.hypervisor.interface import BlockJob
from ovis.node.vm import definition, safe_xml
from ovis.node.vm.backup import backup
from ovis.node.vm.block_jobs import merge, replica
from ovis.node.vm.disks import drives
from ovis.node.vm.disks.truth import in_the_end, settle
from ovis.node.vm.disks.work import NOTHING, DiskWork, Step
from ovis.node.vm.errors import BadXml
from ovis.node.vm.snapshots import snapshot
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

KEPT = "the kept domain XML"


async def resume_all(vms: Vms) -> None:
    """At the start of the agent, when its VMs are known."""
    await backup.remove_leftovers(vms)
    for vm in vms:
        resume(vms, vm)


def resume(vms: Vms, vm: Vm) -> None:
    """Also for a VM that becomes known later."""
    if vm.disk_work == NOTHING:
        return
    if vm.is_down:
        ended(vms, vm)
        return
    for job in vm.disk_work.merges:
        merge.start_following(vms, vm, job.id)
    vms.own(in_the_end(vm, lambda: _take_up(vms, vm)), f"take up the work on the disks of VM {vm.id}")


def ended(vms: Vms, vm: Vm) -> None:
    """The VM has ended, now or before the agent started. Safe to repeat."""
    work = vm.disk_work
    undecided = DiskWork(
        merges=tuple(job for job in work.merges if job.is_active and job.step is Step.PIVOT),
        replicas=tuple(found for found in work.replicas if found.step is Step.PIVOT),
    )
    if vm.exit is not None:
        for said in _undecided(undecided):
            if said not in vm.exit.message:
                log.error("VM %s: %s", vm.id, said)
                vm.exit = replace(vm.exit, message=f"{vm.exit.message}. {said}")
    vm.block_progress.clear()
    changed = {job.disk: job.base for job in work.merges if job.is_active and job.step is Step.CHANGED}
    changed |= {found.disk: found.destination for found in work.replicas if found.step is Step.CHANGED}
    if changed:
        _redescribe(vm, lambda root: drives.change_over(root, changed))
    if work.snapshot is not None:
        # Right whether the VM came to use them or not: one that it never wrote to shows what lies below.
        layers = work.snapshot.layers
        _redescribe(vm, lambda root: drives.put_on_top(root, layers))
    if work.backup is not None:
        vms.own(backup.remove_files(vms, work.backup), f"clean up the backup of VM {vm.id}")
    if undecided != work:
        vms.own(settle(vms, vm, lambda _: undecided), f"settle the disks of VM {vm.id}")


def block_job(vms: Vms, vm: Vm, event: BlockJob) -> None:
    """Merges are looked at by those who follow them; a mirror that ends by itself is settled here."""
    vm.block_job_events += 1
    vm.touch()
    found = vm.disk_work.replica(event.disk)
    if event.status != "ready" and found is not None and found.step is Step.COPY and vm.operation is None:
        vms.own(replica.look_after(vms, vm, found), f"look after the replication of {event.disk} of VM {vm.id}")


async def _take_up(vms: Vms, vm: Vm) -> None:
    """Raises HypervisorError."""
    for found in vm.disk_work.replicas:
        await replica.look_after(vms, vm, found)
    await snapshot.clean_up(vms, vm)
    await backup.take_up(vms, vm)


def _redescribe(vm: Vm, change: Callable[[etree._Element], None]) -> None:
    """Whoever starts the VM again takes its disks from here."""
    try:
        root = safe_xml.parse_own(vm.xml, KEPT)
        change(root)
        vm.definition = definition.read(root, KEPT)
        vm.xml = safe_xml.text_of(root)
    except BadXml as error:
        log.error("VM %s: the layers that its disks begin with cannot be kept: %s", vm.id, error)  # noqa: TRY400


def _undecided(work: DiskWork) -> Iterator[str]:
    changes = [(job.disk, job.top, job.base) for job in work.merges]
    for disk, old, new in changes + [(found.disk, found.source, found.destination) for found in work.replicas]:
        yield (
            f"Disk {disk} was changing over from {old} to {new} when the VM ended: compare both (qemu-img compare)"
            " and start from the newer one, never from the other"
        )
