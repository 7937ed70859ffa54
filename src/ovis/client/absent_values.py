"""Absence as old clients spell it: `null`, or an empty text where a number, a truth value or an id is meant.

The fast decoder refuses both. Only then is the value gone through once more, with what means "absent" taken out of
optional members, and read again; so it costs nothing while peers send what the schema says.
Source: vdsm's clients send the members of their records whether or not they are set.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from msgspec import inspect

_SCALARS = (inspect.IntType, inspect.FloatType, inspect.BoolType, inspect.EnumType)
_type_of = cache(inspect.type_info)


def without_absent(value: Any, wanted: Any) -> Any:
    """The value (as JSON is read) without the optional members that say nothing; the same object if there are none."""
    return _cleaned(value, _type_of(wanted))


def _cleaned(value: Any, wanted: inspect.Type) -> Any:
    match wanted:
        case inspect.StructType() if isinstance(value, dict):
            return _cleaned_members(value, wanted)
        case inspect.ListType(item_type=item) if isinstance(value, list):
            cleaned = [_cleaned(v, item) for v in value]
            return value if all(a is b for a, b in zip(value, cleaned, strict=True)) else cleaned
        case inspect.DictType(value_type=item) if isinstance(value, dict):
            entries = {k: _cleaned(v, item) for k, v in value.items()}
            return value if all(entries[k] is v for k, v in value.items()) else entries
        case inspect.UnionType(types=types) if isinstance(value, (dict, list)):
            return next((c for t in types if (c := _cleaned(value, t)) is not value), value)
        case inspect.Metadata(type=inner):
            return _cleaned(value, inner)
        case _:
            return value  # the members of an untagged union are read, and cleaned, one by one


def _cleaned_members(value: dict[str, Any], wanted: inspect.StructType) -> dict[str, Any]:
    cleaned = value
    for field in wanted.fields:
        name = field.encode_name
        if name not in value:
            continue
        given = value[name]
        if not field.required and _means_absent(given, field.type):
            kept = None
        else:
            kept = _cleaned(given, field.type)
            if kept is given:
                continue
        if cleaned is value:
            cleaned = dict(value)
        if kept is None:
            del cleaned[name]
        else:
            cleaned[name] = kept
    return cleaned


def _means_absent(given: Any, wanted: inspect.Type) -> bool:
    return given is None or (given == "" and not _accepts_empty_text(wanted))


def _accepts_empty_text(wanted: inspect.Type) -> bool:
    match wanted:
        case inspect.Metadata(type=inner):
            return _accepts_empty_text(inner)
        case inspect.EnumType(cls=enum):
            return "" in enum._value2member_map_
        case inspect.UnionType(types=types):
            return any(_accepts_empty_text(t) for t in types)
        case inspect.StrType(pattern=pattern):
            return pattern is None  # an id is never empty
        case _:
            return not isinstance(wanted, (*_SCALARS, inspect.NoneType))
