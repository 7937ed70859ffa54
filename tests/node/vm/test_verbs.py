"""The verbs as a caller sees them: through the bridge, on the wire's JSON."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from vm_host import ID, VmHost, new_id, vm_host, xml

from ovis.client import codec, node_schema
from ovis.node.bridge import Bridge, CallLimits
from ovis.node.hypervisor.errors import StartFailed
from ovis.node.hypervisor.simulated import Guest
from ovis.node.registry import HANDLERS
from ovis.node.vm import verbs as vm_verbs
from ovis.wire.errors import RpcError
from ovis.wire.service import Access, Caller

ADMINISTRATOR = Caller("uid:0", "unix", "", frozenset(Access))


@dataclass
class SmallNode:
    """As much of a node as the bridge and these verbs look at."""

    vms: Any
    events: Any
    is_ready: bool = True


class Client:
    """Checks every answer against the schema."""

    def __init__(self, host: VmHost) -> None:
        node: Any = SmallNode(host.vms, host.bus)
        own = {method: handler for method, handler in HANDLERS.items() if handler.__module__ == vm_verbs.__name__}
        self.host = host
        self.bridge = Bridge(node, node_schema.load(), own, CallLimits())

    async def raw(self, method: str, **params: object) -> bytes:
        data = msgspec.Raw(msgspec.json.encode(params))
        answer = self.bridge.call_now(method, data, ADMINISTRATOR, flow="")
        if answer is None:
            answer = bytes(await self.bridge.call(method, data, ADMINISTRATOR, flow=""))
        return bytes(answer)

    async def call(self, method: str, **params: object) -> Any:
        raw = await self.raw(method, **params)
        codec.decode_result(method, raw)
        return msgspec.json.decode(raw)

    async def create(self, vm_id: str = ID, **changes: Any) -> Any:
        answer = await self.call("VM.create", vmID=vm_id, vmParams={"vmId": vm_id, "xml": xml(vm_id, **changes)})
        await self.host.until(lambda: self.host.vms.find(vm_id).status != "WaitForLaunch")
        return answer

    async def guest_asked(self) -> None:
        vm = self.host.vms.find(ID)

        def is_known() -> bool:
            self.host.vms.polling.start_due()
            return vm.status == "Up" and vm.guest is not None

        self.host.vms.polling.connected(ID)
        await self.host.until(is_known)


@asynccontextmanager
async def client(folder: Path, **options: Any) -> AsyncIterator[Client]:
    async with vm_host(folder, **options) as host:
        yield Client(host)


def test_a_vm_from_create_to_destroy(tmp_path: Path) -> None:
    async def main() -> None:
        async with client(tmp_path) as ovis:
            answer = await ovis.create()
            assert (answer["status"], answer["vmName"], answer["memSize"]) == ("WaitForLaunch", "one", 128)
            assert await ovis.call("Host.getVMList") == [ID]
            assert await ovis.call("VM.pause", vmID=ID) == {"vmList": {}}
            short = await ovis.call("Host.getVMList", onlyUUID=False)
            assert short == [{"status": "Paused", "vmId": ID}]
            assert (await ovis.call("VM.getInfo", vmID=ID))["pauseCode"] == "NOERR"
            assert await ovis.call("VM.cont", vmID=ID) == {"vmList": {}}
            assert await ovis.call("VM.reset", vmID=ID) is True
            assert "<domain" in (await ovis.call("Host.dumpxmls"))[ID]
            assert await ovis.call("VM.destroy", vmID=ID) is True
            assert await ovis.call("Host.getVMList") == []

    asyncio.run(main())


def test_statistics_on_the_wire(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "disk").touch()
        disk = f"<disk type='file'><source file='{tmp_path}/disk'/><target dev='vda'/></disk><graphics type='vnc'/>"
        async with client(tmp_path, guest=Guest()) as ovis:
            await ovis.create(devices=disk)
            await ovis.guest_asked()
            for _ in range(2):
                await ovis.host.vms.sample()
            (stats,) = await ovis.call("VM.getStats", vmID=ID)
            assert (stats["status"], stats["monitorResponse"], stats["guestIPs"]) == ("Up", "0", "192.0.2.10")
            assert stats["cpuActual"] is True
            assert isinstance(stats["cpuUser"], str)
            assert stats["disks"]["vda"]["truesize"].isdigit()
            assert stats["displayInfo"][0]["port"].isdigit()
            (card,) = stats["network"].values()
            assert card["macAddr"] == "52:54:00:00:00:01"
            assert await ovis.call("Host.getAllVmStats") == [stats]

    asyncio.run(main())


def test_statistics_of_a_vm_that_is_down(tmp_path: Path) -> None:
    async def main() -> None:
        async with client(tmp_path) as ovis:
            ovis.host.hypervisor.faults.fail("create", error=StartFailed("no room"))
            await ovis.create()
            (stats,) = await ovis.call("VM.getStats", vmID=ID)
            assert (stats["status"], stats["exitCode"], stats["exitReason"]) == ("Down", 1, 3)
            assert "no room" in stats["exitMessage"]

    asyncio.run(main())


def test_full_list_carries_the_guests_system(tmp_path: Path) -> None:
    async def main() -> None:
        async with client(tmp_path, guest=Guest()) as ovis:
            await ovis.create()
            await ovis.guest_asked()
            (full,) = await ovis.call("Host.getVMFullList", vmList=[ID.upper()])
            assert full["guestOsInfo"]["distribution"] == "Debian GNU/Linux"
            assert full["guestTimezone"] == {"offset": 0, "zone": "UTC"}
            assert await ovis.call("Host.getVMFullList", vmList=[new_id()]) == []

    asyncio.run(main())


def test_a_console_password_does_not_leave_the_agent(tmp_path: Path) -> None:
    async def main() -> None:
        async with client(tmp_path) as ovis:
            answer = await ovis.create(devices="<graphics type='vnc' passwd='hunter2'/>")
            assert "hunter2" not in answer["xml"]
            for method in ("VM.getInfo", "VM.getStats"):
                assert b"hunter2" not in await ovis.raw(method, vmID=ID)
            for method in ("Host.getVMFullList", "Host.dumpxmls"):
                assert b"hunter2" not in await ovis.raw(method)

    asyncio.run(main())


def test_a_picture_of_the_screen(tmp_path: Path) -> None:
    async def main() -> None:
        async with client(tmp_path) as ovis:
            await ovis.create(devices="<video><model type='vga'/></video>")
            answer = await ovis.call("VM.screenshot", vmID=ID)
            assert (answer["mime_type"], answer["encoding"]) == ("image/png", "base64")
            assert base64.b64decode(answer["data"]).startswith(b"\x89PNG")
            blind = new_id()
            await ovis.create(blind, name="blind")
            with pytest.raises(RpcError) as refused:
                await ovis.call("VM.screenshot", vmID=blind)
            assert refused.value.code == 75

    asyncio.run(main())


def test_errors_have_the_codes_of_the_facts(tmp_path: Path) -> None:
    async def main() -> None:
        async with client(tmp_path) as ovis:
            await ovis.create()
            bad: dict[str, object] = {"vmID": new_id(), "vmParams": {"memSize": 0}}
            big: dict[str, object] = {"vmID": new_id(), "vmParams": {"memSize": 1 << 30}}
            cases: list[tuple[str, dict[str, object], int]] = [
                ("VM.getStats", {"vmID": new_id()}, 1),
                ("VM.create", {"vmID": ID, "vmParams": {"memSize": 64}}, 4),
                ("VM.create", {"vmID": new_id(), "vmParams": {}}, 11),
                ("VM.create", bad, 91),
                ("VM.create", big, 14),
                ("VM.create", {"vmID": "no uuid", "vmParams": {"memSize": 64}}, -32602),
                ("VM.create", {"vmID": new_id(), "vmParams": {"memSize": "lots"}}, -32602),
            ]
            for method, params, code in cases:
                with pytest.raises(RpcError) as refused:
                    await ovis.call(method, **params)
                assert refused.value.code == code, (method, params, refused.value)
            ovis.host.hypervisor.stop(ID)
            await ovis.host.until(lambda: ovis.host.vms.find(ID).is_down)
            with pytest.raises(RpcError) as refused:
                await ovis.call("VM.pause", vmID=ID)
            assert refused.value.code == 6

    asyncio.run(main())


def test_a_vm_from_plain_parameters_ends_as_one_from_xml(tmp_path: Path) -> None:
    async def main() -> None:
        async with client(tmp_path) as ovis:
            given = {"vmName": "plain", "memSize": 256, "smp": "2", "display": "vnc"}
            answer = await ovis.call("VM.create", vmID=ID, vmParams=given)
            assert (answer["vmName"], answer["memSize"], answer["smp"]) == ("plain", 256, 2)
            await ovis.host.until(lambda: ovis.host.vms.find(ID).has_qemu)
            assert ovis.host.vms.find(ID).definition.metadata["startTime"]

    asyncio.run(main())


def test_statistics_are_encoded_once_per_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []
    real = codec.encode_value

    def count(value: Any) -> bytes:
        encoded.append(value)
        return real(value)

    async def main() -> None:
        async with client(tmp_path) as ovis:
            await ovis.create()
            monkeypatch.setattr(codec, "encode_value", count)
            for _ in range(10):
                await ovis.raw("Host.getAllVmStats")
                await ovis.raw("VM.getStats", vmID=ID)
            assert len(encoded) == 1
            await ovis.host.vms.sample()
            await ovis.raw("Host.getAllVmStats")
            assert len(encoded) == 2

    asyncio.run(main())


def test_create_answers_quickly(tmp_path: Path) -> None:
    """Until libvirt is called: 50 ms at the 95th percentile are promised; the limit here bears a busy machine."""

    async def main() -> list[float]:
        seconds = []
        async with client(tmp_path) as ovis:
            for number in range(20):
                begun = time.perf_counter()
                await ovis.create(new_id(), name=f"vm{number}")
                seconds.append(time.perf_counter() - begun)
        return sorted(seconds)

    assert asyncio.run(main())[18] < 1.0
