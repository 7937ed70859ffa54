"""Imports: asked for, checked, run as jobs, and their results kept until somebody deletes them.

check   archive, description, disk images, volumes, address; what is wrong is the answer of the call
act     a record is written, then the job begins; a kill of the agent leaves it failed, never forgotten
publish the volumes are flushed, the record with the OVF is written, then the job is done
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from ovis.client.types import ErrorInfo, ExternalVmInfo, ExternalVmParams, HostJobType, V2VJobInfo
from ovis.node.errors import BadParameter, NodeError
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.external import External, Login
from ovis.node.hypervisor.pools import Pool
from ovis.node.imports import convert, foreign, manifest, ovf, v2v, work
from ovis.node.imports.errors import (
    BadArchive,
    BadTarget,
    ConnectionFailed,
    ConversionFailed,
    Interrupted,
    NoResult,
)
from ovis.node.imports.foreign import Way
from ovis.node.imports.ova import Ova
from ovis.node.imports.settings import ImportSettings
from ovis.node.imports.store import ImportStore, Record
from ovis.node.imports.targets import Target, Targets, TargetsByPath
from ovis.node.imports.work import Convert, CopyArchive, CopyForeign, Report, Tools
from ovis.node.jobs import KEPT, Job, JobExists, JobNotActive, JobNotDone, Jobs, NoSuchJob, Phase

log = logging.getLogger(__name__)
T = TypeVar("T")

V2V_STATUS = {
    Phase.PENDING: "starting",
    Phase.ABORTING: "aborted",
    Phase.ABORTED: "aborted",
    Phase.DONE: "done",
    Phase.FAILED: "error",
}


class Work(Protocol):
    async def run(self, tools: Tools, report: Report) -> str:
        """The OVF of the imported VM."""
        ...


class Imports:
    """Made and used in the event loop; `recover` first, `close` when the jobs have been closed."""

    def __init__(
        self,
        jobs: Jobs,
        external: External,
        settings: ImportSettings,
        *,
        emulates: Callable[[], bool],
        targets: Targets | None = None,
    ) -> None:
        self._jobs = jobs
        self._settings = settings
        self._targets = targets or TargetsByPath(settings.storage_root, settings.volumes)
        self._store = ImportStore(settings.records)
        self._pool = Pool("imports", threads=4)
        self._tools = Tools(external, self._pool, self._store, settings, emulates)
        self._slots = asyncio.Semaphore(settings.at_once)
        self._results: dict[str, str] = {}
        self._of_disk: dict[str, int] = {}
        self._taken: set[Path] = set()
        self._starting: set[str] = set()

    async def recover(self) -> None:
        """Know the imports of before the start again. One that ran then has failed; its password is gone."""
        await self._block(lambda: shutil.rmtree(self._settings.secrets, ignore_errors=True))
        records = await self._block(self._store.load)
        for record in records[:-KEPT]:
            await self._block(partial(self._store.remove, record.id))
        for record in records[-KEPT:]:
            known = record
            if record.phase not in (Phase.DONE, Phase.FAILED, Phase.ABORTED):
                await self._block(partial(self._store.end_leftovers, record.id))
                known = self._ended(record.id, record.description, Phase.FAILED, error=Interrupted())
                with _logged(f"import {record.id}"):  # a full disk must not keep the agent from starting
                    await self._write(known)
            job = Job(known.id, HostJobType.V2V, known.description, phase=known.phase, keep=True)
            job.error = known.error
            job.percent = 100 if known.phase is Phase.DONE else None
            self._jobs.restore(job)
            if known.ovf is not None:
                self._results[known.id] = known.ovf

    def close(self) -> None:
        self._pool.close()

    # Looking

    async def names(self, uri: str, user: str, password: str) -> list[str]:
        """Raises BadParameter, ConnectionFailed."""
        login = foreign.source(uri, user, password).login
        with _told_as_connection(login):
            return await self._tools.external.names(login)

    async def describe(self, uri: str, user: str, password: str, names: Collection[str]) -> list[ExternalVmInfo]:
        """A VM whose description cannot be used is left out and logged. Raises BadParameter, ConnectionFailed."""
        login = foreign.source(uri, user, password).login
        with _told_as_connection(login):
            domains = await self._tools.external.domains(login, names)
        found = []
        for domain in domains:
            try:
                found.append(foreign.info(domain))
            except BadParameter as error:
                log.warning("%s: left out: %s", login.uri, error)
        return found

    async def describe_ova(self, path: str) -> ExternalVmInfo:
        """Raises BadArchive, NoDescription."""
        with contextlib.ExitStack() as undo, _told_as_archive(path):
            archive = await self._block(lambda: Ova(path, self._settings.ova_paths))
            undo.callback(archive.close)
            checksums = await self._block(lambda: manifest.read(archive))
            await self._block(lambda: manifest.check_description(archive, checksums))
            return foreign.told(ovf.read(await self._block(archive.description), path))

    # Importing

    async def convert_ova(self, path: str, wanted: ExternalVmParams, job_id: str) -> None:
        """Start it. Raises JobExists, BadArchive, NoDescription, BadDisk, BadTarget, ConverterMissing."""
        with contextlib.ExitStack() as undo, _told_as_archive(path):
            job_id = undo.enter_context(self._reserved(job_id))
            archive = await self._block(lambda: Ova(path, self._settings.ova_paths))
            undo.callback(archive.close)
            checksums = await self._block(lambda: manifest.read(archive))
            await self._block(lambda: manifest.check_description(archive, checksums))
            what = f"OVA {path}"
            described = ovf.read(await self._block(archive.description), path)
            targets = undo.enter_context(self._claimed(await self._find_targets(wanted)))
            work.check_count(described.disks, targets)
            images = [
                await work.inspect(await self._block(partial(archive.content, disk.file)), disk, self._tools)
                if disk.file is not None
                else None
                for disk in described.disks
            ]
            for disk, image, target in zip(described.disks, images, targets, strict=True):
                size = image.size if image is not None else disk.capacity or 0
                await self._block(partial(convert.check_room, size, disk.file or disk.id, target))
            task: Work
            if self._converts(what, described.is_foreign):
                folder = self._store.folder / job_id
                task = Convert(wanted, job_id, targets, folder, archive=path)
            else:
                origin = f"imported from {path}"
                task = CopyArchive(described, images, targets, wanted.vm_name, job_id, origin, checksums)
                if described.is_foreign:
                    what += ", its guest as it is"
            await self._begin(job_id, f"import {wanted.vm_name} from {what}", task, undo)

    async def convert_external(self, uri: str, user: str, password: str, wanted: ExternalVmParams, job_id: str) -> None:
        """Start it. The other side is asked by the job. Raises JobExists, BadParameter, BadTarget, ConverterMissing."""
        source = foreign.source(uri, user, password)
        with contextlib.ExitStack() as undo:
            job_id = undo.enter_context(self._reserved(job_id))
            if source.way is Way.CONVERT:
                v2v.require(uri)
            targets = undo.enter_context(self._claimed(await self._find_targets(wanted)))
            folder = self._store.folder / job_id
            task: Work
            if source.way is Way.CONVERT:
                task = Convert(wanted, job_id, targets, folder, login=source.login)
            else:
                task = CopyForeign(source.login, wanted.vm_name, targets, job_id, folder)
            await self._begin(job_id, f"import {wanted.vm_name} from {source.login.uri}", task, undo)

    # Following

    def converted(self, job_id: str) -> str:
        """The OVF. Raises NoSuchJob, JobNotDone, NoResult."""
        job = self._find(job_id)
        if job.is_active:
            raise JobNotDone(job_id, job.phase)
        if job.id not in self._results:
            raise NoResult(job_id, job.phase)
        return self._results[job.id]

    def abort(self, job_id: str) -> None:
        """Ask it to stop; one that has ended stays as it is. Raises NoSuchJob."""
        self._find(job_id)
        with contextlib.suppress(JobNotActive):
            self._jobs.abort(job_id)

    async def delete(self, job_id: str) -> None:
        """Gone for good on return. Raises NoSuchJob, JobNotDone; ConversionFailed: its record cannot be removed."""
        job = self._find(job_id)
        if job.is_active:
            raise JobNotDone(job_id, job.phase)
        try:
            await self._block(partial(self._store.remove, job.id))
        except OSError as error:
            raise ConversionFailed(f"the record of the import cannot be removed: {error}") from error
        self._results.pop(job.id, None)
        with contextlib.suppress(NoSuchJob):  # two callers at once
            self._jobs.delete(job_id)

    def statistics(self) -> dict[str, V2VJobInfo]:
        """As in the host's statistics."""
        return {
            job.id: V2VJobInfo(
                description=job.description,
                status=V2V_STATUS.get(job.phase) or ("copying_disk" if job.id in self._of_disk else "starting"),
                progress_percent=100 if job.phase is Phase.DONE else self._of_disk.get(job.id, 0),
            )
            for job in self._jobs.select(HostJobType.V2V)
        }

    # Inside

    def _find(self, job_id: str) -> Job:
        job = self._jobs.find(job_id)
        if job.kind is not HostJobType.V2V:
            raise NoSuchJob(job_id)
        return job

    def _converts(self, what: str, is_foreign: bool) -> bool:
        """Whether virt-v2v does it. Raises ConverterMissing."""
        if self._settings.convert_guests == "always":
            v2v.require(what)
            return True
        return self._settings.convert_guests == "auto" and is_foreign and v2v.is_installed()

    async def _find_targets(self, wanted: ExternalVmParams) -> list[Target]:
        if not wanted.disks:
            raise BadTarget("list", "an import without disks is refused")
        return await self._block(lambda: self._targets.find(wanted))

    async def _begin(self, job_id: str, description: str, task: Work, undo: contextlib.ExitStack) -> None:
        """Returns when a record of the job is on the disk, or the job has failed because of that.

        What `undo` holds passes on to the job, which gives it back when it ends.
        """
        recorded = asyncio.Event()

        async def run(job: Job) -> None:
            with held:
                await self._run(job, task, recorded)

        self._jobs.start(job_id, HostJobType.V2V, description, run, keep=True)
        held = undo.pop_all()
        await recorded.wait()

    async def _run(self, job: Job, task: Work, recorded: asyncio.Event) -> None:
        """Whatever comes of it is written before the job tells it."""
        try:
            try:
                await self._write(Record(id=job.id, description=job.description, phase=Phase.RUNNING))
            finally:
                recorded.set()
            async with self._slots:
                text = await _in_words(self._carry_out(job, task))
                await self._write(Record(id=job.id, description=job.description, phase=Phase.DONE, ovf=text))
                self._results[job.id] = text
        except asyncio.CancelledError:
            if job.phase is Phase.ABORTING:
                await self._write(self._ended(job.id, job.description, Phase.ABORTED))
            raise
        except (NodeError, HypervisorError) as error:
            await self._write(self._ended(job.id, job.description, Phase.FAILED, error=error))
            raise
        finally:
            self._of_disk.pop(job.id, None)
            await self._block(lambda: self._store.remove_folder(job.id))

    async def _carry_out(self, job: Job, task: Work) -> str:
        await self._block(lambda: self._store.make_folder(job.id))
        return await task.run(self._tools, self._report(job))

    def _report(self, job: Job) -> Report:
        description = job.description

        def progress(disk: int, disks: int, percent: int) -> None:
            if job.is_active:
                self._of_disk[job.id] = percent
                job.percent = min(((disk - 1) * 100 + percent) // max(disks, 1), 99) if disk else 0
                job.description = f"{description}: copying disk {disk} of {disks}" if disk else description

        return Report(progress, lambda number: self._store.note_process(job.id, number))

    def _ended(self, job_id: str, description: str, phase: Phase, *, error: Exception | None = None) -> Record:
        told: ErrorInfo | None = None if error is None else Jobs.explain(job_id, error)
        return Record(id=job_id, description=description, phase=phase, error=told)

    async def _write(self, record: Record) -> None:
        try:
            await self._block(lambda: self._store.write(record))
        except OSError as error:
            raise ConversionFailed(f"the state of the import cannot be written: {error}") from error

    async def _block(self, call: Callable[[], T]) -> T:
        return await self._pool.run("files of an import", call, deadline=self._settings.deadline)

    @contextlib.contextmanager
    def _reserved(self, job_id: str) -> Iterator[str]:
        """The id in lower case; nobody else starts a job of it meanwhile. Raises JobExists."""
        plain = job_id.lower()
        self._jobs.check_free(plain)
        if plain in self._starting:
            raise JobExists(job_id)
        self._starting.add(plain)
        try:
            yield plain
        finally:
            self._starting.discard(plain)

    @contextlib.contextmanager
    def _claimed(self, targets: Sequence[Target]) -> Iterator[Sequence[Target]]:
        """No two imports write into one volume. Raises BadTarget."""
        paths = {target.path for target in targets}
        for target in targets:
            if target.path in self._taken:
                raise BadTarget(target.volume_id, "another import writes into it")
        self._taken |= paths
        try:
            yield targets
        finally:
            self._taken -= paths


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    try:
        yield
    except (NodeError, HypervisorError) as error:
        log.error("%s: %s", what, error)  # noqa: TRY400 - the trace would say nothing more


async def _in_words(call: Awaitable[str]) -> str:
    """Errors of the system, told as a failed conversion."""
    try:
        return await call
    except OSError as error:
        raise ConversionFailed(str(error)) from error


@contextlib.contextmanager
def _told_as_archive(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadArchive(path, error.strerror or str(error)) from error


@contextlib.contextmanager
def _told_as_connection(login: Login) -> Iterator[None]:
    try:
        yield
    except HypervisorError as error:
        raise ConnectionFailed(login.uri, str(error)) from error
