"""`make bench`: measure the agent, print a table, write build/bench.json.

    python tests/bench/run.py [--quick] [--only PATTERN]...

Everything is on loopback, bounded in time, and gone at the end. The exit code is 0 also when a target is missed: the
table says so. 1: something could not be measured that should have been.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import machine
import rows_block_domain
import rows_calls
import rows_command
import rows_create
import rows_file_domain
import rows_fresh
import rows_hang
import rows_helper
import rows_migration
import rows_network
import rows_process
import rows_thin
import rows_transfers
import rows_vm_create
import rows_vm_many
import table
from agent import ROOT, AgentFailed
from bench import Bench
from clients import LoadFailed

from deploy.bed.line import BedEnded, BedNotReady
from deploy.bed.machine import CommandFailed
from ovis.wire.errors import WireError

GROUPS = (
    rows_calls,
    rows_fresh,
    rows_hang,
    rows_create,
    rows_process,
    rows_helper,
    rows_command,
    rows_vm_create,
    rows_vm_many,
    rows_migration,
    rows_file_domain,
    rows_transfers,
    rows_block_domain,
    rows_thin,
    rows_network,
)


def main() -> int:
    options = _options()
    bench = Bench(options.quick, options.only, table.Table().show)
    print(machine.describe())
    failed = False
    for group in GROUPS:
        try:
            group.measure(bench)
        except (AgentFailed, LoadFailed, WireError, BedEnded, BedNotReady, CommandFailed, AssertionError) as error:
            failed = True
            bench.notes.append(f"{group.__name__}: {error}")
    for note in bench.notes:
        print(f"NOT MEASURED: {note}")
    missed = [row.name for row in bench.rows if row.is_met is False]
    met = sum(row.is_met is True for row in bench.rows)
    table.write(bench, machine.describe(), options.json)
    print(f"\n{met} targets met, {len(missed)} missed; {options.json}")
    for name in missed:
        print(f"  missed: {name}")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--quick", action="store_true", help="few and short rounds: does it work?")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="rows whose name holds this")
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench.json", help="where the figures go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
