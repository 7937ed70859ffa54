"""From YAML files to a `Schema`. An error names the file and the place in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from ovis.schema import expressions
from ovis.schema.expressions import BadExpressionError
from ovis.schema.model import Capability, Class, EnumValue, Error, Event, Field, Schema, Type, TypeExpression, Verb

T = TypeVar("T")

CAPABILITIES = "capabilities.txt"
SECTIONS = {"class", "doc", "verbs", "types", "events", "errors"}
# Which members of a type a `kind` may and must have, beside those that every kind has.
MEMBERS = {
    "object": {"fields"},
    "enum": {"values"},
    "map": {"key", "value"},
    "union": {"any_of"},
    "alias": {"of"},
}


class SchemaError(Exception):
    """A description cannot be read. Fields: `place` ("vm.yaml: verbs.getStats.params.vmID") and `problem`."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


def read_folder(folder: Path) -> Schema:
    """Read every *.yaml file of a folder as one schema, well-formed but not yet checked. Raises SchemaError."""
    schema = Schema(classes={}, types={}, events={}, errors={}, capabilities={})
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise SchemaError(str(folder), "holds no *.yaml file")
    for file in files:
        _read_file(file, schema)
    if (folder / CAPABILITIES).exists():
        _read_capabilities(folder / CAPABILITIES, schema)
    return schema


def _read_capabilities(file: Path, schema: Schema) -> None:
    """A line each: name, since, what it brings. Lines are only ever appended."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        place = f"{file.name}: line {number}"
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(maxsplit=2)
        if len(parts) != 3:
            raise SchemaError(place, "must hold a name, a version and what the capability brings")
        name, since, doc = parts
        _add(schema.capabilities, name, Capability(since=since, doc=doc), place)


def _read_file(file: Path, schema: Schema) -> None:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=UniqueKeyLoader)  # noqa: S506  # derived from the safe one
    except yaml.YAMLError as error:
        raise SchemaError(file.name, f"is not YAML: {error}") from error
    if not isinstance(content, dict) or not content.keys() <= SECTIONS:
        raise SchemaError(file.name, f"must be a map with only {', '.join(sorted(SECTIONS))}")
    if "class" in content:
        verbs = {n: _verb(f"{file.name}: verbs.{n}", v) for n, v in content.get("verbs", {}).items()}
        _add(schema.classes, content["class"], Class(doc=content.get("doc", ""), verbs=verbs), file.name)
    for name, raw in (content.get("types") or {}).items():
        _add(schema.types, name, _type(f"{file.name}: types.{name}", raw), file.name)
    for name, raw in (content.get("events") or {}).items():
        _add(schema.events, name, _event(f"{file.name}: events.{name}", raw), file.name)
    for code, raw in (content.get("errors") or {}).items():
        _add(schema.errors, code, _convert(raw, Error, f"{file.name}: errors.{code}"), file.name)


def _add(into: dict[Any, Any], name: Any, value: object, place: str) -> None:
    if name in into:
        raise SchemaError(place, f"{name} is described twice")
    into[name] = value


def _convert(raw: Any, to: type[T], place: str) -> T:
    try:
        return msgspec.convert(raw, to)
    except msgspec.ValidationError as error:
        raise SchemaError(place, str(error)) from error


def _fields(place: str, raw: dict[str, Any]) -> dict[str, Field]:
    return {name: _field(field, f"{place}.{name}") for name, field in raw.items()}


def _field(raw: Any, place: str) -> Field:
    field = _convert(raw, Field, place)
    _expression(field.type, place)
    return field


def _expression(expression: TypeExpression, place: str) -> None:
    try:
        expressions.parse(expression)
    except BadExpressionError as error:
        raise SchemaError(place, str(error)) from error


def _verb(place: str, raw: dict[str, Any]) -> Verb:
    if "unbuilt" in raw:
        raise SchemaError(place, "only published versions say what was unbuilt")
    parts = dict(raw)
    parts["params"] = _fields(f"{place}.params", raw.get("params") or {})
    if raw.get("result") is not None:
        parts["result"] = _field(raw["result"], f"{place}.result")
    return _convert(parts, Verb, place)


def _event(place: str, raw: dict[str, Any]) -> Event:
    return _convert({**raw, "params": _fields(f"{place}.params", raw.get("params") or {})}, Event, place)


def _type(place: str, raw: dict[str, Any]) -> Type:
    parts = dict(raw)
    kind = parts.get("kind")
    if kind not in MEMBERS:
        raise SchemaError(place, f"kind must be one of {', '.join(MEMBERS)}, not {kind!r}")
    missing = MEMBERS[kind] - parts.keys()
    foreign = parts.keys() & set().union(*MEMBERS.values()) - MEMBERS[kind]
    if missing or foreign:
        raise SchemaError(
            place, f"of kind {kind} must have {', '.join(sorted(MEMBERS[kind]))} and no member of another kind"
        )
    if kind == "object":
        parts["fields"] = _fields(f"{place}.fields", raw["fields"] or {})
    if kind == "enum":
        parts["values"] = {
            str(value): _enum_value(f"{place}.values.{value}", spec) for value, spec in raw["values"].items()
        }
    declared = _convert(parts, Type, place)
    for expression in (declared.key, declared.value, declared.of, *declared.any_of):
        if expression:
            _expression(expression, place)
    return declared


def _enum_value(place: str, raw: Any) -> EnumValue:
    return _convert({"doc": raw} if isinstance(raw, str) else raw, EnumValue, place)


class UniqueKeyLoader(yaml.CSafeLoader):
    """YAML lets a later key silently replace an earlier one; here that is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    "while reading a map", node.start_mark, f"found the key {key!r} twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)
