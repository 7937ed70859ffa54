"""The verbs of imports. They translate and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.client.types import ExternalVmInfo
from ovis.client.verbs import (
    HostAbortV2VJobArgs,
    HostConvertExternalVmArgs,
    HostConvertExternalVmFromOvaArgs,
    HostDeleteV2VJobArgs,
    HostGetConvertedVmArgs,
    HostGetExternalVmFromOvaArgs,
    HostGetExternalVMNamesArgs,
    HostGetExternalVMsArgs,
)
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("Host.getExternalVMNames")
async def host_get_external_vm_names(node: Node, args: HostGetExternalVMNamesArgs) -> list[str]:
    return await node.imports.names(args.uri, args.username, args.password)


@verb("Host.getExternalVMs")
async def host_get_external_vms(node: Node, args: HostGetExternalVMsArgs) -> list[ExternalVmInfo]:
    return await node.imports.describe(args.uri, args.username, args.password, args.vm_names or [])


@verb("Host.getExternalVmFromOva")
async def host_get_external_vm_from_ova(node: Node, args: HostGetExternalVmFromOvaArgs) -> ExternalVmInfo:
    return await node.imports.describe_ova(args.ova_path)


@verb("Host.convertExternalVm")
async def host_convert_external_vm(node: Node, args: HostConvertExternalVmArgs) -> None:
    await node.imports.convert_external(args.uri, args.username, args.password, args.vminfo, args.jobid)


@verb("Host.convertExternalVmFromOva")
async def host_convert_external_vm_from_ova(node: Node, args: HostConvertExternalVmFromOvaArgs) -> None:
    await node.imports.convert_ova(args.ova_path, args.vminfo, args.jobid)


@verb("Host.getConvertedVm")
def host_get_converted_vm(node: Node, args: HostGetConvertedVmArgs) -> str:
    return node.imports.converted(args.jobid)


@verb("Host.abortV2VJob")
def host_abort_v2v_job(node: Node, args: HostAbortV2VJobArgs) -> None:
    node.imports.abort(args.jobid)


@verb("Host.deleteV2VJob")
async def host_delete_v2v_job(node: Node, args: HostDeleteV2VJobArgs) -> None:
    await node.imports.delete(args.jobid)
