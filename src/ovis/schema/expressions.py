"""Type expressions taken apart: a name, a list or a map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from ovis.schema.model import PRIMITIVES, Field, Schema, Type, TypeExpression


@dataclass(frozen=True)
class Named:
    name: str


@dataclass(frozen=True)
class ListOf:
    item: Expression


@dataclass(frozen=True)
class MapOf:
    key: Expression
    value: Expression


Expression = Named | ListOf | MapOf


class BadExpressionError(ValueError):
    """The text after `type:` is neither a name, `[X]` nor `{map: [K, V]}`."""

    def __init__(self, given: object) -> None:
        super().__init__(f"{given!r} is not a type: expected a name, [X] or {{map: [K, V]}}")


def parse(expression: TypeExpression) -> Expression:
    """Take one type expression apart. Raises BadExpressionError."""
    match expression:
        case str() if expression:
            return Named(expression)
        case [item]:
            return ListOf(parse(item))
        case {"map": [key, value], **rest} if not rest:
            return MapOf(parse(key), parse(value))
        case _:
            raise BadExpressionError(expression)


def names(expression: Expression) -> Iterator[str]:
    """Every name in it, primitives too."""
    match expression:
        case Named(name):
            yield name
        case ListOf(item):
            yield from names(item)
        case MapOf(key, value):
            yield from names(key)
            yield from names(value)
        case _:
            assert_never(expression)


def text(expression: TypeExpression) -> str:
    """As a reader writes it: `[VmDevice]`, `{string: uint}`."""
    return _text(parse(expression))


def _text(expression: Expression) -> str:
    match expression:
        case Named(name):
            return name
        case ListOf(item):
            return f"[{_text(item)}]"
        case MapOf(key, value):
            return f"{{{_text(key)}: {_text(value)}}}"
        case _:
            assert_never(expression)


def of_type(declared: Type) -> Iterator[Expression]:
    """The expressions that stand in the declaration of a type."""
    for field in declared.fields.values():
        yield parse(field.type)
    for expression in (declared.key, declared.value, declared.of, *declared.any_of):
        if expression:
            yield parse(expression)


def of_fields(fields: dict[str, Field]) -> Iterator[Expression]:
    for field in fields.values():
        yield parse(field.type)


def reachable(schema: Schema) -> set[str]:
    """Names of the declared types that some verb or event uses, directly or not."""
    found: set[str] = set()
    waiting: list[Expression] = []
    for verb in schema.verbs.values():
        waiting += of_fields(verb.params)
        if verb.result:
            waiting.append(parse(verb.result.type))
    for event in schema.events.values():
        waiting += of_fields(event.params)
    while waiting:
        for name in names(waiting.pop()):
            if name not in found and name not in PRIMITIVES and name in schema.types:
                found.add(name)
                waiting += of_type(schema.types[name])
    return found
