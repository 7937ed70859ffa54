"""Every verb of the real schema: a plausible value of each type is read from words and shown without loss."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ovis.shell.api import Shape, node_schema
from ovis.shell.arguments import ArgumentReader
from ovis.shell.clean import clean
from ovis.shell.output import as_json, as_yaml
from ovis.shell.tables import console_for_stdout, print_lines, render
from ovis.shell.values import expected

SCHEMA = node_schema()
DEPTH = 5


def travelling(shape: Shape, depth: int = 0) -> Any:
    """A value of this type as it travels."""
    if shape.kind in {"int", "uint", "float"}:
        low, _ = shape.range or (None, None)
        number = max(2, int(low or 0))
        return str(number) if shape.is_text else number
    if shape.kind == "boolean":
        return "true" if shape.is_text else True
    if shape.kind == "enum" and shape.declared is not None:
        value, spec = next(iter(shape.declared.values.items()))
        return int(value) if spec.label and not shape.is_text else value
    if shape.kind == "list":
        return [travelling(shape.item, depth + 1)] * 2 if depth < DEPTH else []
    if shape.kind == "map":
        return {"key": travelling(shape.value, depth + 1)} if depth < DEPTH else {}
    if shape.kind == "union":
        return travelling(shape.members[0], depth)
    if shape.kind == "object":
        return {name: travelling(shape.field(name), depth + 1) for name in shape.fields} if depth < DEPTH else {}
    return {"any": 1} if shape.kind == "json" else "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0001" if shape.pattern else "text"


def as_word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


@pytest.mark.parametrize("method", [name for name, verb in SCHEMA.verbs.items() if verb.params])
def test_words_give_back_what_travels(method: str) -> None:
    verb = SCHEMA.verb(method)
    assert verb is not None
    wanted = {name: travelling(Shape.of_field(SCHEMA, field)) for name, field in verb.params.items()}
    reader = ArgumentReader(SCHEMA, method)
    reader.read(f"{name}={as_word(value)}" for name, value in wanted.items())
    assert reader.arguments == wanted
    assert not reader.missing
    assert all(expected(Shape.of_field(SCHEMA, field)) for field in verb.params.values())


@pytest.mark.parametrize("method", [name for name, verb in SCHEMA.verbs.items() if verb.result])
def test_every_result_can_be_shown(method: str, capsys: pytest.CaptureFixture[str]) -> None:
    verb = SCHEMA.verb(method)
    assert verb is not None
    assert verb.result is not None
    shape = Shape.of_field(SCHEMA, verb.result)
    value = clean(shape, travelling(shape))
    assert as_json(value)
    assert as_yaml(value)
    if isinstance(value, dict | list):
        console = console_for_stdout(80)
        print_lines(console, render(shape, value, 80))
        lines = capsys.readouterr().out.splitlines()
        assert lines
        assert max(map(len, lines)) <= 80
