"""The agent's side, against a helper in a process of its own."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from programs import child_with, put

from ovis.node.privileged.client import Privileged, at
from ovis.node.privileged.errors import HelperLost, NoHelper, Refused, TookTooLong
from ovis.node.privileged.lvm import RunLvm

LVS = RunLvm(arguments=("lvs",))


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(what, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110  # another process does it
            await asyncio.sleep(0.01)


def test_output_and_exit_status_come_back(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", 'echo "$@"; echo oh >&2; exit 5')

    async def main() -> None:
        privileged = child_with(tmp_path / "bin", tmp_path)
        result = await privileged.call(RunLvm(arguments=("lvs", "--units", "b")))
        assert (result.status, result.output, result.errors) == (5, b"lvs --units b\n", b"oh\n")
        assert result.complaint == "oh"
        await privileged.close()

    asyncio.run(main())


def test_a_hundred_calls_share_one_helper(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", "head -c 300000 /dev/zero")

    async def main() -> None:
        privileged = child_with(tmp_path / "bin", tmp_path)
        for _ in range(4):
            results = await asyncio.gather(*(privileged.call(LVS) for _ in range(25)))
            assert {len(r.output) for r in results} == {300_000}
        await privileged.close()

    asyncio.run(main())


def test_what_is_not_allowed_is_refused_and_the_helper_lives_on(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", "exit 0")

    async def main() -> None:
        privileged = child_with(tmp_path / "bin", tmp_path)
        with pytest.raises(Refused, match="'lvconvert'"):
            await privileged.call(RunLvm(arguments=("lvconvert", "x")))
        process = privileged.process
        assert (await privileged.call(LVS)).ok
        assert privileged.process == process
        await privileged.close()

    asyncio.run(main())


def test_a_command_that_is_too_slow_is_ended_with_its_children(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", f"sleep 600 & echo $! > {tmp_path}/child; wait")

    async def main() -> None:
        privileged = child_with(tmp_path / "bin", tmp_path)
        with pytest.raises(TookTooLong, match="RunLvm took longer than 1 s"):
            await privileged.call(LVS, seconds=1)
        await until(lambda: not is_alive(int((tmp_path / "child").read_text())))
        await privileged.close()

    asyncio.run(main())


def test_a_cancelled_call_has_ended_its_command_on_return(tmp_path: Path) -> None:
    undo = f"trap 'echo > {tmp_path}/undone; exit 1' TERM"
    put(tmp_path / "bin", "lvm", f"{undo}; sleep 600 & echo > {tmp_path}/up; wait")

    async def main() -> None:
        privileged = child_with(tmp_path / "bin", tmp_path)
        call = asyncio.create_task(privileged.call(LVS))
        await until((tmp_path / "up").exists)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (tmp_path / "undone").exists()
        await privileged.close()

    asyncio.run(main())


def test_a_call_can_be_cancelled_at_any_moment(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", "exec sleep 600")

    async def main() -> None:
        privileged = child_with(tmp_path / "bin", tmp_path)
        with pytest.raises(Refused):
            await privileged.call(RunLvm(arguments=("nothing",)))
        helper = privileged.process
        for steps in range(8):
            call = asyncio.create_task(privileged.call(LVS))
            for _ in range(steps):
                await asyncio.sleep(0)
            call.cancel()
            async with asyncio.timeout(15):  # less than a helper that does not answer is given
                await asyncio.gather(call, return_exceptions=True)
        assert privileged.process == helper
        await privileged.close()

    asyncio.run(main())


def test_a_killed_helper_fails_its_calls_and_the_next_one_starts_another(tmp_path: Path) -> None:
    put(
        tmp_path / "bin",
        "lvm",
        f"[ -e {tmp_path}/pid ] && exit 0; echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; exec sleep 600",
    )

    async def main() -> None:
        privileged = child_with(tmp_path / "bin", tmp_path)
        call = asyncio.create_task(privileged.call(LVS))
        await until((tmp_path / "pid").exists)
        assert privileged.process is not None
        os.kill(privileged.process, signal.SIGKILL)
        with pytest.raises(HelperLost):
            await call
        await until(lambda: not is_alive(int((tmp_path / "pid").read_text())))  # its command does not run on alone
        assert (await privileged.call(LVS)).ok
        await privileged.close()

    asyncio.run(main())


def test_closing_ends_the_helper_and_its_commands(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", f"echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; exec sleep 600")

    async def main() -> None:
        privileged = child_with(tmp_path / "bin", tmp_path)
        call = asyncio.create_task(privileged.call(LVS))
        await until((tmp_path / "pid").exists)
        helper = privileged.process
        await privileged.close()
        with pytest.raises(HelperLost):
            await call
        assert helper is not None
        await until(lambda: not is_alive(helper))
        assert not is_alive(int((tmp_path / "pid").read_text()))
        with pytest.raises(NoHelper):
            await privileged.call(LVS)

    asyncio.run(main())


def test_an_agent_that_is_killed_takes_helper_and_commands_along(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", f"echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; exec sleep 600")
    agent = os.fork()
    if agent == 0:
        privileged = child_with(tmp_path / "bin", tmp_path)
        try:
            asyncio.run(privileged.call(LVS))
        finally:
            os._exit(1)
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    command = int((tmp_path / "pid").read_text())
    helper = int(Path(f"/proc/{command}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(agent, signal.SIGKILL)
    os.waitpid(agent, 0)
    while (is_alive(command) or is_alive(helper)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(command)
    assert not is_alive(helper)


def test_a_service_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoHelper):
        asyncio.run(Privileged(at(tmp_path / "socket")).call(LVS))
