"""make test: the checks and the test tiers, then one table and one summary line.

    python -m deploy.check.run [lint] [unit] [real] [bed]        all of them by default

First what keeps the processors busy (lint, unit), then the tiers that mostly wait, side by side (lanes.py). The bed is
built meanwhile where it is missing. The exit code is 0 only if nothing failed. A tier that cannot run here does not
fail the run; the table says why.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from deploy.check.bed_image import BedImage
from deploy.check.lanes import in_lanes
from deploy.check.linters import lint
from deploy.check.tiers import pytest_tier, tried_again
from deploy.check.verdict import Verdict, summary, table

ROOT = Path(__file__).resolve().parents[2]
PROCESSORS = min(os.cpu_count() or 1, 4)
UNIT = (
    *("tests", "--ignore=tests/real", "--ignore=tests/bed"),
    *("--numprocesses", str(PROCESSORS), "--dist", "loadfile", "--max-worker-restart", "0"),
)
FOLDERS = {"real": "tests/real", "bed": "tests/bed"}
# The guards against a hang; the tiers are to stay far below them.
_UNIT_SECONDS, _FILE_SECONDS, _AGAIN_SECONDS = 1200, 1200, 600
_BUSY: dict[str, Callable[[], Verdict]] = {
    "lint": lambda: lint(ROOT),
    "unit": lambda: pytest_tier(ROOT, "unit", UNIT, deadline=_UNIT_SECONDS, again=300),
}
TIERS = (*_BUSY, *FOLDERS)


def main(arguments: list[str]) -> int:
    chosen = arguments or TIERS
    if unknown := set(chosen) - set(TIERS):
        print(f"no such tier: {', '.join(sorted(unknown))}; there are {', '.join(TIERS)}", file=sys.stderr)
        return 2
    started = time.monotonic()
    verdicts: list[Verdict] = []
    with BedImage(ROOT, wanted="bed" in chosen) as image:
        for name in chosen:
            if check := _BUSY.get(name):
                print(f"\n== {name}", flush=True)
                verdicts.append(check())
        folders = {name: FOLDERS[name] for name in chosen if name in FOLDERS}
        if "bed" in folders and (reason := image.missing()):
            verdicts.append(Verdict("bed", 0, notes=(f"cannot run: {reason}",)))
            del folders["bed"]
    if folders:
        print(f"\n== {', '.join(folders)}", flush=True)
        # together they leave a processor idle now and then; more lanes than this let guests and leases be late
        width = PROCESSORS + len(folders) - 1
        for verdict in in_lanes(ROOT, folders, width=width, guard=_FILE_SECONDS):
            verdicts.append(tried_again(ROOT, verdict, _AGAIN_SECONDS))
    print(f"\n{table(verdicts)}\nall of it took {time.monotonic() - started:.0f} s", flush=True)
    print(summary(verdicts), flush=True)
    return 1 if any(verdict.failed for verdict in verdicts) else 0


def clean_up_inherited() -> None:
    """What a place where this runs may have set, and what would cost time or let tests fail here."""
    # a shell that starts something in the background lets it ignore Ctrl-C, and so would every program under test
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # each agent, each bed and each pytest would compile all that it imports
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


if __name__ == "__main__":
    clean_up_inherited()
    # pytest runs in a session of its own: a stop from outside must reach it through the `finally` that ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(sys.argv[1:]))
