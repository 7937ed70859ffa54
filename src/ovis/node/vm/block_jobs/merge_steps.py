"""A live merge as a table: what is seen of it, and what is to be done next. No I/O.

A merge is not followed from call to call but looked at, so that it does not matter who began it: the same table serves
an agent that has just asked QEMU, and one that starts again in the middle.

| noted | the disk's job in QEMU           | top in the chain | next                                                 |
|-------|----------------------------------|------------------|------------------------------------------------------|
| any   | commit                           | any              | WAIT                                                 |
| any   | active_commit, copying           | any              | WAIT                                                 |
| COPY  | active_commit, ready             | any              | PIVOT: note it, then ask                             |
| BEGIN | active_commit, ready             | any              | PIVOT                                                |
| PIVOT | active_commit, ready             | any              | PIVOT: it was not asked, or did not work             |
| any   | none, or of another kind         | no               | DONE                                                 |
| BEGIN | none, or of another kind         | yes              | FAILED, once no call under way can start it   |
| COPY  | none, or of another kind         | yes              | FAILED                                               |
| PIVOT | none, or of another kind         | yes              | FAILED: the guest goes on where it was               |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ovis.node.vm.disks.work import Merge, Step

KINDS = {True: "active_commit", False: "commit"}


class Next(StrEnum):
    WAIT = "wait"
    PIVOT = "pivot"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Seen:
    """`job`: kind of the disk's block job. `chain`: paths from the layer in use down; read after the job was."""

    job: str | None
    is_ready: bool
    chain: tuple[str, ...]


def next_of(merge: Merge, seen: Seen, *, may_still_start: bool = False) -> Next:
    """`may_still_start`: the call that asked for it has not come back from libvirt."""
    if seen.job == KINDS[merge.is_active]:
        return Next.PIVOT if merge.is_active and seen.is_ready else Next.WAIT
    if merge.top not in seen.chain and merge.base in seen.chain:
        return Next.DONE
    if merge.step is Step.BEGIN and may_still_start:
        return Next.WAIT
    return Next.FAILED
