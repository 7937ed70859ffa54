"""What a type looks like on the wire, whatever its parts are called.

Two types of the same shape accept the same JSON: aliases and named maps are looked through, and of an object only the
members count. Comparing versions uses this, so that renaming a type breaks nobody.
"""

from __future__ import annotations

from ovis.schema import expressions
from ovis.schema.expressions import Expression, ListOf, MapOf, Named
from ovis.schema.model import PRIMITIVES, Schema, TypeExpression

Shape = tuple[object, ...]
"""Nested tuples, equal for equal shapes."""


def resolve(schema: Schema, expression: TypeExpression | Expression) -> Expression:
    """The expression with aliases and named maps at its top looked through; an endless alias stays as it is."""
    parsed = expression if isinstance(expression, (Named, ListOf, MapOf)) else expressions.parse(expression)
    seen: set[str] = set()
    while isinstance(parsed, Named) and parsed.name in schema.types and parsed.name not in seen:
        seen.add(parsed.name)
        declared = schema.types[parsed.name]
        if declared.kind == "map":
            return MapOf(expressions.parse(declared.key), expressions.parse(declared.value))
        if declared.kind != "alias":
            break
        parsed = expressions.parse(declared.of)
    return parsed


def is_endless(schema: Schema, name: str) -> bool:
    """True for an alias that leads back to itself."""
    resolved = resolve(schema, name)
    return isinstance(resolved, Named) and resolved.name in schema.types and schema.types[resolved.name].kind == "alias"


def primitive(schema: Schema, expression: TypeExpression) -> str | None:
    """The primitive behind it, None for lists, maps and declared types."""
    resolved = resolve(schema, expression)
    return resolved.name if isinstance(resolved, Named) and resolved.name in PRIMITIVES else None


def list_item(schema: Schema, expression: TypeExpression | Expression) -> str | None:
    """The primitive of a list's items, None for anything else."""
    resolved = resolve(schema, expression)
    item = resolve(schema, resolved.item) if isinstance(resolved, ListOf) else None
    return item.name if isinstance(item, Named) and item.name in PRIMITIVES else None


def kind(schema: Schema, expression: TypeExpression | Expression) -> str:
    """`list`, `map`, the name of a primitive, the kind of a declared type, or `unknown`."""
    match resolve(schema, expression):
        case ListOf():
            return "list"
        case MapOf():
            return "map"
        case Named(name) if name in PRIMITIVES:
            return name
        case Named(name) if name in schema.types:
            return schema.types[name].kind
        case _:
            return "unknown"


def of(schema: Schema, expression: TypeExpression | Expression, within: tuple[str, ...] = ()) -> Shape:
    """The shape; a type inside itself is given by how far up it stands, so that recursion ends."""
    match resolve(schema, expression):
        case ListOf(item):
            return ("list", of(schema, item, within))
        case MapOf(key, value):
            return ("map", of(schema, key, within), of(schema, value, within))
        case Named(name):
            return _of_name(schema, name, within)


def _of_name(schema: Schema, name: str, within: tuple[str, ...]) -> Shape:
    if name in within:
        return ("above", len(within) - within.index(name))
    declared = schema.types.get(name)
    if declared is None:
        return (name,)
    inside = (*within, name)
    match declared.kind:
        case "enum":
            return ("enum", *sorted(declared.values))
        case "union":
            return ("union", frozenset(of(schema, member, inside) for member in declared.any_of))
        case "object":
            members = (
                (n, f.optional, f.is_text, f.scale, tuple(f.only), of(schema, f.type, inside))
                for n, f in declared.fields.items()
            )
            return ("object", *sorted(members, key=lambda member: member[0]))
        case _:
            return (declared.kind,)


def measured(schema: Schema, expression: TypeExpression | Expression) -> str | None:
    """The primitive of a value, or of the values in a list or map, at any depth."""
    match resolve(schema, expression):
        case ListOf(item):
            return measured(schema, item)
        case MapOf(_, value):
            return measured(schema, value)
        case Named(name):
            return name if name in PRIMITIVES else None
