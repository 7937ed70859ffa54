"""Where a VM is after a migration that may have gone wrong: one table, from what is found here and there. No I/O.

The rule behind it: libvirt starts the copy over there only when the one here stands still for good, so a copy that runs
there is the VM, and what stands here is its shell. A copy that libvirt left standing here ("held") may run again only
when it is certain that none runs there, nor ever will.
"""

from __future__ import annotations

from enum import StrEnum


class Here(StrEnum):
    MOVING = "moving"  # libvirt is still at it
    RUNS = "runs"  # or is paused for reasons of its own
    HELD = "held"  # libvirt left it paused at the switch-over
    GONE = "gone"
    PROVEN = "proven"  # libvirt itself said that it has moved
    UNKNOWN = "unknown"  # libvirt is away


class There(StrEnum):
    WAITING = "waiting"  # expected, or received and not started
    RUNS = "runs"  # or is paused after it ran
    ENDED = "ended"  # it ran and has ended since
    FAILED = "failed"  # it never ran
    ABSENT = "absent"  # nobody there knows of it
    UNKNOWN = "unknown"  # no answer


class Verdict(StrEnum):
    WAIT = "wait"
    STAYS = "stays"
    LEFT = "left"
    LOST = "lost"  # it is nowhere


W, S, L, X = Verdict.WAIT, Verdict.STAYS, Verdict.LEFT, Verdict.LOST

#                 WAITING RUNS ENDED FAILED ABSENT UNKNOWN
_ROWS: dict[Here, tuple[Verdict, ...]] = {
    Here.MOVING: (W, W, W, W, W, W),
    Here.RUNS: (S, L, S, S, S, S),
    Here.HELD: (W, L, L, S, S, W),
    Here.GONE: (W, L, L, X, X, W),
    Here.PROVEN: (L, L, L, L, L, L),
    Here.UNKNOWN: (W, W, W, W, W, W),
}
TABLE: dict[tuple[Here, There], Verdict] = {
    (here, there): verdict for here, row in _ROWS.items() for there, verdict in zip(There, row, strict=True)
}


def decide(here: Here, there: There, *, post_copy: bool) -> Verdict:
    """`post_copy`: the guest had been switched over while memory was missing there; then no copy here can run again."""
    found = TABLE[here, there]
    if found is Verdict.STAYS and post_copy and here is Here.HELD:
        return Verdict.LOST
    return found


def needs_there(here: Here) -> bool:
    """Whether the other side must be asked at all."""
    return len({TABLE[here, there] for there in There}) > 1
