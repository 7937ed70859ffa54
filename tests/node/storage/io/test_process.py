"""IoProcess with its real process, on real files."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath

import pytest
import uvloop

from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.sanlock_areas import Geometry
from ovis.node.storage.io.interface import IoLost, IoStuck, IoTimeout
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.leases.held import while_trusted
from ovis.node.storage.leases.holder import holders
from ovis.node.storage.leases.interface import Lockspace
from ovis.node.storage.leases.local import LocalLocks, LockedFile
from ovis.node.storage.volumes.store import LeasePlace

PAGE = 4096


def run(folder: Path, work: Callable[[IoProcess, PurePosixPath], Awaitable[object]], **options: object) -> None:
    async def main() -> None:
        io = IoProcess([PurePosixPath(folder)], **options)  # type: ignore[arg-type]
        try:
            await work(io, PurePosixPath(folder))
        finally:
            await io.close()

    asyncio.run(main())


def test_files_are_made_written_and_read(tmp_path: Path) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.create(root / "a", size=3 * PAGE, mode=0o660)
        await io.write(root / "a", b"x" * PAGE, offset=PAGE, direct=True)
        assert await io.read(root / "a", offset=PAGE - 1, size=3) == b"\0xx"
        assert await io.read(root / "a", offset=2 * PAGE, size=2 * PAGE, direct=True) == bytes(PAGE)
        facts = await io.facts(root / "a")
        assert (facts.kind, facts.size, facts.mode, facts.links) == ("file", 3 * PAGE, 0o660, 1)
        with pytest.raises(FileExistsError):
            await io.create(root / "a")

    run(tmp_path, work)


def test_what_is_longer_than_a_message_is_cut_into_several(tmp_path: Path) -> None:
    data = os.urandom((9 << 20) + 5)

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.create(root / "long")
        await io.write(root / "long", data)
        assert await io.read(root / "long", size=len(data) + 100) == data

    run(tmp_path, work)


def test_replace_gives_new_content_and_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "meta").write_bytes(b"old and longer")
    (tmp_path / "meta.new").write_bytes(b"left by a crash")

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.replace(root / "meta", b"new", mode=0o600)
        assert await io.names(root) == ["meta"]

    run(tmp_path, work)
    assert (tmp_path / "meta").read_bytes() == b"new"
    assert (tmp_path / "meta").stat().st_mode & 0o777 == 0o600


def test_allocated_files_have_their_blocks(tmp_path: Path) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.create(root / "full", size=1 << 20, allocate=True)
        await io.create(root / "empty", size=1 << 20)
        await io.resize(root / "empty", 2 << 20, allocate=True)
        assert (await io.facts(root / "full")).allocated >= 1 << 20
        assert 1 << 20 <= (await io.facts(root / "empty")).allocated < 2 << 20

    run(tmp_path, work)


def test_a_tree_is_listed_down_to_its_depth(tmp_path: Path) -> None:
    (tmp_path / "one" / "two" / "three").mkdir(parents=True)
    (tmp_path / "one" / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("/etc")

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        found = await io.tree(root, depth=2)
        assert {str(path): facts.kind for path, facts in found.items()} == {
            "one": "folder", "one/two": "folder", "one/file": "file", "link": "link",
        }  # fmt: skip
        assert found[PurePosixPath("one/file")].size == 5
        listing = await io.listing(root)
        assert {name: sorted(inner) for name, inner in listing.items()} == {"one": ["file", "two"]}
        assert (await io.space(root)).total > 0
        assert 0 <= await io.read_delay(root / "one" / "file") < 60

    run(tmp_path, work)


def test_names_come_and_go(tmp_path: Path) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.make_folder(root / "f", mode=0o770)
        await io.create(root / "f" / "a")
        await io.link(root / "f" / "a", root / "f" / "b")
        assert (await io.facts(root / "f" / "b")).links == 2
        await io.rename(root / "f" / "a", root / "c")
        await io.remove(root / "c")
        await io.remove(root / "c", missing_ok=True)
        with pytest.raises(FileNotFoundError):
            await io.remove(root / "c")
        await io.remove_tree(root / "f")
        await io.remove_tree(root / "f")
        assert await io.names(root) == []

    run(tmp_path, work)


def test_a_tree_is_removed_without_following_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    inside = tmp_path / "root" / "image"
    inside.mkdir(parents=True)
    (inside / "link").symlink_to(outside)

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.remove_tree(root / "image")

    run(tmp_path / "root", work)
    assert (outside / "precious").exists()
    assert list((tmp_path / "root").iterdir()) == []


def test_links_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file").symlink_to(tmp_path / "secret")
    (tmp_path / "root" / "folder").symlink_to(tmp_path)

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        calls: list[Awaitable[object]] = [
            io.read(root / "file", size=1),
            io.write(root / "file", b"1"),
            io.resize(root / "file", 0),
            io.read(root / "folder" / "secret", size=1),
            io.replace(root / "folder" / "secret", b""),
            io.remove(root / "folder" / "secret"),
            io.create(root / "folder" / "new"),
            io.rename(root / "folder" / "secret", root / "got"),
        ]
        for call in calls:
            with pytest.raises(OSError, match="symbolic") as caught:
                await call
            assert caught.value.errno == errno.ELOOP
        assert (await io.facts(root / "file")).kind == "link"

    run(tmp_path / "root", work)
    assert (tmp_path / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize("path", ["/etc/passwd", "{root}/../secret", "{root}/a/../../secret", "{root}x/secret"])
def test_paths_outside_are_refused(tmp_path: Path, path: str) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        with pytest.raises(OSError, match="cross-device") as caught:
            await io.read(PurePosixPath(path.format(root=root)), size=1)
        assert caught.value.errno == errno.EXDEV

    run(tmp_path, work)


def test_pipes_and_folders_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        with pytest.raises(OSError, match="No such device"):
            await io.read(root / "pipe", size=1)
        with pytest.raises(IsADirectoryError):
            await io.read(root / "folder", size=1)
        with pytest.raises(IsADirectoryError):
            await io.replace(root / "folder", b"")

    run(tmp_path, work)


def test_device_roots_hold_block_devices_only(tmp_path: Path) -> None:
    async def main() -> None:
        io = IoProcess([], device_roots=[PurePosixPath("/dev"), PurePosixPath(tmp_path)])
        (tmp_path / "file").touch()
        try:
            for path in ("/dev/null", str(tmp_path / "file"), "/dev/../etc/passwd"):
                with pytest.raises(OSError, match=r"[Bb]lock device|cross-device"):
                    await io.read(PurePosixPath(path), size=1)
        finally:
            await io.close()

    asyncio.run(main())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110  # of the process outside; nothing tells
            await asyncio.sleep(0.01)


def hang(io: IoProcess) -> int:
    assert io.pid is not None
    os.kill(io.pid, signal.SIGSTOP)
    return io.pid


def test_a_process_that_hangs_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.names(root)
        first = hang(io)
        with pytest.raises(IoTimeout):
            await io.read(root / "a", size=1, seconds=0.2)
        assert await io.read(root / "a", size=1) == b"1"
        assert io.pid != first
        await until(lambda: io.abandoned == 0)
        with pytest.raises(ProcessLookupError):  # reaped, without anybody waiting for it
            os.kill(first, 0)

    run(tmp_path, work)


def test_looks_survive_the_replacement_and_changes_say_that_they_do_not_know(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.names(root)
        hang(io)
        look = asyncio.ensure_future(io.read(root / "a", size=1))
        change = asyncio.ensure_future(io.create(root / "b"))
        with pytest.raises(IoTimeout):
            await io.names(root, seconds=0.2)
        assert await look == b"1"
        with pytest.raises(IoLost, match="may have happened"):
            await change

    run(tmp_path, work)


def test_what_dies_at_every_start_is_not_started_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ovis.node.storage.io.child._PROGRAM", str(tmp_path / "missing"))

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        with pytest.raises(IoLost):
            await io.names(root)

    run(tmp_path, work)


def test_it_runs_on_the_loop_of_the_agent(tmp_path: Path) -> None:
    async def main() -> None:
        io = IoProcess([PurePosixPath(tmp_path)])
        await io.create(PurePosixPath(tmp_path) / "a", size=5 << 20)
        hang(io)
        with pytest.raises(IoTimeout):
            await io.names(PurePosixPath(tmp_path), seconds=0.2)
        assert len(await io.read(PurePosixPath(tmp_path) / "a", size=6 << 20)) == 5 << 20
        await until(lambda: io.abandoned == 0)
        await io.close()

    uvloop.run(main())


def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.names(root)
        assert io.pid is not None
        os.kill(io.pid, signal.SIGKILL)
        await io.names(root)

    run(tmp_path, work)


def test_a_cancelled_call_that_hangs_is_still_seen(tmp_path: Path) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.names(root)
        first = hang(io)
        call = asyncio.ensure_future(io.names(root, seconds=0.3))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
        await until(lambda: io.pid != first)

    run(tmp_path, work)


def test_when_processes_cannot_be_killed_no_more_are_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process whose SIGKILL does not arrive stands for one that sleeps in the kernel."""
    real_kill = os.kill
    lost: list[int] = []

    def kill(pid: int, number: int) -> None:
        if number == signal.SIGKILL:
            lost.append(pid)
        else:
            real_kill(pid, number)

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        for _ in range(2):
            await io.names(root)
            hang(io)
            with pytest.raises(IoTimeout):
                await io.names(root, seconds=0.2)
        with pytest.raises(IoStuck, match="2 processes hang"):
            await io.names(root)
        for pid in lost:
            real_kill(pid, signal.SIGKILL)
        await until(lambda: io.abandoned == 0)
        await io.names(root)

    monkeypatch.setattr(os, "kill", kill)
    run(tmp_path, work, abandoned_limit=2)


