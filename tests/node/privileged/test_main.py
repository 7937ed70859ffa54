"""The helper as a service of its own."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from programs import put

from ovis.node import flows
from ovis.node.privileged.adapters import RunAdapter
from ovis.node.privileged.client import Privileged, at
from ovis.node.privileged.errors import HelperLost, NoHelper, Refused
from ovis.node.privileged.lvm import RunLvm
from ovis.node.privileged.main import main as helper_main
from ovis.node.privileged.protocol import Secret

PROGRAM = Path(__file__).with_name("programs.py")


@contextlib.asynccontextmanager
async def started(
    folder: Path, *, user: int, log: Path = Path("/dev/null")
) -> AsyncIterator[asyncio.subprocess.Process]:
    path = folder / "socket"
    words = ("--socket", str(path), "--user", str(user), "--repository", str(folder))
    with log.open("ab") as errors:
        program = (sys.executable, "-P", str(PROGRAM), str(folder / "bin"))
        process = await asyncio.create_subprocess_exec(*program, *words, stderr=errors)
    try:
        async with asyncio.timeout(30):
            while not answers(path):  # noqa: ASYNC110  # another process starts
                await asyncio.sleep(0.02)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def test_several_agents_are_served_and_a_signal_ends_it(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", "exit 3")

    async def main() -> None:
        async with started(tmp_path, user=os.geteuid()) as process:
            agents = [Privileged(at(tmp_path / "socket")) for _ in range(3)]
            results = await asyncio.gather(*(agent.call(RunLvm(arguments=("lvs",))) for agent in agents))
            assert {result.status for result in results} == {3}
            await agents[0].close()
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 30) == 0
            with pytest.raises((HelperLost, NoHelper)):
                await agents[1].call(RunLvm(arguments=("lvs",)))
        for agent in agents:
            await agent.close()

    asyncio.run(main())


def test_a_service_that_was_killed_and_started_again_is_found(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", "exit 0")

    async def main() -> None:
        agent = Privileged(at(tmp_path / "socket"))
        for _ in range(2):
            async with started(tmp_path, user=os.geteuid()):
                assert (await agent.call(RunLvm(arguments=("lvs",)))).ok
            await asyncio.sleep(0)
            with pytest.raises((HelperLost, NoHelper)):
                await agent.call(RunLvm(arguments=("lvs",)))
        await agent.close()

    asyncio.run(main())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_strangers_are_turned_away(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", "exit 0")
    tmp_path.chmod(0o755)
    code = (
        "import os, socket, sys; s = socket.socket(socket.AF_UNIX); os.chdir(sys.argv[1]); os.setuid(65534);"
        "s.connect('socket'); sys.exit(len(s.recv(1)))"
    )

    async def main() -> None:
        async with started(tmp_path, user=36):
            stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(tmp_path))
            assert await asyncio.wait_for(stranger.wait(), 30) == 0  # closed without a word

    asyncio.run(main())


def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        helper_main([])
    assert end.value.code == 2
    assert "--socket" in capsys.readouterr().err


def test_every_call_is_logged_with_its_flow_and_without_secrets(tmp_path: Path) -> None:
    put(tmp_path / "bin", "lvm", "exit 0")
    log = tmp_path / "log"
    secret = Secret(text="never shown")

    async def main() -> None:
        async with started(tmp_path, user=os.geteuid(), log=log):
            agent = Privileged(at(tmp_path / "socket"))
            with flows.entered("flow-17"):
                await agent.call(RunLvm(arguments=("lvs",)))
                with pytest.raises(Refused):
                    await agent.call(RunLvm(arguments=("shell",)))
                with pytest.raises(FileNotFoundError):
                    await agent.call(RunAdapter(adapter="x", action="attach", data=secret))
            with flows.entered("a\n2026-11-20 flow"), pytest.raises(Refused):
                await agent.call(RunLvm(arguments=("a\nb",)))
            await agent.close()

    asyncio.run(main())
    lines = log.read_text().splitlines()
    ours = [line.partition("[flow-17] ")[2] for line in lines if "[flow-17]" in line]
    assert ours[0].startswith("call 1: RunLvm(arguments=('lvs',)")
    assert ours[1].startswith("call 1: done after ")
    assert any(line.startswith("call 2: refused (lvm 'shell') after ") for line in ours)
    assert any("RunAdapter" in line and "********" in line for line in ours)
    assert "never shown" not in log.read_text()
    assert all(line.startswith("20") and "node.privileged" in line for line in lines)
