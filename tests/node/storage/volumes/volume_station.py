"""A host with storage in a folder: the real root object, tasks and qemu-img over domains that behave."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import traceback
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar, cast

import pytest
from directory_store import DirectoryStore

from ovis.client.types import TaskResult
from ovis.node import processes
from ovis.node.errors import NodeError
from ovis.node.jobs import Jobs
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.repository import DomainPaths, Repository
from ovis.node.storage.formats.sanlock_areas import Geometry
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata
from ovis.node.storage.io.interface import FileIo
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.leases.errors import HostIdTaken
from ovis.node.storage.leases.interface import Locks, Lockspace
from ovis.node.storage.leases.local import LocalLocks
from ovis.node.storage.leases.simulated import SharedLeases
from ovis.node.storage.parts import Parts
from ovis.node.storage.settings import StorageSettings
from ovis.node.storage.storage import Storage
from ovis.node.storage.volumes import creating
from ovis.node.storage.volumes.creating import Wish
from ovis.node.storage.volumes.file_store import FileStore
from ovis.node.storage.volumes.plan import Plan
from ovis.node.storage.volumes.store import LeasePlace
from ovis.wire.events import Bus

T = TypeVar("T")
MIB = 1 << 20
FILE, BLOCK = DomainId("00000000-0000-4000-8000-0000000000f1"), DomainId("00000000-0000-4000-8000-0000000000b1")
OTHER = DomainId("00000000-0000-4000-8000-0000000000f2")
COW, RAW = VolumeFormat.COW, VolumeFormat.RAW
SPARSE, FULL = Allocation.SPARSE, Allocation.PREALLOCATED
HOST = 1


def image_id(number: int) -> ImageId:
    return ImageId(f"11111111-0000-4000-8000-{number:012}")


def volume_id(number: int) -> VolumeId:
    return VolumeId(f"22222222-0000-4000-8000-{number:012}")


CHANGES = ("write", "replace", "create", "resize", "make_folder", "rename", "link", "remove", "remove_tree")


class WatchedIo:
    """The real I/O process; `changed` is called before and after each change of storage."""

    def __init__(self, io: IoProcess) -> None:
        self._io = io
        self.changed: Callable[[str], None] = lambda _: None

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._io, name)
        if name not in CHANGES:
            return call

        async def change(*arguments: Any, **options: Any) -> Any:
            self.changed(f"before {name}")
            result = await call(*arguments, **options)
            self.changed(f"after {name}")
            return result

        return change


class FolderDomain:
    """Files: the real store and its process. Block: a store that behaves, without LVM."""

    def __init__(self, root: Path, domain: DomainId, locks: Locks, *, is_block: bool, version: int = 5) -> None:
        self.id, self.version, self.locks, self.is_block = domain, version, locks, is_block
        self.root = root
        (root / "images").mkdir(parents=True, exist_ok=True)
        (root / "ids").touch()
        # A block domain's own folder is not where its data are.
        self.paths = DomainPaths(PurePosixPath(root / "mnt" if is_block else root))
        self.lockspace = Lockspace(domain, LeasePlace(PurePosixPath(root / "ids")), Geometry())
        self._process = IoProcess([PurePosixPath(root)])
        self.io = WatchedIo(self._process)
        self.store: Any
        if is_block:
            self.store = DirectoryStore(root, domain, is_block=True, version=version)
        else:
            self.store = FileStore(cast(FileIo, self.io), self.paths, domain, version)

    def watch(self, changed: Callable[[str], None]) -> None:
        self.io.changed = changed
        if self.is_block:
            self.store.changed = changed

    def kill_io(self) -> None:
        if self._process.pid is not None:
            os.kill(self._process.pid, 9)

    def state(self) -> dict[str, Any]:
        """What lies there, without data."""
        names = ("records", "lv", "dev") if self.is_block else ("images",)
        files = [path for name in names for path in sorted((self.root / name).rglob("*")) if not path.is_dir()]
        found: dict[str, Any] = {f"{self.id} files": [str(path.relative_to(self.root)) for path in files]}
        for path in files:
            if path.parent.name == "records":
                found[f"{self.id}/{path.name}"] = path.read_text()
            elif path.name.endswith(".meta"):
                found[f"{self.id}/{path.name.removesuffix('.meta')}"] = path.read_text()
        return found

    async def close(self) -> None:
        await self._process.close()


class Station:
    def __init__(self, folder: Path, leases: SharedLeases | None = None) -> None:
        self.folder = folder
        self.has_faults = False
        self.locks: Locks = LocalLocks() if leases is None else leases.host("here")
        repository = Repository(PurePosixPath(folder / "rhev"), PurePosixPath(folder / "run/vdsm"))
        settings = StorageSettings(state=folder / "state", run=folder / "run", repository=repository)
        self.events = Bus()
        self.jobs = Jobs(self.events)
        self.storage = Storage(settings, self.jobs, self.events, parts=Parts(settings), now=lambda: 1_700_000_000.0)
        self.domains = {
            domain: FolderDomain(folder / domain, domain, self.locks, is_block=domain == BLOCK)
            for domain in (FILE, BLOCK, OTHER)
        }
        for domain in self.domains.values():
            self.storage.domains._open[domain.id] = domain  # type: ignore[assignment]

    def __getitem__(self, domain: DomainId) -> FolderDomain:
        return self.domains[domain]

    async def join(self) -> None:
        for domain in self.domains.values():
            await domain.locks.format_lockspace(domain.lockspace)
            async with asyncio.timeout(20):
                while True:  # a program of a station that was killed may take a moment to die
                    with contextlib.suppress(HostIdTaken):
                        await domain.locks.join(domain.lockspace, HOST)
                        break
                    await asyncio.sleep(0.01)

    async def start(self, plan: Plan, verb: str = "test") -> str:
        return await self.storage.tasks.start(verb, plan.steps, claims=plan.claims)

    async def done(self, plan: Plan) -> None:
        """Run it as a task that succeeds, unless storage has faults."""
        task = await self.storage.tasks.wait(await self.start(plan))
        assert self.has_faults or task.result is TaskResult.SUCCESS, task.message

    async def failed(self, plan: Plan) -> str:
        """Run it as a task that fails and is undone; its message."""
        task = await self.storage.tasks.wait(await self.start(plan))
        assert task.result is TaskResult.CLEAN_SUCCESS, f"{task.result}: {task.message}"
        return task.message

    async def create(self, wish: Wish) -> None:
        await self.done(await creating.plan(self[wish.domain], wish, now=1_700_000_000))  # type: ignore[arg-type]

    async def metadata(self, domain: DomainId, image: int, volume: int) -> VolumeMetadata:
        return await self[domain].store.read(image_id(image), volume_id(volume))

    async def path(self, domain: DomainId, image: int, volume: int) -> Path:
        """Active from here on, with all others of the image."""
        for other in await self[domain].store.volumes(image_id(image)):
            await self[domain].store.activate(image_id(image), other)
        return Path(await self[domain].store.activate(image_id(image), volume_id(volume)))

    async def close(self) -> None:
        await self.jobs.close()
        await self.storage.close()
        await self.locks.close()

    def state(self) -> dict[str, Any]:
        """Everything that lies on storage, without data: what a model is compared with."""
        return {key: value for domain in self.domains.values() for key, value in domain.state().items()}


def wish(domain: DomainId, image: int, volume: int, **given: Any) -> Wish:
    """A thin qcow2 volume of 64 MiB unless something else is said; `parent` in short (image, volume) or volume."""
    parent = given.pop("parent", None)
    if isinstance(parent, int):
        parent = (image, parent)
    settings = {"capacity": 64 * MIB, "format": COW, "allocation": SPARSE} | given
    named = None if parent is None else (image_id(parent[0]), volume_id(parent[1]))
    return Wish(domain, image_id(image), volume_id(volume), parent=named, **settings)


def run(folder: Path, work: Callable[[Station], Coroutine[Any, Any, T]], leases: SharedLeases | None = None) -> T:
    """Run `work` on a host whose earlier tasks, if it died, are recovered first."""

    async def main() -> T:
        station = Station(folder, leases)
        await station.join()
        await station.storage.prepared.recover(station[BLOCK])  # type: ignore[arg-type]
        await station.storage.tasks.recover_own()
        for task in station.storage.tasks.tagged(""):
            await station.storage.tasks.wait(task.task_id)
        try:
            return await work(station)
        finally:
            await station.close()

    return asyncio.run(main())


def killed_at(folder: Path, change: int, work: Callable[[Station], Coroutine[Any, Any, None]]) -> bool:
    """Run `work` in a process that is killed at its `change`th change of storage, or when a program that it ran has
    ended; False: it ended before."""
    left = [change]

    def count(_: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), 9)

    async def main(station: Station) -> None:
        for domain in station.domains.values():
            domain.watch(count)
        _watch_programs(count)
        await work(station)

    return dies_in(folder, main)


def dies_in(folder: Path, work: Callable[[Station], Coroutine[Any, Any, None]]) -> bool:
    """Run `work` in a process of its own, which may kill itself; whether it did."""
    pid = os.fork()
    if pid == 0:
        try:
            run(folder, work)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the work failed by itself"
    return os.WIFSIGNALED(status)


def _watch_programs(changed: Callable[[str], None]) -> None:
    """In this process, which ends soon."""
    call = processes.run

    async def watched(command: processes.Command, **options: Any) -> processes.Ended:
        ended = await call(command, **options)
        changed(f"after {command.arguments[0]}")
        return ended

    processes.run = watched


def deaths(
    folder: Path,
    before: Callable[[Station], Coroutine[Any, Any, None]],
    work: Callable[[Station], Coroutine[Any, Any, None]],
) -> Iterator[tuple[Path, bool]]:
    """Kill `work` at each change of storage, each time on a copy of what `before` has made (nothing of it active). The
    place, and whether the work was killed there; the last time it was not."""
    run(folder / "before", before)
    number = 0
    was_killed = True
    while was_killed:
        place = copied(folder / "before", folder / str(number))
        was_killed = killed_at(place, number, work)
        yield place, was_killed
        number += 1


def copied(source: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", "--sparse=always", source, target], check=True)
    return target


async def state(host: Station) -> dict[str, Any]:
    return host.state()


def every_death(
    folder: Path,
    before: Callable[[Station], Coroutine[Any, Any, None]],
    work: Callable[[Station], Coroutine[Any, Any, None]],
    *,
    also: Callable[[dict[str, Any], dict[str, Any]], bool] = lambda old, found: False,
) -> list[bool]:
    """Kill `work` at each change of storage and recover: what is there then is what was there before, or all of the
    work (or what `also` allows). For each death whether the work was found done; its place is FOLDER/NUMBER."""
    found: list[dict[str, Any]] = []
    for place, was_killed in deaths(folder, before, work):
        found.append(run(place, state))
        if not was_killed:
            break
    without, whole = run(folder / "before", state), found.pop()
    assert without != whole
    for number, left in enumerate(found):
        assert left in (without, whole) or also(without, left), f"killed at change {number}: {left}"
    assert len(found) > 1
    return [left == whole for left in found]


def every_fault(
    folder: Path,
    before: Callable[[Station], Coroutine[Any, Any, None]],
    work: Callable[[Station], Coroutine[Any, Any, None]],
    fault: int | None,
    *,
    also: Callable[[dict[str, Any], dict[str, Any]], bool] = lambda old, found: False,
) -> int:
    """Storage answers one change with `fault` (of errno), done or not, or `ovis-io` is killed before or after it
    (None): the work fails and nothing of it is left, or it is done, or what `also` allows. How many faults."""
    run(folder / "before", before)
    without = run(folder / "before", state)
    run(copied(folder / "before", folder / "whole"), work)
    whole = run(folder / "whole", state)
    number = 0
    while True:
        left = [number]

        def strike(domain: FolderDomain, what: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == -1 and fault is not None:
                raise OSError(fault, os.strerror(fault), what)
            if left[0] == -1:
                domain.kill_io()

        async def main(station: Station, strike: Callable[[FolderDomain, str], None] = strike) -> dict[str, Any]:
            for domain in station.domains.values():
                domain.watch(partial(strike, domain))
            station.has_faults = True
            with contextlib.suppress(NodeError, OSError):
                await work(station)
            return station.state()

        found = run(copied(folder / "before", folder / str(number)), main)
        if left[0] >= 0:
            assert found == whole
            return number
        assert found in (without, whole) or also(without, found), f"fault {number}: {found}"
        number += 1


def slow_qemu_img(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A qemu-img that copies 16 MiB in a second."""
    folder.mkdir()
    program = folder / "qemu-img"
    program.write_text(
        f"""#!/bin/sh
case $1 in commit|convert) what=$1; shift; set -- "$what" -r 16M "$@";; esac
exec {shutil.which("qemu-img")} "$@"
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def dies_at(percent: int) -> Callable[[int], None]:
    """Of a work that tells how far it is."""

    def told(now: int) -> None:
        if now >= percent:
            os.kill(os.getpid(), 9)

    return told


def qemu_io(path: Path, format: str, *commands: str) -> str:
    words = [word for command in commands for word in ("-c", command)]
    done = subprocess.run(["qemu-io", "-f", format, *words, str(path)], capture_output=True, text=True, check=True)
    assert "Pattern verification failed" not in done.stdout, done.stdout
    return done.stdout


def qemu_img(*words: str) -> str:
    return subprocess.run(["qemu-img", *words], capture_output=True, text=True, check=True).stdout
