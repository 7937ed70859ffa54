"""What rules decide, from what was measured. Nothing is changed here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ovis.node.policy.entities import DiskTune, Entity, Unknown, Value, Watched
from ovis.node.policy.evaluate import Evaluator
from ovis.node.policy.reader import Expression

HOST = "host"
DISK_LIMITS = "disk_limits"
_HUGE_PAGES = ("always", "madvise", "never")


@dataclass(frozen=True)
class Decision:
    """`target`: "host" or a VM's id. `disk`: target name of the disk whose limits `value` is."""

    target: str
    control: str
    value: int | str | Mapping[str, int]
    disk: str = ""


@dataclass(frozen=True)
class Decided:
    """`said`: what rules wanted to be told, and guests that they left out."""

    decisions: Sequence[Decision]
    said: Sequence[str]


def decide(
    rules: Sequence[Expression],
    parameters: Mapping[str, Value],
    host: Watched,
    guests: Sequence[Watched],
) -> Decided:
    """Only what differs from what is. Raises RuleError."""
    names = {"True": 1, "False": 0, **parameters, "Host": host, "Guests": list(guests)}
    evaluator = Evaluator(names)
    evaluator.run(rules)
    found = [Decision(HOST, name, value) for name, value in _changes(host)]
    for guest in guests:
        found += [Decision(guest.name, name, value) for name, value in _changes(guest)]
        found += [Decision(guest.name, DISK_LIMITS, disk.result, disk.target) for disk in _disks(guest)]
    return Decided(found, evaluator.said)


class Host(Watched):
    def check_control(self, name: str, value: Value) -> Value:
        return _checked(_HOST_CONTROLS, name, value)


class Guest(Watched):
    def check_control(self, name: str, value: Value) -> Value:
        return _checked(_GUEST_CONTROLS, name, value)


def _changes(watched: Watched) -> list[tuple[str, int | str]]:
    latest = watched.rows[-1] if watched.rows else {}
    found = []
    for name, value in watched.controls.items():
        assert isinstance(value, int | str)
        if latest.get(name) != value:
            found.append((name, value))
    return found


def _disks(guest: Watched) -> list[DiskTune]:
    disks = guest.rows[-1].get("io_tune") if guest.rows else None
    tunes = [disk for disk in disks if isinstance(disk, DiskTune)] if isinstance(disks, list) else []
    return [disk for disk in tunes if disk.result != disk.current]


def _number(least: int, most: int) -> Callable[[Value], int]:
    def check(value: Value) -> int:
        if not isinstance(value, int | float) or not math.isfinite(value) or not least <= value <= most:
            raise ValueError(f"a number from {least} to {most}")
        return int(value)

    return check


def _huge_pages(value: Value) -> str:
    if not isinstance(value, str) or value not in _HUGE_PAGES:
        raise ValueError(f"one of {', '.join(_HUGE_PAGES)}")
    return value


def _checked(controls: Mapping[str, Callable[[Value], int | str]], name: str, value: Value) -> int | str:
    if name not in controls:
        raise Unknown(f"has no control {name}; there are {', '.join(sorted(controls))}")
    try:
        return controls[name](value)
    except ValueError as error:
        shown = getattr(value, "name", value) if isinstance(value, Entity) else value
        raise Unknown(f"cannot have {name} {shown!r}: it must be {error}") from error


_HOST_CONTROLS: Mapping[str, Callable[[Value], int | str]] = {
    "ksm_run": _number(0, 2),
    "ksm_pages_to_scan": _number(0, (1 << 32) - 1),
    "ksm_sleep_millisecs": _number(0, (1 << 32) - 1),
    "ksm_merge_across_nodes": _number(0, 1),
    "huge_pages": _huge_pages,
    "cache_pressure": _number(1, 1000),
    "swappiness": _number(0, 200),
}
_GUEST_CONTROLS: Mapping[str, Callable[[Value], int | str]] = {
    "balloon_target": _number(0, 1 << 50),
    "vcpu_quota": _number(-1, 1 << 50),
    "vcpu_period": _number(1000, 1_000_000),
}
