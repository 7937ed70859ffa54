"""The result for people (a line a row, as soon as it is there) and for programs (JSON)."""

from __future__ import annotations

import json
from pathlib import Path

from bench import Bench
from rows import Row


class Table:
    """Prints rows; a new group begins with its heading."""

    def __init__(self) -> None:
        self._group = ""

    def show(self, row: Row) -> None:
        if row.group != self._group:
            self._group = row.group
            head = f"{'':64} {'median':>14} {'target':>10}        {'load':>5} {'busy':>5}"
            print(f"\n{row.group}\n{head}", flush=True)
        print(line(row), flush=True)


def line(row: Row) -> str:
    target = f"<= {number(row.target)}" if row.target is not None else ""
    verdict = {None: "", True: "met", False: "MISSED"}[row.is_met]
    also = "  ".join(f"{number(value)} {name}" for name, value in row.also.items())
    told = "  ".join(part for part in (also, row.note) if part)
    return (
        f"{row.name:62} {number(row.value):>8} {row.unit:7} {target:>10} {verdict:6} "
        f"{row.load.average:5.1f} {row.load.busy:5.0%}  {told}"
    )


def number(value: float) -> str:
    """Three digits that count, and never fewer than the whole number."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def write(bench: Bench, machine: str, file: Path) -> None:
    found = {
        "machine": machine,
        "quick": bench.quick,
        "notes": bench.notes,
        "rows": [
            {
                "group": row.group,
                "name": row.name,
                "value": row.value,
                "unit": row.unit,
                "target": row.target,
                "met": row.is_met,
                "rounds": row.rounds,
                "load_average": row.load.average,
                "cpu_busy": row.load.busy,
                "note": row.note,
                **row.also,
            }
            for row in bench.rows
        ],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
