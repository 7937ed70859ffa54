"""Rules on parameters, members and results: units, wire forms, ranges, defaults, secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ovis.schema import naming, shapes, walk
from ovis.schema.model import SIZE_UNITS, Field, Schema, Type
from ovis.schema.rules.rule import Problems, Rule
from ovis.schema.units import UNITS, sign_of_measure

NUMBERS = {"int", "uint", "float"}
WHOLE_NUMBERS = {"int", "uint"}
FORMATS = {"uuid", "ipv4", "ipv6", "ip", "mac", "path", "uri", "xml", "base64", "iso8601", "iqn", "pem", "host"}
SECRET_WORDS = {"password", "passwd", "passphrase", "ticket", "secret"}


def _measured(schema: Schema, field: Field) -> str | None:
    """The primitive of a number, or of the numbers in a list or map."""
    return shapes.measured(schema, field.type)


def missing_unit(schema: Schema) -> Problems:
    for placed in walk.fields(schema):
        if placed.field.unit or shapes.primitive(schema, placed.field.type) not in NUMBERS:
            continue
        sign = sign_of_measure(placed.name, placed.field.doc)
        if sign:
            yield placed.place, f"{sign!r} tells a size or a time, but it has no unit (`unit: count` if it is neither)"


def unknown_unit(schema: Schema) -> Problems:
    for placed in walk.fields(schema):
        if placed.field.unit and placed.field.unit not in UNITS:
            yield placed.place, f"the unit {placed.field.unit!r} is not one of {', '.join(UNITS)}"


def unit_without_number(schema: Schema) -> Problems:
    for placed in walk.fields(schema):
        if placed.field.unit and _measured(schema, placed.field) not in NUMBERS:
            yield placed.place, f"only numbers have a unit, this has {placed.field.unit}"


def bad_wire(schema: Schema) -> Problems:
    for placed in walk.fields(schema):
        problem = _wire_problem(schema, placed.field)
        if problem:
            yield placed.place, problem
        elif placed.field.scale > 1 and not placed.name:
            yield placed.place, "a result on its own cannot be scaled; make it a member of an object"
        elif placed.field.scale > 1 and placed.field.default not in (msgspec.UNSET, None, 0):
            yield placed.place, "a default that travels in another unit would be ambiguous; only 0 is the same in all"


def _wire_problem(schema: Schema, field: Field) -> str | None:
    given = field.wire.split()
    sizes = [word for word in given if word in SIZE_UNITS]
    primitive = shapes.primitive(schema, field.type)
    item = shapes.list_item(schema, field.type) or primitive
    if unknown := [word for word in given if word != "text" and word not in SIZE_UNITS]:
        return f"the wire form {unknown[0]!r} is neither text nor a size unit"
    if len(set(given)) != len(given) or len(sizes) > 1:
        return f"the wire form {field.wire!r} says something twice"
    if field.is_text and primitive not in {*NUMBERS, "boolean"}:
        return "only a number or a truth value can travel as text"
    if sizes and (item not in WHOLE_NUMBERS or field.unit not in ("bytes", "bytes/s")):
        return f"only whole numbers (or a list of them) with the unit bytes or bytes/s can travel in {sizes[0]}"
    return None


def _constrained(schema: Schema) -> Iterator[tuple[str, Field | Type, str | None]]:
    """Fields and types, each with the primitive behind it."""
    for placed in walk.fields(schema):
        yield placed.place, placed.field, shapes.primitive(schema, placed.field.type)
    for name, declared in schema.types.items():
        yield f"type {name}", declared, shapes.primitive(schema, name)


def bad_format(schema: Schema) -> Problems:
    for place, item, primitive in _constrained(schema):
        if item.format and item.format not in FORMATS:
            yield place, f"the format {item.format!r} is not one of {', '.join(sorted(FORMATS))}"
        if item.format and primitive != "string":
            yield place, "only text has a format"


def bad_range(schema: Schema) -> Problems:
    for place, item, primitive in _constrained(schema):
        if item.range is None:
            continue
        low, high = item.range
        if primitive not in NUMBERS:
            yield place, "only a number has a range"
        if low is not None and high is not None and low > high:
            yield place, f"its range runs from {low} down to {high}"


def bad_default(schema: Schema) -> Problems:
    for placed in walk.fields(schema):
        field = placed.field
        if field.default is msgspec.UNSET or field.default is None:
            continue
        if not field.optional:
            yield placed.place, "what has a default is optional"
        problem = _misfit(schema, field, field.default)
        if problem:
            yield placed.place, f"the default {field.default!r} {problem}"


def _misfit(schema: Schema, field: Field, value: Any) -> str | None:
    """Why a value cannot stand in a field, or None."""
    kind = shapes.kind(schema, field.type)
    accepted: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "int": (int,),
        "uint": (int,),
        "float": (int, float),
        "boolean": (bool,),
        "list": (list,),
        "map": (dict,),
        "object": (dict,),
    }
    if kind in accepted and (not isinstance(value, accepted[kind]) or (kind != "boolean" and isinstance(value, bool))):
        return f"is not of type {kind}"
    if kind == "uint" and value < 0:
        return "is negative"
    if kind == "enum":
        resolved = shapes.resolve(schema, field.type)
        if str(value) not in schema.types[getattr(resolved, "name", "")].values:
            return "is not a value of the enum"
    low, high = field.range or (None, None)
    if isinstance(value, (int, float)) and ((low is not None and value < low) or (high is not None and value > high)):
        return f"is outside of [{low}, {high}]"
    return None


def bad_only(schema: Schema) -> Problems:
    for placed in walk.fields(schema):
        if not placed.field.only:
            continue
        kind = shapes.kind(schema, placed.field.type)
        if kind not in ("string", "enum"):
            yield placed.place, "only a text or an enum can be narrowed by `only`"
        for value in placed.field.only:
            if kind == "enum" and _misfit(schema, placed.field, value):
                yield placed.place, f"`only` names {value!r}, which is not a value of the enum"


def open_secret(schema: Schema) -> Problems:
    for placed in walk.fields(schema):
        named = set(naming.snake(placed.name).split("_")) & SECRET_WORDS
        if named and not placed.field.secret and shapes.primitive(schema, placed.field.type) == "string":
            yield placed.place, f"{named.pop()!r} in the name of a text: mark it `secret: true`"


RULES = (
    Rule("missing-unit", "a size or a time without a unit is read wrongly sooner or later", missing_unit),
    Rule("unknown-unit", "a unit that no reader and no generator knows is none", unknown_unit),
    Rule("unit-without-number", "only numbers are measured", unit_without_number),
    Rule("bad-wire", "the codec knows text and size units, nothing else", bad_wire),
    Rule("bad-format", "a format that nothing knows is noise", bad_format),
    Rule("bad-range", "an impossible range refuses every value", bad_range),
    Rule("bad-default", "a default must be a value that a caller could send", bad_default),
    Rule("bad-only", "a member of a union that no value fits is never chosen", bad_only),
    Rule("open-secret", "what is not marked secret ends in a log", open_secret),
)
