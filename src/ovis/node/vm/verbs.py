"""The verbs of VMs. They translate and decide nothing; plain functions answer from memory."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from ovis.client.types import ScreenshotResponse, VmDefinition, VMFullInfo, VmShortStatus
from ovis.client.verbs import (
    HostDumpxmlsArgs,
    HostGetAllVmStatsArgs,
    HostGetVMFullListArgs,
    HostGetVMListArgs,
    VMContArgs,
    VMCreateArgs,
    VMDestroyArgs,
    VMGetInfoArgs,
    VMGetStatsArgs,
    VMPauseArgs,
    VMResetArgs,
    VMScreenshotArgs,
    VMShutdownArgs,
)
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError, OperationRefused
from ovis.node.registry import verb
from ovis.node.vm import ending, running, shutting_down, statistics
from ovis.node.vm.errors import NoScreen
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.node import Node

log = logging.getLogger(__name__)


@verb("VM.create")
async def vm_create(node: Node, args: VMCreateArgs) -> VmDefinition:
    return await node.vms.create(args.vm_id, args.vm_params)


@verb("VM.destroy")
async def vm_destroy(node: Node, args: VMDestroyArgs) -> None:
    await ending.destroy(node.vms, node.vms.find(args.vm_id), graceful_attempts=min(args.graceful_attempts, 10))


@verb("VM.shutdown")
async def vm_shutdown(node: Node, args: VMShutdownArgs) -> None:
    wish = shutting_down.Wish(
        reboot=args.reboot,
        force=args.force,
        delay=args.delay or 0,
        timeout=node.vms.settings.shutdown_timeout if args.timeout is None else args.timeout,
        message=args.message or "",
    )
    log.info("VM %s is to %s: %s", args.vm_id, wish, args.message or "no reason given")
    await shutting_down.shut_down(node.vms, node.vms.find(args.vm_id), wish)


@verb("VM.pause")
async def vm_pause(node: Node, args: VMPauseArgs) -> None:
    await running.pause(node.vms, node.vms.find(args.vm_id))


@verb("VM.cont")
async def vm_cont(node: Node, args: VMContArgs) -> None:
    await running.resume(node.vms, node.vms.find(args.vm_id))


@verb("VM.reset")
async def vm_reset(node: Node, args: VMResetArgs) -> None:
    await running.reset(node.vms, node.vms.find(args.vm_id))


@verb("VM.getInfo")
def vm_get_info(node: Node, args: VMGetInfoArgs) -> VmDefinition:
    return statistics.definition(node.vms.find(args.vm_id))


@verb("VM.getStats")
def vm_get_stats(node: Node, args: VMGetStatsArgs) -> msgspec.Raw:
    vm = node.vms.find(args.vm_id)
    found = b"[%b]" % node.vms.stats_json(vm)
    hooks = node.vms.hooks.statistics
    return msgspec.Raw(found if hooks is None else hooks.told("get_vm_stats", found, vm_id=vm.id))


@verb("VM.screenshot")
async def vm_screenshot(node: Node, args: VMScreenshotArgs) -> ScreenshotResponse:
    vm = node.vms.find(args.vm_id)
    vm.require_qemu()
    try:
        mime_type, picture = await node.vms.hypervisor.screenshot(vm.id)
    except OperationRefused as error:
        raise NoScreen(vm.id, error.message) from error
    # A picture has megabytes: its encoding would hold up everybody for some milliseconds.
    data = await asyncio.to_thread(base64.b64encode, picture)
    return ScreenshotResponse(data=data.decode("ascii"), encoding="base64", mime_type=mime_type)


@verb("Host.getVMList")
def host_get_vm_list(node: Node, args: HostGetVMListArgs) -> list[str] | list[VmShortStatus]:
    chosen = _chosen(node, args.vm_list)
    if args.only_uuid:
        return [vm.id for vm in chosen]
    return [VmShortStatus(status=vm.status, vm_id=vm.id) for vm in chosen]


@verb("Host.getVMFullList")
async def host_get_vm_full_list(node: Node, args: HostGetVMFullListArgs) -> list[VMFullInfo]:
    now = node.vms.monotonic()
    found = []
    for vm in _chosen(node, args.vm_list):
        found.append(statistics.full_info(vm, now=now))
        await asyncio.sleep(0)  # the devices of a VM that changed take milliseconds to read
    return found


@verb("Host.getAllVmStats")
def host_get_all_vm_stats(node: Node, _args: HostGetAllVmStatsArgs) -> msgspec.Raw:
    vms = node.vms
    found = b"[" + b",".join([vm.stats_json or vms.stats_json(vm) for vm in vms]) + b"]"
    hooks = vms.hooks.statistics
    return msgspec.Raw(found if hooks is None else hooks.told("get_all_vm_stats", found))


@verb("Host.dumpxmls")
async def host_dumpxmls(node: Node, args: HostDumpxmlsArgs) -> dict[str, str]:
    """A VM whose description cannot be read now is left out, as one that ended meanwhile."""
    found: dict[str, str] = {}
    for vm in [vm for vm in _chosen(node, args.vm_list) if vm.has_qemu]:
        try:
            found[vm.id] = await node.vms.hypervisor.xml(vm.id)
        except DomainNotFound:
            continue
        except HypervisorError as error:
            if not node.vms.hypervisor.connected:
                raise
            log.warning("the description of VM %s could not be read: %s", vm.id, error)
    return found


def _chosen(node: Node, wanted: Iterable[str]) -> list[Vm]:
    ids = list(wanted)
    if not ids:
        return list(node.vms)
    return [vm for vm_id in dict.fromkeys(ids) if (vm := node.vms.get(vm_id.lower())) is not None]
