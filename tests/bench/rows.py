"""A row of the result: one figure, its target, and the load of the machine while it was measured."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import machine


@dataclass(frozen=True)
class Load:
    """The machine during a round. `busy` is the part (0..1) of all cores that ran something, our own work included."""

    average: float
    busy: float


@dataclass(frozen=True)
class Round:
    value: float
    load: Load
    also: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """The median of `rounds` rounds. A target is an upper bound; without one the row is for information."""

    group: str
    name: str
    value: float
    unit: str
    rounds: int
    load: Load
    target: float | None = None
    also: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        return None if self.target is None else self.value <= self.target


def loaded(measure: Callable[[], tuple[float, Mapping[str, float]]]) -> Round:
    """One round of `measure`, with the load beside it."""
    before = machine.cpu_times()
    value, also = measure()
    return Round(value, load_since(before), also)


def load_since(before: machine.CpuTimes) -> Load:
    now = machine.cpu_times()
    passed = now.all - before.all
    return Load(os.getloadavg()[0], (now.busy - before.busy) / passed if passed > 0 else 0.0)


def row(
    group: str, name: str, rounds: Sequence[Round], unit: str, *, target: float | None = None, note: str = ""
) -> Row:
    also = {key: statistics.median(r.also[key] for r in rounds) for key in rounds[0].also}
    load = Load(statistics.median(r.load.average for r in rounds), statistics.median(r.load.busy for r in rounds))
    return Row(group, name, statistics.median(r.value for r in rounds), unit, len(rounds), load, target, also, note)


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that `part` (0..1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(part * len(ordered) + 0.5) - 1))]
