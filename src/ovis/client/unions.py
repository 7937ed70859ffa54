"""Which member of an untagged union a JSON object is.

A member cannot be meant when it needs a key that is not there, or when one of its keys with a fixed set of values holds
another value (`deviceType: video` is no disk). Of the others the nearest is meant. In this order: none of its needed
keys holds an empty text (existing engines send `iqn: ""` with an NFS server), it leaves the fewest keys unknown, most
of its keys with fixed values are there, the least of it is absent, it is the first in the schema. When neither it nor
another that is as near by the first three can hold the value, the problem of the nearest is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from ovis.client.verbs import FIXED_VALUES


@dataclass(frozen=True)
class _Member:
    cls: type[msgspec.Struct]
    known: frozenset[str]
    needed: frozenset[str]
    fixed: tuple[tuple[str, frozenset[str]], ...]
    """Keys whose values are those of an enum, as text."""

    def is_possible(self, value: dict[str, Any], keys: frozenset[str], told: frozenset[str]) -> bool:
        """Nothing that it needs is missing and no fixed value is foreign."""
        return self.needed <= keys and all(str(value[name]) in values for name, values in self.fixed if name in told)

    def distance(self, value: dict[str, Any], keys: frozenset[str], told: frozenset[str]) -> tuple[int, ...]:
        """Less is nearer. The first, foreign values and missing keys, is 0 in a member that can be meant.

        `keys` are those with a value, `told` those among them that say something.
        """
        matching = sum(name in told and str(value[name]) in allowed for name, allowed in self.fixed)
        foreign = sum(name in told for name, _ in self.fixed) - matching
        missing, empty, unknown = len(self.needed - keys), len(self.needed - told), len(told - self.known)
        return foreign + missing, empty, unknown, -matching, len(self.known - keys)


def read_member(
    members: tuple[type[msgspec.Struct], ...], value: Any, read: Callable[[Any, type[msgspec.Struct]], Any]
) -> Any:
    """Read `value` as the nearest member that can hold it. Raises ValueError with the nearest one's problem.

    `read` converts a value to a class or raises msgspec.ValidationError.
    """
    if not isinstance(value, dict):
        raise TypeError(f"Expected `object`, got `{type(value).__name__}`")
    keys = frozenset(key for key, item in value.items() if item is not None)
    told = frozenset(key for key in keys if value[key] != "")
    every = [_member(cls) for cls in members]
    candidates = [member for member in every if member.is_possible(value, keys, told)] or every
    ranked = sorted((member.distance(value, keys, told), index) for index, member in enumerate(candidates))
    first_problem: msgspec.ValidationError | None = None
    for distance, index in ranked:
        if distance[:3] > ranked[0][0][:3]:
            break  # a member that would drop what the nearest knows hides a mistake
        try:
            return read(value, candidates[index].cls)
        except msgspec.ValidationError as problem:
            first_problem = first_problem or problem
    nearest = candidates[ranked[0][1]].cls.__name__
    raise ValueError(f"as {nearest}, the nearest of {len(members)} forms: {_relative(str(first_problem))}")


def _relative(problem: str) -> str:
    """The path inside the member must not read like one from the top: ``at `$.size` `` → ``at `.size` ``."""
    return problem.replace(" - at `$", " at `")


@cache
def _member(cls: type[msgspec.Struct]) -> _Member:
    narrowed = FIXED_VALUES.get(cls, {})
    fields = inspect.type_info(cls).fields  # type: ignore[attr-defined]
    return _Member(
        cls=cls,
        known=frozenset(field.encode_name for field in fields),
        needed=frozenset(field.encode_name for field in fields if field.required),
        fixed=tuple(
            (f.encode_name, allowed) for f in fields if (allowed := narrowed.get(f.encode_name) or _allowed(f.type))
        ),
    )


def _allowed(wanted: inspect.Type) -> frozenset[str] | None:
    match wanted:
        case inspect.EnumType(cls=enum):
            return frozenset(_text(value) for value in enum)
        case inspect.UnionType(types=(inspect.EnumType() as one, inspect.NoneType())):
            return _allowed(one)
        case _:
            return None


def _text(value: Enum) -> str:
    return str(value.value)
