"""Operators of rules: those of arithmetic, comparison and text, with bounds for what they make."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from ovis.node.policy.entities import Value
from ovis.node.policy.errors import Place, RuleError

LONGEST_TEXT = 64 << 10
LARGEST_BITS = 256
SHIFT_MOST = 64


def checked(value: Value, place: Place) -> Value:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise RuleError(place, f"a text of more than {LONGEST_TEXT} characters")
    if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
        raise RuleError(place, "a number that is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise RuleError(place, "a number that is too large")
    return value


def told(value: Value) -> str:
    return str(getattr(value, "name", "nil" if value is None else value))[:80]


def _multiply(*values: Any) -> Value:
    if any(isinstance(one, str) for one in values):
        length = math.prod(len(one) if isinstance(one, str) else max(one, 1) for one in values)
        if length > LONGEST_TEXT:
            raise ValueError(f"the text would be longer than {LONGEST_TEXT} characters")
    found: Value = values[0]
    for one in values[1:]:
        found = operator.mul(found, one)
    return found


def _divide(left: float, right: float) -> float:
    """Of whole numbers the whole part."""
    return left // right if isinstance(left, int) and isinstance(right, int) else left / right


def _add(*values: object) -> Value:
    found: Value = values[0]
    for one in values[1:]:
        found = operator.add(found, one)
    return found


def _shift(work: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def shifted(value: int, bits: int) -> int:
        if not 0 <= bits <= SHIFT_MOST:
            raise ValueError(f"shifts by 0 to {SHIFT_MOST} bits")
        return work(value, bits)

    return shifted


_MANY = 1000
TAKES_NIL = frozenset({"==", "!=", "not", "null", "valid"})
OPERATORS: Mapping[str, tuple[int, int, Callable[..., Value]]] = {
    "+": (2, _MANY, _add),
    "-": (2, 2, operator.sub),
    "*": (2, _MANY, _multiply),
    "/": (2, 2, _divide),
    "<<": (2, 2, _shift(operator.lshift)),
    ">>": (2, 2, _shift(operator.rshift)),
    "<": (2, 2, operator.lt),
    ">": (2, 2, operator.gt),
    "<=": (2, 2, operator.le),
    ">=": (2, 2, operator.ge),
    "==": (2, 2, operator.eq),
    "!=": (2, 2, operator.ne),
    "not": (1, 1, operator.not_),
    "min": (1, _MANY, lambda *values: min(values)),
    "max": (1, _MANY, lambda *values: max(values)),
    "abs": (1, 1, abs),
    "null": (1, _MANY, lambda *values: all(value is None for value in values)),
    "valid": (0, _MANY, lambda *values: None not in values),
}
