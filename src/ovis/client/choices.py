"""Enums that can grow: a client reads a value that a newer agent has added, an agent refuses one that nobody declared.

Adding a value is no break of the API, so whoever reads an answer or an event must bear values it does not know. Such a
value becomes a member called UNKNOWN, equal to what travelled and to no declared member. Arguments are read strictly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum, StrEnum
from typing import Self

_accepts_new: ContextVar[bool] = ContextVar("accepts_new", default=False)


@contextmanager
def accepting_new_values() -> Iterator[None]:
    """While inside, reading a value that no enum declares gives UNKNOWN instead of an error."""
    before = _accepts_new.set(True)
    try:
        yield
    finally:
        _accepts_new.reset(before)


class TextChoice(StrEnum):
    """The base of enums whose values travel as text."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not (_accepts_new.get() and isinstance(value, str)):
            return None
        member = str.__new__(cls, value)
        member._name_, member._value_ = "UNKNOWN", value
        return member


class NumberChoice(IntEnum):
    """The base of enums whose values travel as numbers."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not (_accepts_new.get() and isinstance(value, int)):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = "UNKNOWN", value
        return member
