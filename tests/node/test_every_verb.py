"""What holds for every verb, built or not: walked from the schema, so that a new one cannot be forgotten."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ovis.generate.tasks import CLIENT_FOLDER
from ovis.node import (
    handlers,  # noqa: F401  # fills the registry
    logs,
)
from ovis.node.bridge import Bridge, CallLimits
from ovis.node.registry import HANDLERS
from ovis.schema import compiled
from ovis.schema.model import TypeExpression
from ovis.wire.errors import RpcError
from ovis.wire.events import Bus
from ovis.wire.service import Access, Caller

SCHEMA = compiled.load(Path(CLIENT_FOLDER / "node_schema.json"))
SECRET = "Xq7-never-to-be-seen"
LEVELS = {
    "observe": {Access.OBSERVE},
    "operate": {Access.OBSERVE, Access.OPERATE},
    "peer": {Access.OBSERVE, Access.PEER},
    "administer": set(Access),
}


@dataclass
class SmallNode:
    is_ready: bool = True
    events: Bus = field(default_factory=Bus)


async def reached(_: object, __: object) -> None:
    raise RpcError(-1, "reached")


def bridge(node: SmallNode | None = None) -> Bridge:
    every = dict.fromkeys(SCHEMA.verbs, reached)
    return Bridge(node or SmallNode(), SCHEMA, every, CallLimits())  # type: ignore[arg-type]


def code_of(door: Bridge, method: str, params: object = None, access: set[Access] | None = None) -> tuple[int, str]:
    who = Caller(name="test", transport="tls", address="", access=frozenset(access or Access))
    raw = None if params is None else msgspec.Raw(msgspec.json.encode(params))
    with pytest.raises(RpcError) as caught:
        asyncio.run(door.call(method, raw, who, flow="f"))
    return caught.value.code, caught.value.message


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_of_access_gets_as_far_as_the_verbs_that_need_it(level: str) -> None:
    door = bridge()
    # Positional and too many: refused right behind the gates of access and recovery, whatever the verb's parameters.
    passed = {m for m in SCHEMA.verbs if code_of(door, m, [None] * 99, LEVELS[level])[0] != -32001}
    expected = {m for m, verb in SCHEMA.verbs.items() if Access(verb.access) in LEVELS[level]}
    open_to_peers = {m for m, e in door._entries.items() if e.peer_rule} if level == "peer" else set()
    assert passed == expected | open_to_peers


def test_what_is_not_built_says_so_and_nothing_else() -> None:
    door = Bridge(SmallNode(), SCHEMA, HANDLERS, CallLimits())  # type: ignore[arg-type]
    missing = SCHEMA.verbs.keys() - HANDLERS.keys()
    assert {m for m in missing if code_of(door, m, [None] * 99)[0] == 44} == missing


def test_during_recovery_only_the_verbs_answer_that_need_no_vm() -> None:
    door = bridge(SmallNode(is_ready=False))
    waiting = {m for m in SCHEMA.verbs if code_of(door, m, [None] * 99)[0] == 99}
    assert waiting == {m for m, verb in SCHEMA.verbs.items() if "always" not in verb.when}


def wrong_for(expression: TypeExpression) -> object:
    """A JSON value that no such type can be; None where every value will do."""
    if isinstance(expression, list):
        return {}
    if isinstance(expression, dict):
        return []
    if expression == "json":
        return None
    declared = SCHEMA.types.get(expression)
    if declared is None or declared.kind == "enum":
        return {}
    if declared.kind == "alias":
        return wrong_for(declared.of)
    if declared.kind == "list":
        return {}
    return [] if declared.kind in ("object", "map") else 7.5


def parameters() -> Iterator[tuple[str, str, object]]:
    for method, verb in SCHEMA.verbs.items():
        for name, parameter in verb.params.items():
            wrong = wrong_for(parameter.type)
            if wrong is not None:
                yield method, name, wrong


def test_a_parameter_of_a_wrong_type_is_refused_by_its_name() -> None:
    door = bridge()
    walked = list(parameters())
    assert len(walked) > 500
    answers = {(m, name): code_of(door, m, {name: wrong}) for m, name, wrong in walked}
    assert {at: told for at, told in answers.items() if told[0] != -32602 or at[1] not in told[1]} == {}


def secrets(expression: TypeExpression, path: tuple[str, ...], seen: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of the secret members below a type; `0` stands for an item or a key."""
    if isinstance(expression, list):
        yield from secrets(expression[0], (*path, "0"), seen)
    elif isinstance(expression, dict):
        yield from secrets(next(iter(expression.values()))[1], (*path, "0"), seen)
    elif (declared := SCHEMA.types.get(expression)) and expression not in seen:
        for name, member in declared.fields.items():
            if member.secret:
                yield (*path, name)
            yield from secrets(member.type, (*path, name), (*seen, expression))


def nested(path: tuple[str, ...], value: object) -> object:
    for step in reversed(path):
        value = [value] if step == "0" else {step: value}
    return value


@pytest.mark.parametrize("shape", [SECRET, [SECRET], {SECRET: SECRET}, {"value": SECRET}, f"{SECRET}\n"])
def test_no_secret_reaches_log_or_error_not_even_when_it_is_wrong(
    shape: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.configure("DEBUG", "text", for_journal=False)
    try:
        door = bridge()
        walked = []
        for method, verb in SCHEMA.verbs.items():
            for name, parameter in verb.params.items():
                paths = [(name,)] if parameter.secret else list(secrets(parameter.type, (name,)))
                for path in paths:
                    walked.append(path)
                    assert SECRET not in code_of(door, method, nested(path, shape))[1], (method, path)
        assert len(walked) > 15
    finally:
        root.handlers[:], root.level = before, level
    assert SECRET not in capsys.readouterr().err