def test_more_calls_than_threads_all_get_their_answer(tmp_path: Path) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await asyncio.gather(*(io.create(root / f"{number}") for number in range(50)))
        assert len(await io.names(root)) == 50

    run(tmp_path, work)


def test_nothing_is_held_open_between_calls(tmp_path: Path) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.names(root)
        await io.create(root / "a")
        links = [os.readlink(f"/proc/{io.pid}/fd/{number}") for number in os.listdir(f"/proc/{io.pid}/fd")]
        assert not [link for link in links if link.startswith(str(tmp_path))]

    run(tmp_path, work)


def test_the_process_ends_with_the_agent(tmp_path: Path) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.names(root)
        pid = io.pid
        assert pid is not None
        await io.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        with pytest.raises(IoLost):
            await io.names(root)

    run(tmp_path, work)


def test_a_renewed_process_ends_when_its_calls_are_answered(tmp_path: Path) -> None:
    ours, theirs = os.pipe()

    async def work(io: IoProcess, root: PurePosixPath) -> None:
        await io.create(root / "a", size=3)
        first = hang(io)
        reading = asyncio.create_task(io.read(root / "a", size=3))
        await asyncio.sleep(0)
        io.renew()
        assert await io.read(root / "a", size=3) == bytes(3)
        assert io.pid not in (None, first)
        os.kill(first, signal.SIGCONT)
        assert await reading == bytes(3)
        await until(lambda: not os.path.exists(f"/proc/{first}"))
        second = io.pid
        io.renew(at_once=True)
        await until(lambda: not os.path.exists(f"/proc/{second}"))

    try:
        run(tmp_path, work, role=lambda: [LockedFile(theirs)])
    finally:
        os.close(theirs)
    assert os.read(ours, 1) == b""  # both had it open, and are gone
    os.close(ours)


