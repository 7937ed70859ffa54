"""One value from the command line, as it travels.

The schema decides what a text means. Text that is JSON (`{…}`, `[…]`) and files are taken as they travel, so that what
`-o json` printed can be sent back.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ovis.shell.api import Shape
from ovis.shell.nearest import did_you_mean, find
from ovis.shell.units import BadAmount, amount, describe

TRUE = {"true", "yes", "on", "1"}
FALSE = {"false", "no", "off", "0"}


class BadValue(ValueError):
    """A text does not fit its type; the message says what was expected and goes behind the name of the parameter."""


def to_wire(shape: Shape, text: str) -> Any:
    """Raises BadValue."""
    if shape.kind in {"int", "uint", "float"}:
        return _number(shape, text)
    if shape.kind == "boolean":
        return _boolean(shape, text)
    if shape.kind == "enum":
        return _enum(shape, text)
    if shape.kind == "string":
        return _text(shape, text)
    if shape.kind == "list":
        return _list(shape, text)
    if shape.kind == "union" and text[:1] not in "{[":
        return _member(shape, text)
    if shape.kind == "json":
        return _free(text)
    return _object(text)


def expected(shape: Shape) -> str:
    """What a value looks like, in a few words for help and messages."""
    if shape.kind in {"int", "uint", "float"}:
        return describe(shape.unit, shape.scale)
    if shape.kind == "boolean":
        return "true or false"
    if shape.kind == "enum" and shape.declared is not None:
        names = [spec.label or value for value, spec in shape.declared.values.items()]
        return "one of " + ", ".join(name or "'' (empty)" for name in names)
    if shape.kind == "list":
        return "values a,b,c or a JSON list" if shape.item.is_scalar else "a JSON list or @file"
    if shape.kind in {"object", "map", "union"} and not shape.is_scalar:
        return "a JSON object, @file, or single members as name.member=value"
    return "any JSON value" if shape.kind == "json" else shape.alias or "text"


def _text(shape: Shape, text: str) -> str:
    if shape.pattern and not re.search(shape.pattern, text):
        raise BadValue(f"is not a valid {shape.alias}")
    return text


def _number(shape: Shape, text: str) -> int | float | str:
    try:
        number = amount(text, unit=shape.unit, scale=shape.scale)
    except BadAmount as problem:
        raise BadValue(str(problem)) from problem
    if shape.kind != "float":
        if number != int(number):
            raise BadValue(f"must be a whole number, expected {describe(shape.unit, shape.scale)}")
        number = int(number)
    if shape.kind == "uint" and number < 0:
        raise BadValue("must not be negative")
    low, high = shape.range or (None, None)
    if (low is not None and number * shape.scale < low) or (high is not None and number * shape.scale > high):
        raise BadValue(f"must be {_range(low, high)}")
    return str(number) if shape.is_text else number


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"from {low} to {high}"


def _boolean(shape: Shape, text: str) -> bool | str:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise BadValue("expected true or false")
    truth = word in TRUE
    return str(truth).lower() if shape.is_text else truth


def _enum(shape: Shape, text: str) -> int | str:
    assert shape.declared is not None
    values = shape.declared.values
    is_numeric = any(spec.label for spec in values.values())
    names = {spec.label or value: value for value, spec in values.items()}
    value = text if text in values else names.get(find(text, names) or "")
    if value is None:
        raise BadValue(f"expected {expected(shape)}. {did_you_mean(text, names)}".strip())
    return int(value) if is_numeric and not shape.is_text else value


def _list(shape: Shape, text: str) -> list[Any]:
    if text.lstrip().startswith("["):
        items = parse_json(text)
        assert isinstance(items, list)
        return items
    if not shape.item.is_scalar:
        raise BadValue(f"expected {expected(shape)}")
    return [to_wire(shape.item, item) for item in text.split(",")] if text else []


def _member(shape: Shape, text: str) -> Any:
    for member in shape.members:
        if member.is_scalar:
            try:
                return to_wire(member, text)
            except BadValue:
                continue
    raise BadValue(f"expected {expected(shape)}")


def _object(text: str) -> Any:
    if not text.lstrip().startswith("{"):
        raise BadValue("expected a JSON object, @file, or single members as name.member=value")
    return parse_json(text)


def _free(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def parse_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as problem:
        raise BadValue(f"is not valid JSON: {problem}") from problem
