"""A VM with room for devices on a simulated hypervisor, asked through the bridge as clients do."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from vm_host import ID, VmHost, vm_host

from ovis.client import codec, node_schema
from ovis.client.types import VmParameters, VmStatus
from ovis.node import handlers as _handlers  # noqa: F401  # fills the registry
from ovis.node.bridge import Bridge, CallLimits
from ovis.node.registry import HANDLERS
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.vm import Vm
from ovis.wire.errors import RpcError
from ovis.wire.service import Access, Caller

ADMINISTRATOR = Caller("uid:0", "unix", "", frozenset(Access))
MIB = 1 << 20
XML = """<domain type='kvm'>
  <name>{name}</name>
  <uuid>{id}</uuid>
  <metadata>
    <ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'>
      <ovirt-vm:minGuaranteedMemoryMb type='int'>128</ovirt-vm:minGuaranteedMemoryMb>{metadata}
    </ovirt-vm:vm>
  </metadata>
  <maxMemory unit='MiB' slots='4'>1024</maxMemory>
  <memory unit='MiB'>256</memory>
  <vcpu current='1'>4</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:01'/><source bridge='ovirtmgmt'/><model type='virtio'/>
    </interface>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sdc' bus='sata'/><readonly/></disk>
    <graphics type='vnc'/>
    {devices}
  </devices>
</domain>
"""


class DeviceHost:
    def __init__(self, host: VmHost, folder: Path) -> None:
        node: Any = contextlib.nullcontext()
        node.vms, node.events, node.is_ready = host.vms, host.bus, True
        self.host = host
        self.folder = folder
        self.hypervisor = host.hypervisor
        self._bridge = Bridge(node, node_schema.load(), dict(HANDLERS), CallLimits())

    @property
    def vm(self) -> Vm:
        return self.host.vms.find(ID)

    async def create(self, *, vm_id: str = ID, name: str = "one", devices: str = "", metadata: str = "") -> None:
        xml = XML.format(id=vm_id, name=name, devices=devices, metadata=metadata)
        await self.host.vms.create(vm_id, VmParameters(xml=xml))
        vm = self.host.vms.find(vm_id)
        await self.host.until(lambda: vm.status is not VmStatus.WAIT_FOR_LAUNCH)
        await self.host.written()

    async def call(self, method: str, **params: object) -> Any:
        """The answer as it travels; it must fit the schema."""
        data = msgspec.Raw(msgspec.json.encode({"vmID": ID, **params} if method.startswith("VM.") else params))
        answer = self._bridge.call_now(method, data, ADMINISTRATOR, flow="")
        if answer is None:
            answer = await self._bridge.call(method, data, ADMINISTRATOR, flow="")
        codec.decode_result(method, bytes(answer))
        return msgspec.json.decode(bytes(answer))

    async def fails(self, code: int, method: str, problem: str = "", **params: object) -> str:
        """The error's text."""
        with pytest.raises(RpcError, match=problem or None) as caught:
            await self.call(method, **params)
        assert caught.value.code == code, str(caught.value)
        return str(caught.value)

    def file(self, name: str, size: int = 65536) -> str:
        path = self.folder / name
        path.write_bytes(bytes(size))
        return str(path)

    def elements(self, path: str) -> list[Any]:
        """Of the domain that runs."""
        return list(self.hypervisor.domain(ID).root.iterfind(path))

    def metadata(self) -> str:
        return self.hypervisor.domain(ID).metadata.get("http://ovirt.org/vm/1.0", "")


@asynccontextmanager
async def device_host(folder: Path, *, create: bool = True, **changes: Any) -> AsyncIterator[DeviceHost]:
    settings = VmSettings(
        allowed_paths=(folder,), payload_folder=folder / "payloads", unplug_timeout=changes.pop("unplug_timeout", 5.0)
    )
    given = {name: changes.pop(name, None) for name in ("volumes", "hooks")}
    async with vm_host(folder, settings=settings, **given) as host:
        found = DeviceHost(host, folder)
        if create:
            await found.create(**changes)
        yield found
