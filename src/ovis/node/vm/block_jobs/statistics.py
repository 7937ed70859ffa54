"""The running merges as clients see them in the statistics of a VM (vmJobs)."""

from __future__ import annotations

from ovis.client.types import BlockJobInfo, BlockJobType, JobType, VmJobInfo
from ovis.node.vm.vm import Vm

NOBODY = "00000000-0000-0000-0000-000000000000"


def vm_jobs(vm: Vm) -> dict[str, VmJobInfo]:
    """Empty when none runs; a job is in it from before QEMU is asked until its disk is settled."""
    found: dict[str, VmJobInfo] = {}
    for merge in vm.disk_work.merges:
        state = vm.block_progress.get(merge.id)
        found[merge.id] = BlockJobInfo(
            bandwidth_mib_per_second=merge.bandwidth >> 20,
            block_job_type=BlockJobType.COMMIT,
            cur=state.cur if state else 0,
            drive=merge.disk,
            end=state.end if state else 0,
            id=merge.id,
            img_uuid=merge.image_id or NOBODY,
            job_type=JobType.BLOCK,
        )
    return found
