"""Rules on types: declared, used, spelled so that Python can name them, unions that can be told apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ovis.schema import expressions, naming, shapes, walk
from ovis.schema.expressions import ListOf, MapOf, Named
from ovis.schema.model import PRIMITIVES, Schema, TypeExpression
from ovis.schema.rules.rule import Problems, Rule

MAP_KEYS = {"string", "int", "uint"}
RESERVED = {"Any", "Struct", "Meta", "UInt", "NumberChoice", "TextChoice", "Annotated", "TypeAlias"}
"""Names that the generated modules use themselves."""


def _expressions(schema: Schema) -> Iterator[tuple[str, TypeExpression]]:
    for placed in walk.fields(schema):
        yield placed.place, placed.field.type
    for name, declared in schema.types.items():
        for expression in (declared.key, declared.value, declared.of, *declared.any_of):
            if expression:
                yield f"type {name}", expression


def unknown_type(schema: Schema) -> Problems:
    for place, expression in _expressions(schema):
        for name in expressions.names(expressions.parse(expression)):
            if name not in PRIMITIVES and name not in schema.types:
                yield place, f"{name} is neither a primitive nor declared"


def unused_type(schema: Schema) -> Problems:
    used = expressions.reachable(schema)
    for name, declared in schema.types.items():
        if name not in used and not declared.unused:
            yield f"type {name}", "no verb and no event uses it; remove it or give `unused:` a reason"
        if name in used and declared.unused:
            yield f"type {name}", "is used, its `unused:` is stale"


def endless_alias(schema: Schema) -> Problems:
    for name in schema.types:
        if shapes.is_endless(schema, name):
            yield f"type {name}", "stands for itself"


def bad_map_key(schema: Schema) -> Problems:
    for place, expression in _expressions(schema):
        yield from ((place, f"{text} cannot be a key of a JSON object") for text in _bad_keys(schema, expression))
    for name, declared in schema.types.items():
        if declared.key and not _is_key(schema, declared.key):
            yield f"type {name}", f"{declared.key} cannot be a key of a JSON object"


def _bad_keys(schema: Schema, expression: TypeExpression) -> Iterator[str]:
    waiting = [expressions.parse(expression)]
    while waiting:
        match waiting.pop():
            case MapOf(key, value):
                if not (isinstance(key, Named) and _is_key(schema, key.name)):
                    yield str(key)
                waiting.append(value)
            case ListOf(item):
                waiting.append(item)
            case _:
                pass


def _is_key(schema: Schema, expression: TypeExpression) -> bool:
    primitive = shapes.primitive(schema, expression)
    is_enum = isinstance(expression, str) and expression in schema.types and schema.types[expression].kind == "enum"
    return primitive in MAP_KEYS or is_enum


def empty_type(schema: Schema) -> Problems:
    for name, declared in schema.types.items():
        if declared.kind == "enum" and not declared.values:
            yield f"type {name}", "an enum without a value"
        if declared.kind == "union" and not declared.any_of:
            yield f"type {name}", "a union without a member"


def alike_in_union(schema: Schema) -> Problems:
    """Sound, not complete: only members of the very same shape are surely impossible to tell apart."""
    for name, declared in schema.types.items():
        seen: dict[object, TypeExpression] = {}
        for member in declared.any_of:
            shape = shapes.of(schema, member)
            if shape in seen:
                yield f"type {name}", f"{expressions.text(member)} cannot be told from {expressions.text(seen[shape])}"
            seen[shape] = member


def bad_pattern(schema: Schema) -> Problems:
    for name, declared in schema.types.items():
        try:
            re.compile(declared.pattern)
        except re.error as error:
            yield f"type {name}", f"{declared.pattern!r} is no regular expression: {error}"
        if declared.pattern and shapes.primitive(schema, name) != "string":
            yield f"type {name}", "a pattern is for text only"


def duplicate_python_name(schema: Schema) -> Problems:
    for method, verb in schema.verbs.items():
        yield from _twice(method, (naming.attribute(n, f) for n, f in verb.params.items()))
    for name, declared in schema.types.items():
        yield from _twice(f"type {name}", (naming.attribute(n, f) for n, f in declared.fields.items()))
    for name, event in schema.events.items():
        yield from _twice(f"event {name}", (naming.attribute(n, f) for n, f in event.params.items()))
    for name, klass in schema.classes.items():
        yield from _twice(f"class {name}", map(naming.snake, klass.verbs))
    yield from _twice("classes", map(naming.snake, schema.classes))
    yield from _twice("types", [*schema.types, *map(naming.arguments_class, schema.verbs), *RESERVED])


def _twice(place: str, names: Iterable[str]) -> Problems:
    for name, times in Counter(names).items():
        if times > 1:
            yield place, f"{times} of its members are called {name} in Python"


def bad_python_name(schema: Schema) -> Problems:
    for placed in walk.fields(schema):
        if placed.name and not naming.attribute(placed.name, placed.field).isidentifier():
            yield placed.place, f"{placed.name!r} cannot become a Python name"
    for name in [*schema.types, *schema.classes]:
        if not name.isidentifier():
            yield f"type {name}", f"{name!r} cannot become a Python name"


RULES = (
    Rule("unknown-type", "every type is a primitive or declared", unknown_type),
    Rule("unused-type", "what no verb reaches is noise, unless there is a reason", unused_type),
    Rule("endless-alias", "an alias must end at a type", endless_alias),
    Rule("bad-map-key", "keys of a JSON object are text: strings, enums, whole numbers", bad_map_key),
    Rule("empty-type", "an enum or a union with nothing in it has no value at all", empty_type),
    Rule("alike-in-union", "a reader must be able to choose the member of a union", alike_in_union, is_advisory=True),
    Rule("bad-pattern", "a pattern that does not compile checks nothing", bad_pattern),
    Rule("duplicate-python-name", "two names on the wire may not become one in Python", duplicate_python_name),
    Rule("bad-python-name", "every name must be writable in Python", bad_python_name),
)
