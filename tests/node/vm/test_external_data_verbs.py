"""The verbs on the wire's JSON, against a simulated VM with real files."""

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest
from vm_host import ID, vm_host

from ovis.client import codec, node_schema
from ovis.node.bridge import Bridge, CallLimits
from ovis.node.vm import external_data_verbs
from ovis.node.vm.settings import VmSettings
from ovis.wire.errors import RpcError
from ovis.wire.service import Access, Caller

ADMINISTRATOR = Caller("uid:0", "unix", "", frozenset(Access))
TPM = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"


@dataclasses.dataclass
class SmallNode:
    vms: Any
    is_ready: bool = True


def test_known_data_is_not_sent_again(tmp_path: Path) -> None:
    async def body() -> None:
        settings = dataclasses.replace(VmSettings(), swtpm_folder=tmp_path / "swtpm")
        async with asyncio.timeout(20), vm_host(tmp_path, settings=settings) as host:
            await host.started(devices=TPM)
            node: Any = SmallNode(host.vms)
            own = {
                "VM.getExternalData": external_data_verbs.vm_get_external_data,
                "VM.setDestroyOnReboot": external_data_verbs.vm_set_destroy_on_reboot,
            }
            bridge = Bridge(node, node_schema.load(), own, CallLimits())

            async def call(method: str, **params: object) -> Any:
                data = msgspec.Raw(msgspec.json.encode({"vmID": ID, **params}))
                raw = bytes(await bridge.call(method, data, ADMINISTRATOR, flow=""))
                codec.decode_result(method, raw)
                return msgspec.json.decode(raw)

            with pytest.raises(RpcError) as absent:
                await call("VM.getExternalData", kind="tpm")
            assert absent.value.code == 89
            state = tmp_path / "swtpm" / ID / "tpm2/tpm2-00.permall"
            state.parent.mkdir(parents=True)
            state.write_bytes(b"state")
            first = await call("VM.getExternalData", kind="tpm")
            assert first["_X_data"].startswith("=0=")
            again = await call("VM.getExternalData", kind="tpm", lastHash=first["hash"])
            assert again == {"hash": first["hash"]}
            assert await call("VM.getExternalData", kind="nvram") == {"hash": ""}
            with pytest.raises(RpcError) as wrong:
                await call("VM.getExternalData", kind="floppy")
            assert wrong.value.code == 91
            await call("VM.setDestroyOnReboot")
            assert host.vms.find(ID).definition.destroys_on_reboot

    asyncio.run(body())
