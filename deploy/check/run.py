"""make test: the checks and the test tiers one after another, then one table and one summary line.

    python -m deploy.check.run [lint] [unit] [real] [bed]        all of them by default

The exit code is 0 only if nothing failed. A tier that cannot run here does not fail the run; the table says why.
"""

import signal
import sys
from pathlib import Path

from deploy.check.bed_tier import bed_tier
from deploy.check.linters import lint
from deploy.check.tiers import pytest_tier
from deploy.check.verdict import Verdict, summary, table

ROOT = Path(__file__).resolve().parents[2]
TIERS = {
    "lint": lambda: lint(ROOT),
    # The guard against a hang; the tiers are to stay far below it.
    "unit": lambda: pytest_tier(ROOT, "unit", markers="not real and not bed", deadline=1200, again=300),
    "real": lambda: pytest_tier(ROOT, "real", markers="real", deadline=1500, again=600),
    "bed": lambda: bed_tier(ROOT),
}


def main(arguments: list[str]) -> int:
    chosen = arguments or list(TIERS)
    if unknown := set(chosen) - set(TIERS):
        print(f"no such tier: {', '.join(sorted(unknown))}; there are {', '.join(TIERS)}", file=sys.stderr)
        return 2
    verdicts: list[Verdict] = []
    for name in chosen:
        print(f"\n== {name}", flush=True)
        verdicts.append(TIERS[name]())
    print(f"\n{table(verdicts)}\n{summary(verdicts)}", flush=True)
    return 1 if any(verdict.failed for verdict in verdicts) else 0


if __name__ == "__main__":
    # pytest runs in a session of its own: a stop from outside must reach it through the `finally` that ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(sys.argv[1:]))
