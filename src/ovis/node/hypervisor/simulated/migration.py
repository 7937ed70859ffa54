"""Migration and saving of simulated domains: the phases of libvirt's peer-to-peer protocol, and what its daemons do
when they or the network fail in each of them.

    BEGIN      the job is there; the other daemon knows nothing yet
    PREPARE    a QEMU waits for the memory over there ("Started migrated", paused)
    PERFORM    memory flows, in iterations; cancelling works
    PERFORMED  all of it is there, this side is paused ("migration"); nobody runs
    FINISH     the CPUs run over there ("Resumed migrated")
    CONFIRM    this side is gone ("Stopped migrated")

The job belongs to the daemon: it goes on when the agent that asked for it is dead.
Source: libvirt, src/qemu/qemu_migration.c and qemuProcessRecoverMigration; the contract tests of the real tier.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.node.hypervisor.errors import DomainExists, HypervisorLost, OperationFailed, OperationRefused
from ovis.node.hypervisor.events import JobCompleted, MigrationIteration, Paused, Resumed, Started
from ovis.node.hypervisor.migration import JobKind, JobProgress, Method, Route
from ovis.node.hypervisor.simulated.domain import SimulatedDomain, make
from ovis.node.hypervisor.states import DomainState

if TYPE_CHECKING:
    from ovis.node.hypervisor.simulated.hypervisor import SimulatedHypervisor

ITERATION_SECONDS = 0.1
MAGIC = "simulated memory\n"


class Phase(StrEnum):
    BEGIN = "begin"
    PREPARE = "prepare"
    PERFORM = "perform"
    PERFORMED = "performed"
    FINISH = "finish"
    CONFIRM = "confirm"


class _Broken(Exception):
    """The connection between the two daemons has ended."""


class Job:
    """A migration or save under way. `remaining` is a part (0..1) of the memory."""

    def __init__(self, kind: JobKind) -> None:
        self.kind = kind
        self.phase = Phase.BEGIN
        self.iteration = 0
        self.remaining = 1.0
        self.cancelled = False
        self.post_copy = False
        self.broken: str | None = None
        self.ended = asyncio.Event()
        self.error: Exception | None = None

    def check(self) -> None:
        if self.broken is not None:
            raise _Broken(self.broken)


class SimulatedMigration:
    """`peers`: the other hypervisors by their URI. `dirty`: the part of the memory that the guest changes during an
    iteration; from 1 on a migration never converges. `bandwidth` and `downtime` are what was asked for last.
    """

    def __init__(self, here: SimulatedHypervisor) -> None:
        self._here = here
        self.peers: dict[str, SimulatedHypervisor] = {}
        self.iterations = 2
        self.dirty = 0.0
        self.converges_at_downtime: float | None = None
        self.bandwidth: dict[str, int] = {}
        self.downtime: dict[str, float] = {}
        self.methods: list[Method] = []
        self.given_xml: list[str | None] = []
        self.jobs: dict[str, Job] = {}
        self._gates: dict[Phase, asyncio.Event] = {}
        self._reached: dict[Phase, asyncio.Event] = {}

    # For tests

    def stop_at(self, phase: Phase) -> asyncio.Event:
        """Jobs wait when they have entered `phase` until `go`; the event tells that one is there."""
        self._gates[phase] = asyncio.Event()
        self._reached[phase] = asyncio.Event()
        return self._reached[phase]

    def go(self, phase: Phase) -> None:
        self._gates.pop(phase).set()

    def break_connections(self, why: str = "the network is cut") -> None:
        """Between the daemons: as a cut network, or the end of one of them, shows to the other."""
        for job in self.jobs.values():
            job.broken = why
        for gate in self._gates.values():
            gate.set()
        self._gates.clear()

    # The interface

    async def migrate(
        self, domain_id: str, route: Route, method: Method, *, xml: str | None = None, deadline: float | None = None
    ) -> None:
        domain = await self._here._on("migrate", domain_id, None)
        self._refuse_second(domain_id)
        self.methods.append(method)
        self.given_xml.append(xml)
        if method.bandwidth:
            self.bandwidth[domain_id] = method.bandwidth
        job = self.jobs[domain_id] = Job(JobKind.MIGRATION_OUT)
        self._here._begin(self._carry(domain, job, route, method))
        await self._outcome(job)

    async def progress(self, domain_id: str, *, deadline: float | None = None) -> JobProgress | None:
        domain = await self._here._on("progress", domain_id, deadline)
        job = self.jobs.get(domain_id)
        if job is None:
            return None
        if job.phase in (Phase.BEGIN, Phase.PREPARE):
            return JobProgress(job.kind)
        return JobProgress(job.kind, domain.memory, int(domain.memory * min(job.remaining, 1.0)), job.iteration)

    async def cancel(self, domain_id: str, *, deadline: float | None = None) -> None:
        await self._here._on("cancel", domain_id, deadline)
        job = self.jobs.get(domain_id)
        if job is None:
            raise OperationRefused("no job is active on the domain")
        if job.post_copy:
            raise OperationRefused("migration job in post-copy phase cannot be aborted")
        job.cancelled = True
        for gate in self._gates.values():
            gate.set()
        self._gates.clear()

    async def set_bandwidth(self, domain_id: str, bandwidth: int, *, deadline: float | None = None) -> None:
        await self._here._on("set_bandwidth", domain_id, deadline)
        self.bandwidth[domain_id] = bandwidth

    async def set_downtime(self, domain_id: str, seconds: float, *, deadline: float | None = None) -> None:
        await self._here._on("set_downtime", domain_id, deadline)
        self.downtime[domain_id] = seconds

    async def start_post_copy(self, domain_id: str, *, deadline: float | None = None) -> None:
        await self._here._on("start_post_copy", domain_id, deadline)
        job = self.jobs.get(domain_id)
        if job is None or job.kind is not JobKind.MIGRATION_OUT:
            raise OperationRefused("post-copy can only be started while outgoing migration is in progress")
        job.post_copy = True

    async def migratable_xml(self, domain_id: str, *, secure: bool, deadline: float | None = None) -> str:
        return (await self._here._on("migratable_xml", domain_id, deadline)).xml(secure=secure)

    async def save(self, domain_id: str, path: str, *, deadline: float | None = None) -> None:
        domain = await self._here._on("save", domain_id, None)
        self._refuse_second(domain_id)
        job = self.jobs[domain_id] = Job(JobKind.SAVE)
        self._here._begin(self._write(domain, job, path))
        await self._outcome(job)

    async def restore(self, path: str, *, paused: bool, xml: str | None = None, deadline: float | None = None) -> None:
        await self._here._enter("restore", None, deadline)
        here = self._here
        domain = make(xml or _read(path), next(here._numbers), here._guest, here._load)
        here.faults.check("restore", domain.id, after=False)
        if domain.id in here._domains:
            raise DomainExists(domain.id)
        here._domains[domain.id] = domain
        here._publish(Started(domain.id, "restored"))
        if paused:
            here.pause(domain.id, "user", event="restored")
        else:
            domain.enter(DomainState.RUNNING, "restored", here.clock.now())
            here._begin(here._boot(domain))

    async def saved_xml(self, path: str, *, deadline: float | None = None) -> str:
        await self._here._enter("saved_xml", None, deadline)
        return _read(path)

    # What the daemon does

    def _refuse_second(self, domain_id: str) -> None:
        if domain_id in self.jobs:
            raise OperationRefused("another job is active on the domain")

    async def _outcome(self, job: Job) -> None:
        """A daemon that goes away takes its callers' answers with it; what it began is put right when it returns."""
        loss = asyncio.ensure_future(self._here._loss.wait())
        ended = asyncio.ensure_future(job.ended.wait())
        try:
            await asyncio.wait({loss, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loss.cancel()
            ended.cancel()
        if not job.ended.is_set():
            raise HypervisorLost(self._here._lost or "the daemon has ended")
        if job.error is not None:
            raise job.error

    async def _carry(self, domain: SimulatedDomain, job: Job, route: Route, method: Method) -> None:
        was_running = domain.state is DomainState.RUNNING
        there: SimulatedHypervisor | None = None
        arrived = False
        try:
            await self._enter(job, Phase.BEGIN)
            there = self._reach(route)
            copy = self._prepare(domain, there)
            await self._enter(job, Phase.PREPARE)
            if method.bandwidth:  # only now: a limit set before is overwritten
                self.bandwidth[domain.id] = method.bandwidth
            await self._enter(job, Phase.PERFORM)
            await self._transfer(domain, job, there)
            domain.enter(DomainState.PAUSED, "migration", self._here.clock.now())
            self._here._publish(Paused(domain.id, "migrated"))
            await self._enter(job, Phase.PERFORMED)
            self._finish(copy, there, runs=was_running, post_copy=job.post_copy)
            arrived = True
            await self._enter(job, Phase.FINISH)
            self._confirm(domain, job)
        except _Broken as error:
            self._undo(domain, job, there, arrived=arrived, was_running=was_running)
            job.error = OperationFailed(str(error))
        except OperationFailed as error:
            self._undo(domain, job, there, arrived=False, was_running=was_running)
            job.error = error
        finally:
            self.jobs.pop(domain.id, None)
            job.ended.set()

    def _reach(self, route: Route) -> SimulatedHypervisor:
        there = self.peers.get(route.daemon)
        if there is None or there._lost is not None:
            raise OperationFailed(f"unable to connect to server at {route.daemon}")
        return there

    async def _enter(self, job: Job, phase: Phase) -> None:
        job.phase = phase
        if (reached := self._reached.get(phase)) is not None:
            reached.set()
        gate = self._gates.get(phase)
        if gate is not None:
            await gate.wait()
        await asyncio.sleep(0)
        job.check()
        if job.cancelled and phase in (Phase.BEGIN, Phase.PREPARE, Phase.PERFORM):
            raise OperationFailed("operation aborted: migration out job: canceled by client")

    def _require_alive(self, domain: SimulatedDomain) -> None:
        if domain.id not in self._here._domains:
            raise OperationFailed("domain is no longer running")

    def _prepare(self, domain: SimulatedDomain, there: SimulatedHypervisor) -> SimulatedDomain:
        if domain.id in there._domains:
            raise OperationFailed(f"domain {domain.id} is already active over there")
        there_faults = there.faults
        try:
            there_faults.check("incoming", domain.id, after=False)
        except Exception as error:
            raise OperationFailed(str(error)) from error
        copy = make(domain.xml(secure=True), next(there._numbers), there._guest, there._load)
        copy.enter(DomainState.PAUSED, "migration", there.clock.now())
        there._domains[copy.id] = copy
        there._publish(Started(copy.id, "migrated"))
        return copy

    async def _transfer(self, domain: SimulatedDomain, job: Job, there: SimulatedHypervisor) -> None:
        while job.remaining > 0:
            await self._here.clock.sleep(ITERATION_SECONDS)
            job.check()
            self._require_alive(domain)
            if domain.id not in there._domains:
                raise OperationFailed("the other side has ended")
            if job.cancelled:
                raise OperationFailed("operation aborted: migration out job: canceled by client")
            job.iteration += 1
            self._here._publish(MigrationIteration(domain.id, job.iteration))
            enough = self.downtime.get(domain.id, 0.3) >= (self.converges_at_downtime or 1e9)
            if job.post_copy or enough:
                return
            job.remaining = max(job.remaining - 1 / self.iterations, 0.0) if self.dirty < 1 else self.dirty

    def _finish(self, copy: SimulatedDomain, there: SimulatedHypervisor, *, runs: bool, post_copy: bool) -> None:
        if copy.id not in there._domains:
            raise OperationFailed("the other side has ended")
        if runs:
            copy.enter(DomainState.RUNNING, "migrated", there.clock.now())
            copy.agent_connected = copy.has_agent_channel
            if post_copy:
                there._publish(Resumed(copy.id, "postcopy"))
            there._publish(Resumed(copy.id, "migrated"))
        else:
            copy.enter(DomainState.PAUSED, "user", there.clock.now())
            there._publish(Paused(copy.id, "paused"))

    def _confirm(self, domain: SimulatedDomain, job: Job) -> None:
        self._here._publish(JobCompleted(domain.id, {"operation": 4, "downtime": 40, "time_elapsed": 500}))
        if domain.id in self._here._domains:
            self._here._remove(domain, "migrated")
        job.phase = Phase.CONFIRM

    def _undo(
        self, domain: SimulatedDomain, job: Job, there: SimulatedHypervisor | None, *, arrived: bool, was_running: bool
    ) -> None:
        """What both daemons do on their own: each knows only its side."""
        if there is not None and not arrived and domain.id in there._domains and job.phase is not Phase.BEGIN:
            copy = there._domains[domain.id]
            if copy.reason == "migration":
                there._remove(copy, "failed")
        if domain.id not in self._here._domains:
            return
        # With all the memory sent and no word from over there, libvirt does not know: it leaves the domain paused.
        unsure = job.broken is not None and job.phase in (Phase.PERFORMED, Phase.FINISH)
        if was_running and not unsure:
            domain.enter(DomainState.RUNNING, "migration_canceled", self._here.clock.now())
            self._here._publish(Resumed(domain.id, "migrated"))
        elif not was_running:
            domain.enter(DomainState.PAUSED, "user", self._here.clock.now())

    async def _write(self, domain: SimulatedDomain, job: Job, path: str) -> None:
        was_running = domain.state is DomainState.RUNNING
        try:
            domain.enter(DomainState.PAUSED, "save", self._here.clock.now())
            self._here._publish(Paused(domain.id, "migrated"))
            await self._enter(job, Phase.PERFORM)
            self._here.faults.check("write", domain.id, after=False)
            self._require_alive(domain)
            _store(path, domain.xml(secure=True))
            self._here._remove(domain, "saved")
        except (_Broken, OperationFailed, OSError) as error:
            job.error = error if isinstance(error, OperationFailed) else OperationFailed(str(error))
            if was_running and domain.id in self._here._domains:
                domain.enter(DomainState.RUNNING, "save_canceled", self._here.clock.now())
                self._here._publish(Resumed(domain.id, "unpaused"))
        finally:
            self.jobs.pop(domain.id, None)
            job.ended.set()


def _store(path: str, xml: str) -> None:
    Path(path).write_text(MAGIC + xml)


def _read(path: str) -> str:
    try:
        text = Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise OperationFailed(str(error)) from error
    if not text.startswith(MAGIC):
        raise OperationFailed("image magic is incorrect")
    return text.removeprefix(MAGIC)
