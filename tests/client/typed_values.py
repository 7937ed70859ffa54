"""Hypothesis strategies for values of the generated types, made from the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from ovis.client import types, verbs
from ovis.generate import unions
from ovis.schema import compiled, expressions, naming, shapes
from ovis.schema.expressions import Expression, ListOf, MapOf, Named
from ovis.schema.model import Field, Schema

DEPTH = 3
"""Below this, optional members are absent and lists empty: big types would take hypothesis too long."""

WORDS = st.text("abz 0-_:/", max_size=6)
JSON = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), WORDS, st.dictionaries(WORDS, WORDS, max_size=2))


def load_schema() -> Schema:
    return unions.separated(compiled.load(Path(types.__file__).with_name("node_schema.json")))


class TypedValues:
    """Strategies for one schema. Numbers are such that their wire form can hold them: hundredths, whole MiB."""

    def __init__(self, schema: Schema, types: Any = types, verbs: Any = verbs) -> None:
        self.schema = schema
        self.types = types
        self.verbs = verbs

    def arguments(self, method: str) -> st.SearchStrategy[Any]:
        return self._struct(self.verbs.ARGUMENTS[method], self.schema.verbs[method].params, 0, is_full=False)

    def result(self, method: str) -> st.SearchStrategy[Any]:
        result = self.schema.verbs[method].result
        assert result
        return self._field(result, 0)

    def of_object(self, name: str, *, is_full: bool = False) -> st.SearchStrategy[Any]:
        return self._struct(getattr(self.types, name), self.schema.types[name].fields, 0, is_full=is_full)

    def _struct(
        self, cls: type[msgspec.Struct], fields: dict[str, Field], depth: int, *, is_full: bool
    ) -> st.SearchStrategy[Any]:
        required: dict[str, Any] = {}
        optional: dict[str, Any] = {}
        for wire_name, spec in fields.items():
            goes_in = not spec.optional or is_full
            if goes_in or depth < DEPTH:
                values = self._field(spec, depth + 1)
                if is_full:
                    values = values.filter(lambda value: value != "")  # an empty text says nothing
                (required if goes_in else optional)[naming.attribute(wire_name, spec)] = values
        return st.fixed_dictionaries(required, optional=optional).map(lambda members: cls(**members))

    def _field(self, spec: Field, depth: int) -> st.SearchStrategy[Any]:
        match shapes.resolve(self.schema, spec.type):
            case Named("int" | "uint" as kind):
                low, high = spec.range or (None, None)
                low = int(low) if low is not None else (0 if kind == "uint" else -(1 << 40))
                numbers = st.integers(low, int(high) if high is not None else 1 << 40)
                return numbers.map(lambda n: n // spec.scale * spec.scale)
            case Named("float") if spec.is_text:
                return st.integers(-(10**9), 10**9).map(lambda n: n / 100)
            case ListOf(Named("int" | "uint")) if spec.scale > 1:
                return st.lists(st.integers(0, 1 << 30).map(lambda n: n * spec.scale), max_size=2)
            case Named(name) if spec.only and name in self.schema.types:
                return st.sampled_from([getattr(self.types, name)(value) for value in spec.only])
            case Named("string") if spec.only:
                return st.sampled_from(spec.only)
            case _:
                return self._value(spec.type, depth)

    def _value(self, expression: Any, depth: int) -> st.SearchStrategy[Any]:
        match self._below_aliases(expression):
            case ListOf(item):
                return st.lists(self._value(item, depth + 1), max_size=0 if depth > DEPTH else 2)
            case MapOf(key, value):
                return st.dictionaries(
                    self._value(key, depth), self._value(value, depth + 1), max_size=0 if depth > DEPTH else 2
                )
            case Named(name) if name in self.schema.types:
                return self._declared(name, depth)
            case Named(name):
                return PRIMITIVES[name]

    def _below_aliases(self, expression: Any) -> Expression:
        """Aliases looked through, except those with a pattern."""
        parsed = expression if isinstance(expression, (Named, ListOf, MapOf)) else expressions.parse(expression)
        while isinstance(parsed, Named) and parsed.name in self.schema.types:
            declared = self.schema.types[parsed.name]
            if declared.kind == "map":
                return MapOf(expressions.parse(declared.key), expressions.parse(declared.value))
            if declared.kind != "alias" or declared.pattern:
                break
            parsed = expressions.parse(declared.of)
        return parsed

    def _declared(self, name: str, depth: int) -> st.SearchStrategy[Any]:
        declared = self.schema.types[name]
        match declared.kind:
            case "enum":
                return st.sampled_from(list(getattr(self.types, name)))
            case "union":
                # complete members: with many absent, members can look like one another
                return st.one_of([self._union_member(m, depth) for m in self._telling(name)])
            case "alias":
                return st.uuids().map(str) if name == "UUID" else st.from_regex(declared.pattern, fullmatch=True)
            case _:
                return st.deferred(
                    lambda: self._struct(getattr(self.types, name), declared.fields, depth + 1, is_full=False)
                )

    def _telling(self, union: str) -> list[Any]:
        """The members that can be told from those before them."""
        seen: dict[object, Any] = {}
        for member in self.schema.types[union].any_of:
            seen.setdefault(shapes.of(self.schema, member), member)
        return list(seen.values())

    def _union_member(self, member: Any, depth: int) -> st.SearchStrategy[Any]:
        if isinstance(member, str) and shapes.kind(self.schema, member) == "object":
            fields = self.schema.types[member].fields
            return st.deferred(lambda: self._struct(getattr(self.types, member), fields, depth + 1, is_full=True))
        return self._value(member, depth)


PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "string": WORDS,
    "int": st.integers(-(1 << 63), (1 << 63) - 1),
    "uint": st.integers(0, (1 << 63) - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "json": JSON,
}
