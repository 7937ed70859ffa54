"""Exports: asked for, checked, run as jobs; an archive has its name only when it is whole.

check    path, words, disks, room; what is wrong is the answer of the call
act      a record is written, then `.ovis-<job>.part` beside the archive-to-be, disk by disk
publish  flushed, linked to its name (which fails when somebody else has taken it), the record says done, the part goes

A later agent finds the record: where the name leads to the part, the archive is whole; else the part is removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from ovis.client.types import HostJobType, OvaVm, VolumeFormat
from ovis.node import durable_files
from ovis.node.errors import BadParameter, NodeError
from ovis.node.exports import disks, manifest, ovf
from ovis.node.exports.archive import Archive
from ovis.node.exports.disks import Source
from ovis.node.exports.errors import ExportFailed, Interrupted
from ovis.node.exports.ovf import ExportedDisk
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.pools import Pool
from ovis.node.imports import targets
from ovis.node.imports.settings import ImportSettings
from ovis.node.imports.store import ImportStore, Record
from ovis.node.jobs import Job, JobExists, JobNotActive, Jobs, NoSuchJob, Phase

log = logging.getLogger(__name__)
T = TypeVar("T")

DISKS = CARDS = 64
NAME_LIMIT = 255
SUFFIX = ".ova"
FLUSH_SECONDS = 600.0
MIB = 1 << 20
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
"""What file systems without hard links answer (link(2))."""


@dataclass(frozen=True)
class Plan:
    """What was asked for and found. `part` becomes `target`."""

    vm: OvaVm
    vm_id: str
    sources: tuple[Source, ...]
    target: Path
    part: Path
    compressed: bool
    manifest: bool
    made: datetime


class Exports:
    """Made and used in the event loop; `recover` first, `close` when the jobs have been closed."""

    def __init__(self, jobs: Jobs, settings: ImportSettings, *, now: Callable[[], float] = time.time) -> None:
        self._jobs = jobs
        self._settings = settings
        self._now = now
        self._store = ImportStore(settings.exports)
        self._pool = Pool("exports", threads=4)
        self._slots = asyncio.Semaphore(settings.at_once)
        self._starting: set[str] = set()
        self._mine: set[str] = set()

    async def recover(self) -> None:
        """Tell of the exports that an earlier agent left, once, and leave nothing of them."""
        for record in await self._block(self._store.load):
            await self._block(partial(self._store.end_leftovers, record.id))
            is_whole = record.phase is Phase.DONE
            try:
                is_whole = is_whole or await self._block(partial(_is_whole, record))
                await self._block(partial(_remove, record.part))
                await self._block(partial(self._store.remove, record.id))
            except (OSError, HypervisorError) as error:
                log.warning("what is left of export %s cannot be removed yet: %s", record.id, error)
            job = Job(record.id, HostJobType.VIRT, record.description, phase=Phase.DONE if is_whole else Phase.FAILED)
            job.percent = 100 if is_whole else None
            job.error = None if is_whole else Jobs.explain(record.id, Interrupted(record.target or ""))
            self._jobs.restore(job)
            self._mine.add(job.id)

    def close(self) -> None:
        self._pool.close()

    async def export(self, path: str, vm: OvaVm, job_id: str, *, compressed: bool, with_manifest: bool) -> None:
        """Start it. Raises JobExists, BadParameter, BadDisk, BadTarget."""
        with self._reserved(job_id) as plain_id:
            _check(vm)
            target = await self._block(partial(_place, path, self._settings.ova_paths))
            sources = [await self._source(vm, number) for number in range(len(vm.disks))]
            made = datetime.fromtimestamp(self._now(), UTC)
            vm_id = vm.vm_id or str(uuid.uuid4())
            ovf.room(vm, vm_id, [source.size for source in sources], made)
            if not compressed:
                needed = sum(source.needed for source in sources)
                await self._block(partial(_check_room, target.parent, needed))
            part = target.with_name(f".ovis-{plain_id}.part")
            plan = Plan(vm, vm_id, tuple(sources), target, part, compressed, with_manifest, made)
            await self._begin(plan, plain_id)

    def abort(self, job_id: str) -> None:
        """Ask it to stop; one that has ended stays as it is. Raises NoSuchJob."""
        job = self._jobs.find(job_id)
        if job.id not in self._mine:
            raise NoSuchJob(job_id)
        with contextlib.suppress(JobNotActive):
            self._jobs.abort(job_id)

    async def _source(self, vm: OvaVm, number: int) -> Source:
        disk = vm.disks[number]
        folder = self._settings.storage_root / disk.pool_id / disk.domain_id / "images" / disk.image_id
        place = partial(targets.real, folder / disk.volume_id, self._settings.volumes)
        # The path is looked at and then used as it was given: a chain's names are relative to where it is seen.
        await self._block(place)
        driver = "qcow2" if disk.format is VolumeFormat.COW else "raw"
        return await disks.look(disk.volume_id, folder / disk.volume_id, driver)

    async def _begin(self, plan: Plan, job_id: str) -> None:
        """Returns when a record of the job is on the disk, or the job has failed because of that."""
        recorded = asyncio.Event()
        description = f"export {plan.vm.name} to {plan.target}"
        self._jobs.start(job_id, HostJobType.VIRT, description, lambda job: self._run(job, plan, recorded))
        self._mine.add(job_id)
        await recorded.wait()

    async def _run(self, job: Job, plan: Plan, recorded: asyncio.Event) -> None:
        try:
            try:
                await self._write(job, plan, Phase.RUNNING)
            finally:
                recorded.set()
            async with self._slots:
                await self._block(lambda: self._store.make_folder(job.id))
                with _told(plan.target):
                    await self._carry_out(job, plan)
        finally:
            await self._clear(job, plan)

    async def _carry_out(self, job: Job, plan: Plan) -> None:
        descriptor = await self._create(plan)
        try:
            await self._fill(job, plan, descriptor)
            await self._pool.run("flush an archive", partial(os.fsync, descriptor), deadline=FLUSH_SECONDS)
        finally:
            os.close(descriptor)
        publishing = asyncio.ensure_future(self._publish(job, plan))
        try:
            await asyncio.shield(publishing)
        except asyncio.CancelledError:
            await publishing
            if job.phase is not Phase.ABORTING:  # else the request came too late: it is done
                raise

    async def _create(self, plan: Plan) -> int:
        """A thread cannot be cancelled: what it opens is closed."""
        opening = asyncio.ensure_future(self._block(partial(_create, plan.part)))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            os.close(await opening)
            raise

    async def _publish(self, job: Job, plan: Plan) -> None:
        await self._block(partial(_publish, plan))
        await self._write(job, plan, Phase.DONE)

    async def _fill(self, job: Job, plan: Plan, descriptor: int) -> None:
        sizes = [source.size for source in plan.sources]
        limit = ovf.room(plan.vm, plan.vm_id, sizes, plan.made)
        archive = Archive(descriptor, description_limit=limit, made=plan.made.timestamp())
        written = []
        for number, source in enumerate(plan.sources, 1):
            offset = await self._block(archive.begin_disk)
            await disks.write(
                source,
                descriptor,
                offset,
                self._store.folder / job.id,
                compressed=plan.compressed,
                on_percent=self._progress(job, plan, number),
                on_start=lambda process: self._store.note_process(job.id, process),
            )
            size = await self._block(partial(archive.end_disk, source.id))
            written.append(manifest.Member(source.id, offset, size))
        rows = [
            ExportedDisk(disk, source.size, member.size)
            for disk, source, member in zip(plan.vm.disks, plan.sources, written, strict=True)
        ]
        text = archive.padded(ovf.write(plan.vm, plan.vm_id, rows, plan.made))
        if plan.manifest:
            sums = await manifest.write(descriptor, text, written, self._pool)
            await self._block(partial(archive.add, manifest.NAME, sums))
        await self._block(partial(archive.finish, text))

    def _progress(self, job: Job, plan: Plan, number: int) -> Callable[[int], None]:
        """By what is expected of each disk; an empty one weighs something, too."""
        weights = [source.needed + MIB for source in plan.sources]
        before, own, everything = sum(weights[: number - 1]), weights[number - 1], sum(weights)
        description = job.description.partition(": writing disk")[0]
        job.description = f"{description}: writing disk {number} of {len(weights)}"

        def told(percent: int) -> None:
            job.percent = min((before * 100 + own * percent) // everything, 99)

        told(0)
        return told

    async def _write(self, job: Job, plan: Plan, phase: Phase) -> None:
        record = Record(
            id=job.id, description=job.description, phase=phase, part=str(plan.part), target=str(plan.target)
        )
        try:
            await self._block(lambda: self._store.write(record))
        except OSError as error:
            if phase is Phase.DONE:  # it has its name and stays; the former record leads to the same
                log.warning("the end of export %s could not be written: %s", job.id, error)
                return
            raise ExportFailed(f"the state of the export cannot be written: {error}") from error

    async def _clear(self, job: Job, plan: Plan) -> None:
        """What cannot be removed now keeps its record, for the next agent."""
        try:
            await self._block(lambda: self._store.remove_folder(job.id))
            await self._block(partial(_remove, str(plan.part)))
            await self._block(lambda: self._store.remove(job.id))
        except (OSError, HypervisorError) as error:
            log.warning("%s is left until the agent starts again: %s", plan.part, error)

    async def _block(self, call: Callable[[], T]) -> T:
        return await self._pool.run("files of an export", call, deadline=self._settings.deadline)

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


def _check(vm: OvaVm) -> None:
    """Raises BadParameter."""
    if not vm.name or len(vm.name) > NAME_LIMIT:
        raise BadParameter("vm.name", f"it has {len(vm.name)} characters, it may have 1 to {NAME_LIMIT}")
    if vm.memory % MIB:
        raise BadParameter("vm.memory", f"{vm.memory} bytes are no whole MiB")
    if not 0 < len(vm.disks) <= DISKS:
        raise BadParameter("vm.disks", f"{len(vm.disks)} are given, an archive has 1 to {DISKS}")
    if len(vm.nics) > CARDS:
        raise BadParameter("vm.nics", f"{len(vm.nics)} are given, at most {CARDS} can be described")
    for number, disk in enumerate(vm.disks):
        if disk.interface not in ovf.OVIRT_BUS:
            raise BadParameter(f"vm.disks.{number}.interface", f"a disk on {disk.interface} cannot be described")
    for kind in ("image_id", "volume_id"):
        if len({getattr(disk, kind).lower() for disk in vm.disks}) < len(vm.disks):
            raise BadParameter("vm.disks", "an image is named twice")


def _place(path: str, allowed: tuple[Path, ...]) -> Path:
    """Where the archive will be, its folder without links. Blocks. Raises BadParameter."""
    if not os.path.isabs(path) or not path.isprintable() or len(path) > 4096:
        raise BadParameter("path", "it is not absolute, too long, or holds unprintable signs")
    name = os.path.basename(path)
    if not name.endswith(SUFFIX) or name.startswith(".") or len(os.fsencode(name)) > NAME_LIMIT:
        raise BadParameter("path", f"the name {name[:80]!r} does not end in {SUFFIX}, begins with a dot or is too long")
    folder = Path(os.path.realpath(os.path.dirname(path)))
    if not any(folder.is_relative_to(os.path.realpath(place)) for place in allowed):
        raise BadParameter("path", f"{folder} lies outside of the places allowed by `imports.ova_paths`")
    if not folder.is_dir():
        raise BadParameter("path", f"there is no folder {folder}")
    if os.path.lexists(folder / name):
        raise BadParameter("path", f"{folder / name} exists already: nothing is overwritten")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadParameter("path", f"the agent may not write into {folder}")
    return folder / name


def _check_room(folder: Path, needed: int) -> None:
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    if free < needed:
        raise BadParameter("path", f"the archive may need {needed} bytes in {folder}, {free} are free")


def _create(part: Path) -> int:
    """What the same job of an earlier agent has left gives way."""
    part.unlink(missing_ok=True)
    return os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _publish(plan: Plan) -> None:
    """Raises ExportFailed when the name was taken meanwhile."""
    try:
        try:
            os.link(plan.part, plan.target)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            if os.path.lexists(plan.target):  # no file system without links can tell and take in one step
                raise FileExistsError(error.errno, error.strerror, str(plan.target)) from error
            plan.part.rename(plan.target)
    except FileExistsError as error:
        raise ExportFailed(f"{plan.target} was made by somebody else meanwhile: nothing is overwritten") from error
    durable_files.flush(plan.target.parent)


def _is_whole(record: Record) -> bool:
    """Whether it has its name already; a file of that name alone may be somebody else's."""
    if record.part is None or record.target is None:
        return False
    try:
        return os.path.samefile(record.part, record.target)
    except FileNotFoundError:
        return False


def _remove(part: str | None) -> None:
    if part is not None and os.path.lexists(part):
        os.unlink(part)
        durable_files.flush(Path(part).parent)


@contextlib.contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except NodeError:
        raise
    except (OSError, HypervisorError) as error:
        raise ExportFailed(f"{target} was not written: {error}") from error
