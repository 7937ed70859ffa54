"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ovis.schema.model import Schema

Problems = Iterator[tuple[str, str]]
"""Pairs of a place and what is wrong there."""


@dataclass(frozen=True)
class Rule:
    """`id` is for people and tests, `reason` one line on why the rule is there, `find` gives what breaks it.

    What breaks an advisory rule is shown and fails nothing: the wire forms of old clients leave no choice there.
    """

    id: str
    reason: str
    find: Callable[[Schema], Problems]
    is_advisory: bool = False
