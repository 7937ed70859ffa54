"""Small conversions between values and how they travel; the generated codec is made of them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr


def in_bytes(holder: Struct, attribute: str, scale: int) -> None:
    """Turn a size (or a list of them) just read in units of `scale` bytes into bytes, in place. Absent stays absent.

    The classes are frozen; this runs before anybody else can hold the object.
    """
    value: Any = getattr(holder, attribute)
    if isinstance(value, list):
        force_setattr(holder, attribute, [item * scale for item in value])
    elif value is not None:
        force_setattr(holder, attribute, value * scale)


class HoldsAnyMember(type):
    """The metaclass of a class that stands for a union of objects and other values: what the codec has read counts as
    an instance, which msgspec asks for."""

    def __instancecheck__(cls, value: object) -> bool:
        return True
