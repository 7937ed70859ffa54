"""Commands that change storage live no longer than the lease that they are tied to."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest
from programs import inside, put

from ovis.node.privileged import leases
from ovis.node.privileged.errors import Refused, TieLost
from ovis.node.privileged.lvm import RunLvm
from ovis.node.privileged.rules import Rules

GROUP = "5e4a1c8e-0c9c-4f6b-8d7d-6c2b5f7d9a10"
CHANGE = RunLvm(arguments=("lvextend", "--size", "1g", f"{GROUP}/volume"))
LEASE = f"{GROUP}:SDM:/dev/{GROUP}/leases:1048576:7"
TELL = 'readlink "/proc/self/fd/$LVM_REPORT_FD"'


@dataclass
class Lease:
    """A Tie, and the process that would hold it."""

    connection: socket.socket
    process: subprocess.Popen[bytes]
    is_kept: bool = False

    @property
    def holder(self) -> int:
        return self.process.pid

    def fileno(self) -> int:
        return self.connection.fileno()

    def keep(self) -> None:
        self.is_kept = True


@pytest.fixture
def lease() -> Iterator[Lease]:
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen(["sleep", "600"]) as process:
        yield Lease(ours, process)
        process.kill()


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return Rules(PurePosixPath(tmp_path), os.geteuid(), os.getegid())


def knows(monkeypatch: pytest.MonkeyPatch, lease: Lease, state: str) -> None:
    monkeypatch.setattr(leases, "held_by", {lease.holder: state}.__getitem__)


def test_a_change_needs_a_lease_or_a_reason(programs: Path, rules: Rules) -> None:
    put(programs, "lvm", "echo changed")

    async def main() -> None:
        async with inside(rules) as root:
            with pytest.raises(Refused, match="tied to no lease"):
                await root.call(CHANGE)
            for words in (("lvs",), ("lvchange", "--activate", "y", f"{GROUP}/volume")):
                assert (await root.call(RunLvm(arguments=words))).ok
            new = RunLvm(arguments=CHANGE.arguments, unleased="the group is new")
            assert (await root.call(new)).output == b"changed\n"

    asyncio.run(main())


def test_lvm_has_what_keeps_the_lease_open(
    programs: Path, rules: Rules, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(programs, "lvm", TELL)
    knows(monkeypatch, lease, f"{GROUP}:other:/x:0:1 {LEASE}")

    async def main() -> None:
        async with inside(rules) as root:
            told = await root.call(CHANGE, ties=[lease])
            assert told.output.decode().strip() == f"socket:[{os.fstat(lease.fileno()).st_ino}]"

    asyncio.run(main())


def test_the_lease_of_a_volume_is_no_leave_to_change_its_group(
    programs: Path, rules: Rules, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(programs, "lvm", "echo changed")
    knows(monkeypatch, lease, f"{GROUP}:SDMx:/x:0:1 {GROUP}:20000000-0000-4000-8000-000000000000:/x:104857600:7")

    async def main() -> None:
        async with inside(rules) as root:
            with pytest.raises(Refused, match="not, or no longer, that of a manager"):
                await root.call(CHANGE, ties=[lease])

    asyncio.run(main())


def test_a_command_is_killed_when_the_holder_has_ended(
    programs: Path, rules: Rules, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = programs / "started"
    put(programs, "lvm", f"trap '' TERM; echo $$ > {started}.new; mv {started}.new {started}; sleep 600 & wait")
    knows(monkeypatch, lease, LEASE)

    async def main() -> None:
        async with inside(rules) as root:
            call = asyncio.create_task(root.call(CHANGE, ties=[lease]))
            while not started.exists() and not call.done():  # noqa: ASYNC110  # another process does it
                await asyncio.sleep(0.01)
            if call.done():
                pytest.fail(str(call.exception()))
            lease.process.kill()
            with pytest.raises(TieLost):
                await call

    asyncio.run(main())
    assert not Path(f"/proc/{started.read_text().strip()}").exists()


def test_what_is_tied_to_a_dead_holder_is_not_begun(programs: Path, rules: Rules, lease: Lease) -> None:
    put(programs, "lvm", f"touch {programs}/begun")
    lease.process.kill()
    lease.process.wait()

    async def main() -> None:
        async with inside(rules) as root:
            with pytest.raises(Refused, match="is not there"):
                await root.call(CHANGE, ties=[lease])
            assert not (programs / "begun").exists()

    asyncio.run(main())


def test_a_lock_of_this_host_alone_needs_no_holder(programs: Path, rules: Rules, tmp_path: Path) -> None:
    put(programs, "lvm", TELL)

    @dataclass
    class Lock:
        file: int
        holder: int = 0

        def fileno(self) -> int:
            return self.file

        def keep(self) -> None: ...

    async def main() -> None:
        async with inside(rules) as root:
            with (tmp_path / "ids").open("wb") as ids:
                told = await root.call(CHANGE, ties=[Lock(ids.fileno())])
            assert told.output.decode().strip() == str(tmp_path / "ids")

    asyncio.run(main())


def test_names_of_leases_are_read_out_of_sanlocks_words() -> None:
    assert leases.names(f"{LEASE} LS:a\\:b:/x:0:1") == ["SDM", "a\\:b"]
    assert leases.names("") == []
