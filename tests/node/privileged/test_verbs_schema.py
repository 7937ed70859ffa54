"""verbs.yaml is what the helper does: the classes say the same, and what it calls hostile is refused."""

from __future__ import annotations

import asyncio
import types
import typing
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Union

import msgspec
import pytest
import yaml
from programs import put

from ovis.node import privileged
from ovis.node.privileged import commands
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import Request
from ovis.node.privileged.rules import Rules
from ovis.node.privileged.table import VERBS, decode_request
from ovis.node.privileged.work import Work

SCHEMA: dict[str, Any] = yaml.safe_load((Path(privileged.__file__).parent / "verbs.yaml").read_text())
LISTED = {name: (family, verb) for family, verbs in SCHEMA["verbs"].items() for name, verb in verbs.items()}
CLASSES = {kind.__name__: kind for kind in VERBS}
PLAIN = {str: "string", int: "int", float: "float", bool: "boolean", type(None): "nothing"}


def spelled(kind: Any) -> str:
    """A type as the schema writes it."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return f"({', '.join(str(value) for value in inner)})"
    if origin in (types.UnionType, Union):
        known = [part for part in inner if part is not type(None)]
        name = spelled(known[0]) if len(known) == 1 else "any"
        return f"{name}?" if len(known) < len(inner) else name
    if origin in (tuple, list):
        return f"[{spelled(inner[0])}]"
    if origin is dict:
        return f"{{{spelled(inner[1])}}}"
    return PLAIN.get(kind) or str(kind.__name__)


def parameters(kind: type[Request[Any]]) -> dict[str, tuple[str, Any]]:
    """Type and default (`...` when it is required)."""
    found = {}
    for field in msgspec.structs.fields(kind):
        default = ... if field.required else msgspec.json.decode(msgspec.json.encode(_default(field)))
        found[field.encode_name] = (spelled(field.type), default)
    return found


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()


def test_every_verb_is_listed_and_nothing_else() -> None:
    assert {name: family for name, (family, _) in LISTED.items()} == {
        name: kind.__module__.rpartition(".")[2] for name, kind in CLASSES.items()
    }


@pytest.mark.parametrize("name", CLASSES)
def test_the_class_says_the_same(name: str) -> None:
    _, verb = LISTED[name]
    kind = CLASSES[name]
    listed = {key: (of["type"], of.get("default", ...)) for key, of in verb.get("params", {}).items()}
    assert parameters(kind) == listed
    assert (kind.seconds, spelled(kind.answer)) == (verb["deadline"], verb["answer"])
    assert verb["doc"]
    assert all(of["doc"] for of in verb.get("params", {}).values())


@pytest.mark.parametrize(("name", "parameter"), [(n, p) for n, (_, v) in LISTED.items() for p in v.get("params", {})])
def test_texts_have_hostile_values_or_a_reason(name: str, parameter: str) -> None:
    of = LISTED[name][1]["params"][parameter]
    if any(word in of["type"] for word in ("string", "any", "Secret", *SCHEMA["types"])):
        assert of.get("hostile") or of.get("free")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Path]:
    """Only this program is found, and a file tells that it ran."""
    before = commands.ENVIRONMENT["PATH"]
    put(tmp_path / "bin", "setpriv", f'echo "$@" >> {tmp_path}/started')
    for name in ("rbd", "lvm"):
        put(tmp_path / "bin", name, "exit 1")
    commands.ENVIRONMENT["PATH"] = str(tmp_path / "bin")
    yield tmp_path / "started"
    commands.ENVIRONMENT["PATH"] = before


HOSTILE = [
    pytest.param(name, parameter, value, id=f"{name}-{parameter}-{number}")
    for name, (_, verb) in LISTED.items()
    for parameter, of in verb.get("params", {}).items()
    for number, value in enumerate(of.get("hostile", []))
]


@pytest.mark.parametrize(("name", "parameter", "value"), HOSTILE)
def test_hostile_values_are_refused(name: str, parameter: str, value: Any, started: Path, tmp_path: Path) -> None:
    usual = {key: of["example"] for key, of in LISTED[name][1]["params"].items() if "example" in of}
    raw = msgspec.Raw(msgspec.msgpack.encode({"verb": name, **usual, parameter: value}))
    rules = Rules(
        repository=PurePosixPath("/repository"),
        user=36,
        group=36,
        loop_folder=PurePosixPath("/loops"),
        iscsi_records=(PurePosixPath(tmp_path),),
        adapters=PurePosixPath(tmp_path),
        sysfs=PurePosixPath(tmp_path),
    )
    with pytest.raises((Refused, msgspec.ValidationError)):
        asyncio.run(_asked(raw, rules))
    assert not started.exists(), started.read_text()


async def _asked(raw: msgspec.Raw, rules: Rules) -> None:
    request = decode_request(raw)
    await VERBS[type(request)](request, Work(rules))
