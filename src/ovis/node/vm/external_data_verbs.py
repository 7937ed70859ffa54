"""Verbs of what belongs to a VM and is not in its disks. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import VmDataMap
from ovis.client.verbs import VMGetExternalDataArgs, VMSetDestroyOnRebootArgs
from ovis.node.errors import BadParameter
from ovis.node.registry import verb
from ovis.node.vm import external_data, reboot_mark
from ovis.node.vm.external_kinds import Kind

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("VM.getExternalData")
async def vm_get_external_data(node: Node, args: VMGetExternalDataArgs) -> VmDataMap:
    try:
        kind = Kind(args.kind)
    except ValueError:
        raise BadParameter("kind", f"{args.kind[:40]!r} is neither tpm nor nvram") from None
    copy = await external_data.get(node.vms, node.vms.find(args.vm_id), kind, force=args.force_update)
    is_known = copy.hash == args.last_hash
    return VmDataMap(hash=copy.hash, x_data=None if is_known or not copy.data else copy.data)


@verb("VM.setDestroyOnReboot")
async def vm_set_destroy_on_reboot(node: Node, args: VMSetDestroyOnRebootArgs) -> None:
    await reboot_mark.set_mark(node.vms, node.vms.find(args.vm_id))
