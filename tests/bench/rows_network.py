"""Networks of the host in a bed, against the same made by ip(8) (network_program.py)."""

from __future__ import annotations

from pathlib import Path

import in_bed
from bench import Bench
from rows import Round, row

GROUP = "networks, in a bed of one CPU"
OURS = "100 networks with VLANs in one call"
THEIRS = "the same by ip -batch and sysctl"
RATIO = "100 networks with VLANs, against ip -batch"
_TARGET = 1.5
_PROGRAM = Path(__file__).with_name("network_program.py")


def measure(bench: Bench) -> None:
    if not bench.wants_any([OURS, THEIRS, RATIO]):
        return
    if reason := in_bed.why_not():
        bench.notes.append(f"{GROUP}: {reason}")
        return
    words = ("--quick",) if bench.quick else ()
    found, load = in_bed.figures(_PROGRAM, *words, services=())
    rounds = {figure: [Round(value, load) for value in values] for figure, values in found.items()}
    bench.add(row(GROUP, OURS, rounds["networks"], "s"))
    bench.add(row(GROUP, THEIRS, rounds["ip"], "s", note="for comparison"))
    bench.add(row(GROUP, RATIO, rounds["ratio"], "times", target=_TARGET))
