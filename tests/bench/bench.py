"""One run of the measurements: how thorough it is, what was asked for, and the rows so far."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rows import Row


@dataclass
class Bench:
    """`quick` shows that everything works; its figures mean little. `show` is told of each row."""

    quick: bool = False
    only: Sequence[str] = ()
    show: Callable[[Row], None] = lambda row: None
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be measured, and why."""

    def wants(self, name: str) -> bool:
        """`only` holds parts of names, or shell-like patterns of whole ones; empty means all."""
        return not self.only or any(part in name or fnmatch.fnmatchcase(name, part) for part in self.only)

    def wants_any(self, names: Iterable[str]) -> bool:
        return any(self.wants(name) for name in names)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        self.show(row)
