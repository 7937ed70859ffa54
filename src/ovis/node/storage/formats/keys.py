"""Reading typed values out of KEY=VALUE pairs: each refusal names the key, and what nobody asked for is kept.

Assumptions: a key has 1 to 64 of A-Z, 0-9 and _ and begins with no digit. Numbers are decimal, ASCII, without blanks,
signs (but '-' where negative ones make sense) or separators.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from ovis.node.storage.formats.errors import Broken, Missing, shown
from ovis.node.storage.formats.identifiers import NOTHING, identifier

LARGEST = (1 << 63) - 1

_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_KEY = re.compile(r"[A-Z_][A-Z0-9_]{0,63}", re.ASCII)

Choice = TypeVar("Choice", bound=Enum)
Absent = TypeVar("Absent", int, None)


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None


class Keys:
    def __init__(self, what: str, keys: Mapping[str, str]) -> None:
        self._what = what
        self._keys = dict(keys)

    def text(self, key: str) -> str:
        value = self.optional(key)
        if value is None:
            raise Missing(self._what, key)
        return value

    def optional(self, key: str) -> str | None:
        return self._keys.pop(key, None)

    def number(self, key: str, *, at_least: int = 0, at_most: int = LARGEST) -> int:
        return self._number(key, self.text(key), at_least, at_most)

    def number_or(self, key: str, absent: Absent, *, at_least: int = 0, at_most: int = LARGEST) -> int | Absent:
        """`absent` when the key is not there or empty: old writers leave numbers empty that they do not know."""
        value = self.optional(key)
        return self._number(key, value, at_least, at_most) if value else absent

    def choice(self, key: str, choices: type[Choice]) -> Choice:
        value = self.text(key)
        try:
            return choices(value)
        except ValueError as error:
            known = ", ".join(str(choice.value) for choice in choices)
            raise Broken(self._what, key, f"{shown(value)} is none of {known}") from error

    def identifier(self, key: str) -> str:
        return identifier(self._what, key, self.text(key))

    def identifier_or_none(self, key: str) -> str | None:
        value = self.identifier(key)
        return None if value == NOTHING else value

    def rest(self) -> tuple[tuple[str, str], ...]:
        """What was not read, sorted."""
        return tuple(sorted(self._keys.items()))

    def _number(self, key: str, value: str, at_least: int, at_most: int) -> int:
        if not _NUMBER.fullmatch(value):
            raise Broken(self._what, key, f"not a number: {shown(value)}")
        number = int(value)
        if not at_least <= number <= at_most:
            raise Broken(self._what, key, f"{number} is not between {at_least} and {at_most}")
        return number
