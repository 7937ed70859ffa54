"""Verbs of limits. They translate and decide nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ovis.client.types import BulkIoTunePolicy, VmDefinition, VmDiskDeviceTuneLimits, VmDiskDeviceTuneParams
from ovis.client.verbs import (
    HostGetAllVmIoTunePoliciesArgs,
    VMGetIoTuneArgs,
    VMGetIoTunePolicyArgs,
    VMSetBalloonTargetArgs,
    VMSetCpuTunePeriodArgs,
    VMSetCpuTuneQuotaArgs,
    VMSetIoTuneArgs,
    VMSetNumberOfCpusArgs,
    VMUpdateVmPolicyArgs,
)
from ovis.node.errors import NodeError
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.registry import verb
from ovis.node.vm import statistics
from ovis.node.vm.hotplug import plugging
from ovis.node.vm.running import require_calm
from ovis.node.vm.tuning import balloon, cpus, disks, policy
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.node import Node

log = logging.getLogger(__name__)


def _running(node: Node, vm_id: str) -> Vm:
    vm = node.vms.find(vm_id)
    vm.require_qemu()
    return vm


@verb("VM.setNumberOfCpus")
async def vm_set_number_of_cpus(node: Node, args: VMSetNumberOfCpusArgs) -> VmDefinition:
    vm = node.vms.find(args.vm_id)
    require_calm(vm)
    work = cpus.set_number(node.vms, vm, args.number_of_cpus, args.cpusets)
    await plugging.to_its_end(node.vms, work, f"set the CPUs of VM {vm.id}")
    return statistics.definition(vm)


@verb("VM.setCpuTuneQuota")
async def vm_set_cpu_tune_quota(node: Node, args: VMSetCpuTuneQuotaArgs) -> None:
    await cpus.set_quota(node.vms, _running(node, args.vm_id), args.quota_us)


@verb("VM.setCpuTunePeriod")
async def vm_set_cpu_tune_period(node: Node, args: VMSetCpuTunePeriodArgs) -> None:
    await cpus.set_period(node.vms, _running(node, args.vm_id), args.period_us)


@verb("VM.setBalloonTarget")
async def vm_set_balloon_target(node: Node, args: VMSetBalloonTargetArgs) -> None:
    await balloon.set_target(node.vms, _running(node, args.vm_id), args.target)


@verb("VM.getIoTune")
async def vm_get_io_tune(node: Node, args: VMGetIoTuneArgs) -> list[VmDiskDeviceTuneParams]:
    return await disks.read(node.vms, _running(node, args.vm_id))


@verb("VM.setIoTune")
async def vm_set_io_tune(node: Node, args: VMSetIoTuneArgs) -> None:
    await disks.write(node.vms, _running(node, args.vm_id), args.tunables)


@verb("VM.getIoTunePolicy")
def vm_get_io_tune_policy(node: Node, args: VMGetIoTunePolicyArgs) -> list[VmDiskDeviceTuneLimits]:
    return policy.io_tune(node.vms.find(args.vm_id))


@verb("VM.updateVmPolicy")
async def vm_update_vm_policy(node: Node, args: VMUpdateVmPolicyArgs) -> None:
    await policy.update(node.vms, _running(node, args.vm_id), args.params)


@verb("Host.getAllVmIoTunePolicies")
async def host_get_all_vm_io_tune_policies(
    node: Node, _args: HostGetAllVmIoTunePoliciesArgs
) -> dict[str, BulkIoTunePolicy]:
    """A VM whose limits cannot be read is left out."""
    found: dict[str, BulkIoTunePolicy] = {}
    for vm in [vm for vm in node.vms if vm.has_qemu and vm.responding]:
        try:
            current = await disks.read(node.vms, vm)
            found[vm.id] = BulkIoTunePolicy(current_values=current, policy=policy.io_tune(vm))
        except (NodeError, HypervisorError) as error:
            log.info("the disk limits of VM %s are left out: %s", vm.id, error)
    return found
