"""The verbs as callers see them: through the bridge, with the rights of an administrator or of another node."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from two_hosts import two_hosts
from vm_host import ID, VmHost, vm_host, xml

from ovis.client import codec, node_schema
from ovis.node import handlers as _handlers  # noqa: F401  # fills the registry
from ovis.node.bridge import Bridge, CallLimits
from ovis.node.hypervisor.simulated.migration import Phase
from ovis.node.registry import HANDLERS
from ovis.node.wire_errors import ACCESS_DENIED
from ovis.wire.errors import RpcError
from ovis.wire.service import Access, Caller

ADMINISTRATOR = Caller("uid:0", "unix", "", frozenset(Access))
PEER = Caller("other", "tls", "", frozenset({Access.OBSERVE, Access.PEER}))
SCHEMA = node_schema.load()


class SmallNode:
    is_ready = True

    def __init__(self, host: VmHost) -> None:
        self.vms = host.vms
        self.events = host.bus


async def call(host: VmHost, caller: Caller, method: str, **params: object) -> Any:
    node: Any = SmallNode(host)
    bridge = Bridge(node, SCHEMA, {name: HANDLERS[name] for name in HANDLERS if name.startswith("VM.")}, CallLimits())
    data = msgspec.Raw(msgspec.json.encode(params))
    raw = bridge.call_now(method, data, caller, flow="") or bytes(await bridge.call(method, data, caller, flow=""))
    codec.decode_result(method, bytes(raw))
    return msgspec.json.decode(raw)


def announced() -> dict[str, object]:
    return {"vmID": ID, "params": {"vmId": ID, "status": "Up", "xml": xml(), "elapsedTimeOffset": 100.0}}


async def refused(host: VmHost, caller: Caller, method: str, **params: object) -> int:
    with pytest.raises(RpcError) as error:
        await call(host, caller, method, **params)
    return error.value.code


def test_a_peer_announces_a_vm_looks_at_it_and_takes_it_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            answer = await call(host, PEER, "VM.migrationCreate", **announced())
            assert (answer["migrationPort"], answer["params"]["status"]) == (0, "Migration Destination")
            (stats,) = await call(host, PEER, "VM.getStats", vmID=ID)
            assert (stats["status"], int(stats["elapsedTime"]) >= 100) == ("Migration Destination", True)
            assert await refused(host, PEER, "VM.migrationCreate", **announced()) == 4
            await call(host, PEER, "VM.destroy", vmID=ID)
            assert len(host.vms) == 0

    asyncio.run(main())


def test_a_peer_cannot_end_what_runs(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            await host.started()
            assert await refused(host, PEER, "VM.destroy", vmID=ID) == ACCESS_DENIED
            assert await refused(host, PEER, "VM.pause", vmID=ID) == ACCESS_DENIED
            assert await refused(host, PEER, "VM.migrate", vmID=ID, params={"dst": "b"}) == ACCESS_DENIED
            host.hypervisor.stop(ID, "crashed")
            await host.until(lambda: host.vms.find(ID).is_down)
            assert await refused(host, PEER, "VM.destroy", vmID=ID) == ACCESS_DENIED

    asyncio.run(main())


def test_an_observer_cannot_take_back_what_a_peer_announced(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            await call(host, PEER, "VM.migrationCreate", **announced())
            observer = Caller("eye", "tls", "", frozenset({Access.OBSERVE}))
            assert await refused(host, observer, "VM.destroy", vmID=ID) == ACCESS_DENIED

    asyncio.run(main())


def test_the_limit_of_those_that_arrive(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            await call(host, PEER, "VM.migrationCreate", **announced(), incomingLimit=1)
            other = "22222222-2222-4333-8444-555555555555"
            params = {"vmId": other, "status": "Up", "xml": xml(other, name="two")}
            assert await refused(host, PEER, "VM.migrationCreate", vmID=other, params=params) == 82
            assert [vm.id for vm in host.vms] == [ID]
            await call(host, PEER, "VM.migrationCreate", vmID=other, params=params, incomingLimit=2)

    asyncio.run(main())


@pytest.mark.parametrize("params", [{"vmId": ID, "status": "Up"}, {"vmId": ID, "status": "Up", "xml": "<domain/>"}])
def test_an_announcement_that_cannot_be_used_leaves_nothing(tmp_path: Path, params: dict[str, object]) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            assert await refused(host, PEER, "VM.migrationCreate", vmID=ID, params=params) in (11, 91)
            assert len(host.vms) == 0

    asyncio.run(main())
    assert not list(tmp_path.glob("vms/*"))


def test_the_way_of_a_migration_on_the_wire(tmp_path: Path) -> None:
    async def main() -> None:
        async with two_hosts(tmp_path) as hosts:
            host = hosts.a
            for method in ("VM.getMigrationStatus", "VM.migrateCancel"):
                assert await refused(host, ADMINISTRATOR, method, vmID=ID) == 81
            events = host.bus.subscribe("|virt|VM_migration_status|*")
            reached = hosts.hypervisors["a"].migration.stop_at(Phase.PERFORM)
            await call(host, ADMINISTRATOR, "VM.migrate", vmID=ID, params={"dst": "b", "mode": "remote"})
            await reached.wait()
            assert await refused(host, ADMINISTRATOR, "VM.migrate", vmID=ID, params={"dst": "b"}) == 51
            await call(host, ADMINISTRATOR, "VM.migrateChangeParams", vmID=ID, params={"maxBandwidth": 3})
            assert (await call(host, ADMINISTRATOR, "VM.getMigrationStatus", vmID=ID))["status"] == "in_progress"
            (stats,) = await call(host, ADMINISTRATOR, "VM.getStats", vmID=ID)
            assert "migrationProgress" in stats
            hosts.hypervisors["a"].migration.go(Phase.PERFORM)
            await hosts.arrived()
            done = await call(host, ADMINISTRATOR, "VM.getMigrationStatus", vmID=ID)
            assert (done["status"], done["downtime"]) == ("done", 40)
            told = []
            while (item := events.take()) is not None:
                told.append(msgspec.json.decode(item.params)[ID]["progress"])
            assert told == sorted(told)
            assert told[-1] == 100

    asyncio.run(main())


def test_saving_on_the_wire(tmp_path: Path) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            await host.started()
            bad = await refused(host, ADMINISTRATOR, "VM.hibernate", vmID=ID, hibernationVolHandle="nonsense")
            assert bad == 91
            for name in ("memory", "parameters"):
                (tmp_path / name).touch()
            wish = {"mode": "file", "dst": f"{tmp_path}/memory", "dstparams": f"{tmp_path}/parameters"}
            await call(host, ADMINISTRATOR, "VM.migrate", vmID=ID, params=wish)
            await host.until(lambda: host.vms.find(ID).is_down)
            (stats,) = await call(host, ADMINISTRATOR, "VM.getStats", vmID=ID)
            assert int(stats["exitReason"]) == 5

    asyncio.run(main())