@pytest.fixture
def holder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The leases of these tests have one, which would end those who have their tie."""
    monkeypatch.setattr(LockedFile, "holder", os.getpid())


async def leased(root: PurePosixPath, work: Callable[[Callable[[], set[int]]], Awaitable[None]]) -> None:
    """`work` under a lease; it can ask who else has its tie."""
    ids = root / "ids"
    os.close(os.open(ids, os.O_CREAT))
    lockspace, locks = Lockspace(DomainId("d0"), LeasePlace(ids), Geometry()), LocalLocks()
    await locks.join(lockspace, 1)
    try:
        async with while_trusted(locks, lockspace, "work"):
            await work(lambda: holders(str(ids)) - {os.getpid()})
    finally:
        await locks.close()


@pytest.mark.usefixtures("holder")
def test_changes_under_a_lease_are_made_by_a_process_that_keeps_it_held(tmp_path: Path) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        async def under_it(writers: Callable[[], set[int]]) -> None:
            assert await io.names(root) == ["ids"]
            plain = io.pid
            assert writers() == set()
            await io.create(root / "a")
            (writer,) = writers()
            await io.replace(root / "a", b"1")
            assert writers() == {writer} != {plain}
            os.kill(writer, signal.SIGKILL)
            await until(lambda: not writers())
            with contextlib.suppress(IoLost):
                await io.replace(root / "a", b"2")
            await io.replace(root / "a", b"3")
            assert io.pid == plain

        await leased(root, under_it)
        await io.remove(root / "a")

    run(tmp_path, work)


@pytest.mark.usefixtures("holder")
def test_a_cancelled_change_under_a_lease_is_over_before_the_lease_is(tmp_path: Path) -> None:
    async def work(io: IoProcess, root: PurePosixPath) -> None:
        async def under_it(writers: Callable[[], set[int]]) -> None:
            await io.create(root / "a")
            (writer,) = writers()
            os.kill(writer, signal.SIGSTOP)
            change = asyncio.create_task(io.remove(root / "a"))
            await asyncio.sleep(0)
            change.cancel()
            with pytest.raises(asyncio.CancelledError):
                await change
            assert not writers()

        await leased(root, under_it)

    run(tmp_path, work)
