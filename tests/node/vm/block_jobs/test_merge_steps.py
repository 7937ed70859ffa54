"""The table of a merge, row by row."""

import pytest

from ovis.node.vm.block_jobs.merge_steps import Next, Seen, next_of
from ovis.node.vm.disks.work import Merge, Step

CHAIN = ("top", "middle", "base")
ROWS = [
    (False, Step.BEGIN, Seen("commit", False, CHAIN), Next.WAIT),
    (False, Step.COPY, Seen("commit", False, CHAIN), Next.WAIT),
    (False, Step.COPY, Seen(None, False, ("leaf", "base")), Next.DONE),
    (False, Step.COPY, Seen("copy", False, ("leaf", "base")), Next.DONE),
    (False, Step.BEGIN, Seen(None, False, ("leaf", *CHAIN)), Next.FAILED),
    (True, Step.COPY, Seen("active_commit", False, CHAIN), Next.WAIT),
    (True, Step.BEGIN, Seen("active_commit", True, CHAIN), Next.PIVOT),
    (True, Step.COPY, Seen("active_commit", True, CHAIN), Next.PIVOT),
    (True, Step.PIVOT, Seen("active_commit", True, CHAIN), Next.PIVOT),
    (True, Step.PIVOT, Seen(None, False, ("base",)), Next.DONE),
    (True, Step.BEGIN, Seen(None, False, ("base",)), Next.DONE),
    (True, Step.PIVOT, Seen(None, False, CHAIN), Next.FAILED),
    (True, Step.COPY, Seen("commit", False, CHAIN), Next.FAILED),
    (True, Step.COPY, Seen(None, False, ("elsewhere",)), Next.FAILED),
]


@pytest.mark.parametrize(("is_active", "step", "seen", "expected"), ROWS)
def test_next_step_follows_from_what_is_seen(is_active: bool, step: Step, seen: Seen, expected: Next) -> None:
    merge = Merge(id="1", disk="vda", image_id="i", base="base", top="top", is_active=is_active, step=step)
    assert next_of(merge, seen) is expected


def test_a_call_that_is_under_way_may_still_start_it() -> None:
    merge = Merge(id="1", disk="vda", image_id="i", base="base", top="top", is_active=False)
    assert next_of(merge, Seen(None, False, CHAIN), may_still_start=True) is Next.WAIT
