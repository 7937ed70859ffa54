"""Block domains in a bed: real LVM on a disk in memory, root helper, I/O process, sanlock (block_domain_program.py)."""

from __future__ import annotations

from pathlib import Path

import in_bed
from bench import Bench
from rows import Load, Round, percentile, row

GROUP = "block domains, in a bed of one CPU"
CHANGE = "volumes made and removed on a block domain"
GROW = "one thin volume extended, as the SPM does it"
REFRESH = "one extended volume seen by another host"
ACTIVATE = "one volume activated"
OPEN = "a block domain opened"
ATTACH = "a block domain attached to its pool"
START = "a block domain activated in its pool"
_SERVICES = ("udev", "sanlock")
_PROGRAM = Path(__file__).with_name("block_domain_program.py")
_PARTS = {
    "changes": {"changes": (CHANGE, "volumes/s")},
    "growth": {"grow": (GROW, "s"), "refresh": (REFRESH, "s"), "activate": (ACTIVATE, "s"), "open": (OPEN, "s")},
    "life": {"attach": (ATTACH, "s"), "activate": (START, "s")},
}


def measure(bench: Bench) -> None:
    wanted = {
        part: figures for part, figures in _PARTS.items() if bench.wants_any(name for name, _ in figures.values())
    }
    if not wanted:
        return
    if reason := in_bed.why_not():
        bench.notes.append(f"{GROUP}: {reason}")
        return
    for part, figures in wanted.items():
        words = (part, *(("--quick",) if bench.quick else ()))
        found, load = in_bed.figures(_PROGRAM, *words, services=_SERVICES)
        for figure, (name, unit) in figures.items():
            if bench.wants(name):
                bench.add(row(GROUP, name, _rounds(found[figure], load), unit, note=_spread(found[figure])))


def _rounds(values: list[float], load: Load) -> list[Round]:
    return [Round(value, load) for value in values]


def _spread(values: list[float]) -> str:
    if len(values) < 5:
        return ""
    return f"{min(values):.2f} to {max(values):.2f}, p95 {percentile(values, 0.95):.2f}"
