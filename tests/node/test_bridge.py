import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ovis.client import types, verbs
from ovis.generate.tasks import CLIENT_FOLDER
from ovis.node.bridge import Bridge, CallLimits
from ovis.node.errors import VmNotFound
from ovis.node.hypervisor.errors import HypervisorLost
from ovis.schema import compiled
from ovis.wire.errors import RpcError
from ovis.wire.events import Bus
from ovis.wire.service import Access, Caller

SCHEMA = compiled.load(Path(CLIENT_FOLDER / "node_schema.json"))
VM = "11111111-2222-3333-4444-555555555555"


@dataclass
class SmallNode:
    """As much of a node as the bridge looks at."""

    is_ready: bool = True
    events: Bus = field(default_factory=Bus)


def caller(*access: Access) -> Caller:
    return Caller(name="test", transport="unix", address="", access=frozenset(access or Access))


def bridge(limits: CallLimits | None = None, *, node: SmallNode | None = None, **handlers: Any) -> Bridge:
    named = {name.replace("_", "."): handler for name, handler in handlers.items()}
    return Bridge(node or SmallNode(), SCHEMA, named, limits or CallLimits())  # type: ignore[arg-type]


async def call(door: Bridge, method: str, params: Any = None, who: Caller | None = None) -> Any:
    raw = None if params is None else msgspec.Raw(msgspec.json.encode(params))
    return msgspec.json.decode(await door.call(method, raw, who or caller(), flow="f"))


def refusal(door: Bridge, method: str, params: Any = None, who: Caller | None = None) -> RpcError:
    with pytest.raises(RpcError) as caught:
        asyncio.run(call(door, method, params, who))
    return caught.value


async def freeze(_: Any, args: verbs.VMFreezeArgs) -> None:
    assert args.vm_id == VM


async def shutdown(_: Any, args: verbs.VMShutdownArgs) -> None:
    assert args.timeout == 7
    assert args.force is True


def test_arguments_arrive_typed_whatever_their_form_on_the_wire() -> None:
    door = bridge(VM_shutdown=shutdown)
    assert asyncio.run(call(door, "VM.shutdown", {"vmID": VM, "timeout": "7", "force": "true"})) is True
    assert asyncio.run(call(door, "VM.shutdown", {"vmID": VM, "timeout": 7, "force": True})) is True


def test_positional_arguments_get_their_names_from_the_schema() -> None:
    assert asyncio.run(call(bridge(VM_freeze=freeze), "VM.freeze", [VM])) is True


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"vmID": "no uuid"}, ["VM.freeze", "vmID"]),
        ({}, ["VM.freeze", "vmID"]),
        (None, ["VM.freeze", "vmID"]),
        ({"vmID": VM, "vmid": VM}, ["vmid"]),
        ([VM, VM], ["takes 1"]),
        ({"vmID": 5}, ["vmID"]),
    ],
)
def test_wrong_arguments_name_the_field(params: Any, words: list[str]) -> None:
    error = refusal(bridge(VM_freeze=freeze), "VM.freeze", params)
    assert error.code == -32602
    assert all(word in error.message for word in words)


def test_unknown_verb_is_told() -> None:
    assert refusal(bridge(), "VM.fly").code == -32601


def test_declared_verb_that_is_not_built_says_so() -> None:
    error = refusal(bridge(), "VM.merge", {"vmID": VM})
    assert error.code == 44
    assert "VM.merge" in error.message


def test_missing_right_is_named() -> None:
    error = refusal(bridge(VM_freeze=freeze), "VM.freeze", {"vmID": VM}, caller(Access.OBSERVE))
    assert error.code == -32001
    assert "operate" in error.message


def test_verbs_wait_for_recovery_unless_they_need_none() -> None:
    async def ping(_: Any, __: Any) -> None: ...

    door = bridge(node=SmallNode(is_ready=False), VM_freeze=freeze, Host_ping2=ping)
    assert refusal(door, "VM.freeze", {"vmID": VM}).code == 99
    assert asyncio.run(call(door, "Host.ping2")) is True


