"""An example value of every type, and an example call of every verb, in the form that travels."""

from __future__ import annotations

import json
import shlex
from typing import Any

from ovis.schema import Schema, expressions
from ovis.schema.expressions import Expression, ListOf, MapOf, Named
from ovis.schema.model import Field, Type, TypeExpression, Verb

_DEEPEST = 4
"""Below this, objects are shown empty: an example should fit on a screen."""

UUID = "6d4d8a0e-4f4b-4c3a-9d53-0c1c1f5b7a11"
_PRIMITIVES: dict[str, Any] = {"string": "text", "int": 1, "uint": 1, "float": 0.5, "boolean": True, "json": {}}


def arguments(schema: Schema, verb: Verb) -> dict[str, Any]:
    """What a caller must send, in wire form."""
    return {name: _field(schema, name, field, 0) for name, field in verb.params.items() if not field.optional}


def json_rpc(method: str, sent: dict[str, Any]) -> str:
    request = {"jsonrpc": "2.0", "id": "1", "method": method, "params": sent}
    return json.dumps(request, indent=2)


def command(method: str, verb: Verb, sent: dict[str, Any]) -> str:
    """The same call on the command line: sizes are given with their unit, secrets read from the terminal."""
    class_name, _, verb_name = method.partition(".")
    words = ["ovis", "node", class_name, verb_name]
    words += [f"{name}={_word(verb.params[name], value)}" for name, value in sent.items()]
    return " ".join(map(shlex.quote, words))


def _word(field: Field, value: Any) -> str:
    if field.secret:
        return "@-"
    if field.scale > 1:
        return "1GiB"
    return value if isinstance(value, str) else json.dumps(value)


def _field(schema: Schema, name: str, field: Field, depth: int) -> Any:
    if field.only:
        return field.only[0]
    value = _number(field) if field.range or field.scale > 1 else _value(schema, field.type, depth, name)
    if field.is_text:
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _number(field: Field) -> int | float:
    """The least allowed; a size as 1 GiB in the unit that travels."""
    low = field.range[0] if field.range else None
    if low is not None:
        return low
    return max(1, (1 << 30) // field.scale) if field.scale > 1 else 1


def _value(schema: Schema, expression: TypeExpression | Expression, depth: int, name: str = "") -> Any:
    is_parsed = isinstance(expression, (Named, ListOf, MapOf))
    match expression if is_parsed else expressions.parse(expression):  # type: ignore[arg-type]
        case ListOf(item):
            return [_value(schema, item, depth + 1, name)] if depth < _DEEPEST else []
        case MapOf(key, value):
            return {str(_value(schema, key, depth)): _value(schema, value, depth + 1)} if depth < _DEEPEST else {}
        case Named("UUID"):
            return UUID
        case Named(type_name) if type_name in schema.types:
            return _declared(schema, schema.types[type_name], depth, name)
        case Named("string") if name:
            return _text(name)
        case Named(primitive):
            return _PRIMITIVES.get(primitive)
        case _:
            return None


def _declared(schema: Schema, declared: Type, depth: int, name: str) -> Any:
    match declared.kind:
        case "enum":
            value = next(iter(declared.values))
            return int(value) if declared.values[value].label else value
        case "object" if depth < _DEEPEST:
            return {n: _field(schema, n, f, depth + 1) for n, f in declared.fields.items() if not f.optional}
        case "map":
            return _value(schema, {"map": [declared.key, declared.value]}, depth)
        case "union":
            return _value(schema, declared.any_of[0], depth, name)
        case "alias":
            return _value(schema, declared.of, depth, name)
        case _:
            return {}


def _text(name: str) -> str:
    """A text that shows what is meant: `path=/path`, `password=********`."""
    lowered = name.lower()
    if "path" in lowered:
        return "/path/to/file"
    if "xml" in lowered:
        return "<xml/>"
    if lowered.endswith(("ip", "address", "addr")):
        return "192.0.2.10"
    return "secret" if "password" in lowered else name.lower()
