"""Python annotations for type expressions, and which types need help of a codec on their way to and from the wire.

msgspec reads and writes most types as they are. Two things it cannot know: numbers that travel as text or in another
unit (`wire:` in the schema), and unions of objects without a tag. A type that holds such a field, directly or not, gets
functions of its own in the generated codec.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from ovis.schema import expressions
from ovis.schema.expressions import Expression, ListOf, MapOf, Named
from ovis.schema.model import Field, Schema, TypeExpression

PYTHON = {"string": "str", "int": "int", "uint": "UInt", "float": "float", "boolean": "bool", "json": "Any"}


class Annotations:
    """Answers about the types of one schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.text_or_scaled = self._closure(lambda field: field.is_text or field.scale > 1)
        self.scaled = self._closure(lambda field: field.scale > 1)

    def _closure(self, is_special: Callable[[Field], bool]) -> set[str]:
        """Names of the types that hold a field for which `is_special` is true, at any depth."""
        found: set[str] = set()
        while True:
            more = {
                name
                for name, declared in self.schema.types.items()
                if name not in found
                and (
                    any(is_special(field) for field in declared.fields.values())
                    or any(n in found for e in expressions.of_type(declared) for n in expressions.names(e))
                )
            }
            if not more:
                return found
            found |= more

    def python(self, expression: TypeExpression | Expression) -> str:
        """The annotation, e.g. `list[VmDevice]`."""
        match _parsed(expression):
            case Named(name):
                return PYTHON.get(name, name)
            case ListOf(item):
                return f"list[{self.python(item)}]"
            case MapOf(key, value):
                return f"dict[{self.python(key)}, {self.python(value)}]"
            case other:
                assert_never(other)

    def of_field(self, field: Field) -> str:
        """The annotation of a field's value when it is there; its range is part of it where it travels unscaled."""
        return self.ranged(field.type, field.range if field.scale == 1 else None)

    def ranged(self, expression: TypeExpression, limits: tuple[float | None, float | None] | None) -> str:
        """The annotation of a whole number within limits; that of anything else, or without limits, as it is."""
        base = self.python(expression)
        if not limits or base not in ("int", "UInt"):
            return base
        low, high = limits
        if low is None and base == "UInt":
            low = 0
        said = [f"ge={low}"] * (low is not None) + [f"le={high}"] * (high is not None)
        return f"Annotated[int, Meta({', '.join(said)})]"

    def kind(self, name: str) -> str:
        """`primitive` or the kind of the declared type."""
        return self.schema.types[name].kind if name in self.schema.types else "primitive"

    def is_object_union(self, name: str) -> bool:
        """A union whose members are all objects (or unions of such): it becomes a base class of them."""
        return self.kind(name) == "union" and all(
            isinstance(member, str) and (self.kind(member) == "object" or self.is_object_union(member))
            for member in self.schema.types[name].any_of
        )

    def is_mixed_union(self, name: str) -> bool:
        """A union of an object union (see `generate.unions`) and other values: msgspec needs help to read it."""
        return (
            self.kind(name) == "union"
            and not self.is_object_union(name)
            and any(isinstance(m, str) and self.is_object_union(m) for m in self.schema.types[name].any_of)
        )

    def unions_of(self, member: str) -> list[str]:
        """The object unions that list this type as a member: its base classes."""
        return [n for n in self.schema.types if self.is_object_union(n) and member in self.schema.types[n].any_of]

    def resolve(self, expression: TypeExpression | Expression) -> Expression:
        """The expression with map types and aliases replaced by what they stand for."""
        parsed = _parsed(expression)
        if isinstance(parsed, Named) and self.kind(parsed.name) in ("map", "alias"):
            declared = self.schema.types[parsed.name]
            if declared.kind == "map":
                return MapOf(_parsed(declared.key), _parsed(declared.value))
            return self.resolve(declared.of)
        return parsed


def _parsed(expression: TypeExpression | Expression) -> Expression:
    if isinstance(expression, (Named, ListOf, MapOf)):
        return expression
    return expressions.parse(expression)
