"""The schema of the node API as the command line needs it. Loads in milliseconds and needs no connection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from ovis.client import node_schema as precompiled
from ovis.schema.expressions import Expression, ListOf, MapOf, Named, parse
from ovis.schema.model import PRIMITIVES, Field, Schema, Type


@cache
def node_schema() -> Schema:
    return precompiled.load()


@dataclass(frozen=True)
class Shape:
    """A place in a value: its type, and the unit and wire form that hold there.

    Unit and wire form stand on a field and go with it into lists and maps, down to the numbers in them; so do range and
    pattern of an alias.
    """

    schema: Schema
    expression: Expression
    unit: str = ""
    is_text: bool = False
    scale: int = 1
    range: tuple[int | float | None, int | float | None] | None = None
    secret: bool = False
    alias: str = ""
    """Name of the outermost alias followed, for messages: UUID."""
    pattern: str = ""

    @classmethod
    def of_field(cls, schema: Schema, field: Field) -> Shape:
        return cls(
            schema, parse(field.type), field.unit, field.is_text, field.scale, field.range, field.secret
        ).resolved()

    def resolved(self) -> Shape:
        """The same place with aliases followed."""
        declared = self.declared
        if declared is None or declared.kind != "alias":
            return self
        return replace(
            self,
            expression=parse(declared.of),
            range=self.range or declared.range,
            alias=self.alias or self.name,
            pattern=self.pattern or declared.pattern,
        ).resolved()

    @property
    def name(self) -> str:
        """Name of the primitive or declared type; empty for a list or map expression."""
        return self.expression.name if isinstance(self.expression, Named) else ""

    @property
    def declared(self) -> Type | None:
        return None if self.name in PRIMITIVES else self.schema.types.get(self.name)

    @property
    def kind(self) -> str:
        """`list`, `map`, `object`, `enum`, `union`, or the name of the primitive."""
        if isinstance(self.expression, ListOf):
            return "list"
        if isinstance(self.expression, MapOf):
            return "map"
        return self.declared.kind if self.declared else self.name

    @property
    def item(self) -> Shape:
        """What a list holds."""
        assert isinstance(self.expression, ListOf)
        return replace(self, expression=self.expression.item).resolved()

    @property
    def value(self) -> Shape:
        """What a map holds."""
        if isinstance(self.expression, MapOf):
            return replace(self, expression=self.expression.value).resolved()
        assert self.declared is not None
        return replace(self, expression=parse(self.declared.value)).resolved()

    @property
    def fields(self) -> dict[str, Field]:
        """Fields of an object; of a union those of all its members, the first member first."""
        declared = self.declared
        if declared is None:
            return {}
        if declared.kind != "union":
            return declared.fields
        merged: dict[str, Field] = {}
        for member in self.members:
            merged = {**member.fields, **merged}
        return merged

    def field(self, name: str) -> Shape:
        return Shape.of_field(self.schema, self.fields[name])

    @property
    def members(self) -> list[Shape]:
        """Members of a union."""
        assert self.declared is not None
        return [replace(self, expression=parse(member)).resolved() for member in self.declared.any_of]

    @property
    def is_scalar(self) -> bool:
        if self.kind == "union":
            return all(member.is_scalar for member in self.members)
        return self.kind == "enum" or self.kind in PRIMITIVES - {"json"}