def test_error_of_the_node_travels_with_its_number_and_text() -> None:
    async def missing(_: Any, __: Any) -> None:
        raise VmNotFound(VM)

    error = refusal(bridge(VM_freeze=missing), "VM.freeze", {"vmID": VM})
    assert error.code == 1
    assert VM in error.message


def test_hypervisor_that_is_away_is_told_in_words_of_the_api() -> None:
    async def lost(_: Any, __: Any) -> None:
        raise HypervisorLost("libvirtd restarts")

    error = refusal(bridge(VM_freeze=lost), "VM.freeze", {"vmID": VM})
    assert error.code == 40
    assert "libvirtd restarts" in error.message


def test_unforeseen_failure_names_the_flow_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: Any, __: Any) -> None:
        raise KeyError("private words")

    with caplog.at_level(logging.ERROR):
        error = refusal(bridge(VM_freeze=broken), "VM.freeze", {"vmID": VM})
    assert error.code == -32603
    assert "flow f" in error.message
    assert "private words" not in error.message
    assert "KeyError" in caplog.text


def test_deadline_ends_a_verb_that_does_not() -> None:
    async def hang(_: Any, __: Any) -> None:
        await asyncio.Event().wait()

    quick = msgspec.structs.replace(SCHEMA.classes["VM"].verbs["freeze"], deadline=0.02)
    schema = msgspec.structs.replace(
        SCHEMA, classes={"VM": msgspec.structs.replace(SCHEMA.classes["VM"], verbs={"freeze": quick})}
    )
    door = Bridge(SmallNode(), schema, {"VM.freeze": hang}, CallLimits())  # type: ignore[arg-type]
    assert refusal(door, "VM.freeze", {"vmID": VM}).code == -32002


def test_calls_over_a_limit_are_refused_at_once_and_the_rest_goes_on() -> None:
    async def main() -> None:
        release = asyncio.Event()

        async def wait(_: Any, __: Any) -> None:
            await release.wait()

        door = bridge(CallLimits(in_all=3, per_connection=100), VM_freeze=wait)
        running = [asyncio.create_task(call(door, "VM.freeze", {"vmID": VM})) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(RpcError) as caught:
            await call(door, "VM.freeze", {"vmID": VM})
        assert caught.value.code == 1100
        release.set()
        assert await asyncio.gather(*running) == [True] * 3
        assert door.running == 0

    asyncio.run(main())


def test_one_connection_cannot_take_all_slots() -> None:
    async def main() -> None:
        door = bridge(CallLimits(in_all=100, per_connection=2), VM_freeze=freeze)
        greedy = caller()
        greedy.running = 3  # the wire counts the call that is just being started
        with pytest.raises(RpcError) as caught:
            await call(door, "VM.freeze", {"vmID": VM}, greedy)
        assert caught.value.code == 1100
        assert await call(door, "VM.freeze", {"vmID": VM}) is True

    asyncio.run(main())


def test_handler_that_never_waits_answers_on_the_spot() -> None:
    door = bridge(Host_echo=lambda _, args: args.message, VM_freeze=freeze)
    answer = door.call_now("Host.echo", msgspec.Raw(b'{"message": "hi"}'), caller(), flow="")
    assert answer == b'"hi"'
    assert door.call_now("VM.freeze", msgspec.Raw(b"{}"), caller(), flow="") is None


def test_result_of_a_verb_is_encoded_as_it_travels() -> None:
    async def list_ids(_: Any, __: verbs.HostGetVMListArgs) -> list[types.VmInfo]:
        return [VM]

    assert asyncio.run(call(bridge(Host_getVMList=list_ids), "Host.getVMList")) == [VM]


def test_status_result_travels_where_the_schema_says_so() -> None:
    async def balloon(_: Any, args: verbs.VMSetBalloonTargetArgs) -> None:
        assert args.target == 4096

    answer = asyncio.run(call(bridge(VM_setBalloonTarget=balloon), "VM.setBalloonTarget", {"vmID": VM, "target": 4}))
    assert answer == {"code": 0, "message": "Done"}


def test_handler_of_an_undeclared_verb_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match=r"VM\.fly"):
        bridge(VM_fly=freeze)
