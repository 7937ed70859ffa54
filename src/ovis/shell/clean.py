"""What travelled, made into clean values: numbers are numbers, sizes bytes, truth values true or false.

Names stay those of the wire. A value that does not fit its type stays as it came: showing is not the place to refuse.
"""

from __future__ import annotations

from typing import Any

from ovis.shell.api import Shape


def clean(shape: Shape, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [clean(shape.item, item) for item in value] if shape.kind == "list" else value
    if isinstance(value, dict):
        return _members(shape, value)
    if shape.kind in {"int", "uint", "float"}:
        return _number(shape, value)
    if shape.kind == "boolean" and value in ("true", "false"):
        return value == "true"
    if shape.kind == "union" and shape.is_scalar and isinstance(value, str):
        return clean(shape.members[0], value)
    return value


def _members(shape: Shape, value: dict[str, Any]) -> dict[str, Any]:
    if shape.kind == "map":
        return {key: clean(shape.value, item) for key, item in value.items()}
    chosen = member_of(shape, value)
    fields = chosen.fields
    return {key: clean(chosen.field(key), item) if key in fields else item for key, item in value.items()}


def member_of(shape: Shape, value: dict[str, Any]) -> Shape:
    """The member of a union that an object most likely is: most of its keys known, fewest required ones missing."""
    if shape.kind != "union":
        return shape
    members = [member for member in shape.members if member.kind in {"object", "union"}]
    return max(members, key=lambda member: _fit(member, value), default=shape)


def _fit(member: Shape, value: dict[str, Any]) -> tuple[int, int]:
    fields = member.fields
    unknown = sum(key not in fields for key in value)
    missing = sum(not field.optional and name not in value for name, field in fields.items())
    return -unknown, -missing


def _number(shape: Shape, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            value = float(value) if shape.kind == "float" else int(value)
        except ValueError:
            return value
    return value * shape.scale if isinstance(value, int | float) else value
