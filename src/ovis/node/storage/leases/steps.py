"""The steps of tasks that make, remove and rebuild leases (tasks/steps.py says what a step must bear).

The claim `external_leases` is held, so the record that a task has chosen stays its own also before it is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import DomainId, LeaseId
from ovis.node.storage.leases.errors import InNoPool
from ovis.node.storage.leases.external import ExternalLeases
from ovis.node.storage.leases.held import held
from ovis.node.storage.tasks.steps import Step, step

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage
    from ovis.node.storage.tasks.steps import Work

RECORD = "record"


@step("lease.make")
@dataclass(frozen=True)
class Make(Step):
    """`note`: what is kept with it from the beginning."""

    domain: DomainId
    lease: LeaseId
    note: str = ""

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        leases = ExternalLeases(domain)
        if RECORD not in work.notes:
            await work.remember(**{RECORD: await leases.reserve(self.lease)})
        resource = await leases.make(work.notes[RECORD], self.lease)
        if self.note:
            async with held(domain.locks, resource, host_id(work.storage)):
                await domain.locks.write_note(resource, self.note.encode())

    async def undo(self, work: Work) -> None:
        if RECORD in work.notes:
            domain = await work.storage.domain(self.domain)
            await ExternalLeases(domain).remove(work.notes[RECORD], self.lease)


@step("lease.find")
@dataclass(frozen=True)
class Find(Step):
    """Before a removal: afterwards it cannot be found again."""

    domain: DomainId
    lease: LeaseId

    async def do(self, work: Work) -> None:
        if RECORD not in work.notes:
            leases = ExternalLeases(await work.storage.domain(self.domain))
            await work.remember(**{RECORD: await leases.number(self.lease)})


@step("lease.remove")
@dataclass(frozen=True)
class Remove(Step):
    is_final = True

    domain: DomainId
    lease: LeaseId

    async def do(self, work: Work) -> None:
        leases = ExternalLeases(await work.storage.domain(self.domain))
        await leases.remove(work.notes[RECORD], self.lease)


@step("lease.rebuild")
@dataclass(frozen=True)
class Rebuild(Step):
    """Cut short it leaves an index that refuses everything but this."""

    is_final = True

    domain: DomainId

    async def do(self, work: Work) -> None:
        leases = ExternalLeases(await work.storage.domain(self.domain))
        await leases.rebuild(work.storage.now(), work.progress)


def host_id(storage: Storage) -> int:
    """Of this host in its pool. Raises InNoPool."""
    pool = storage.pools.joined
    if pool is None:
        raise InNoPool
    return pool.host_id
