"""The tier of tests in test beds."""

import time
from pathlib import Path

from deploy.bed import availability
from deploy.check.tiers import pytest_tier
from deploy.check.verdict import Verdict


def bed_tier(root: Path) -> Verdict:
    """Builds the bed first where it is missing: that is no test's time."""
    started = time.monotonic()
    if reason := availability.missing():
        return Verdict("bed", time.monotonic() - started, notes=(f"cannot run: {reason}",))
    return pytest_tier(root, "bed", markers="bed", deadline=1800, again=600)
