import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ovis.node import processes
from ovis.node.processes import Command, Ended, Flooded, Limits, Stalled


def run(*arguments: str, seconds: float = 20, **options: object) -> Ended:
    return asyncio.run(processes.run(Command(list(arguments), **options), seconds=seconds))  # type: ignore[arg-type]


def is_alive(number: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def gone(number: int) -> None:
    await until(lambda: not is_alive(number))


def text_of(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def test_output_status_and_complaint_are_told() -> None:
    ended = run("sh", "-c", "echo out; echo one >&2; echo two >&2; exit 3")
    assert (ended.status, ended.output, ended.complaint) == (3, b"out\n", "one / two")
    assert run("sh", "-c", "kill -9 $$").complaint == "killed by signal SIGKILL"


def test_only_the_end_of_much_output_is_kept() -> None:
    ended = run("sh", "-c", "head -c 3000000 /dev/zero; echo end", output_limit=1000)
    assert len(ended.output) == 1000
    assert ended.output.endswith(b"end\n")


def test_memory_is_limited() -> None:
    ended = run(sys.executable, "-c", "x = bytearray(600 << 20)", limits=Limits(memory=300 << 20))
    assert ended.status == 1
    assert "MemoryError" in ended.complaint


def test_cpu_time_is_limited() -> None:
    ended = run("sh", "-c", "while :; do :; done", limits=Limits(cpu_seconds=1))
    assert ended.status < 0


def test_work_in_the_background_comes_after_others() -> None:
    ended = run("sh", "-c", "nice; ionice", limits=Limits(is_background=True))
    assert ended.output.decode().split("\n")[:2] == ["10", "best-effort: prio 7"]


def test_the_environment_of_the_agent_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    assert b"SECRET" not in run("env").output
    assert b"OTHER=y" in run("env", environment={"OTHER": "y"}).output


def test_one_that_says_nothing_is_ended() -> None:
    with pytest.raises(Stalled):
        run("sleep", "60", seconds=0.2)


def test_progress_gives_it_more_time() -> None:
    async def main() -> Ended:
        script = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done"
        return await processes.run(Command(["sh", "-c", script]), seconds=0.8, on_output=lambda _: True)

    assert asyncio.run(main()).status == 0


def test_cancelling_ends_the_whole_group(tmp_path: Path) -> None:
    async def main() -> None:
        script = f"sleep 60 & echo $! > {tmp_path}/child; wait"
        numbers: list[int] = []
        task = asyncio.create_task(processes.run(Command(["sh", "-c", script]), seconds=20, on_start=numbers.append))
        await until(lambda: bool(numbers and text_of(tmp_path / "child")))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone(numbers[0])
        await gone(int(text_of(tmp_path / "child")))

    asyncio.run(main())


def test_cancelling_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        script = f"sleep 60 & echo $! > {tmp_path}/child; wait"
        task = asyncio.create_task(processes.run(Command(["sh", "-c", script]), seconds=20))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if (tmp_path / "child").exists():
            await gone(int(text_of(tmp_path / "child")))

    asyncio.run(main())


def test_grace_lets_it_clean_up(tmp_path: Path) -> None:
    script = f"trap 'touch {tmp_path}/cleaned; exit' TERM; touch {tmp_path}/up; while :; do sleep 0.05; done"

    async def main() -> None:
        command = Command(["sh", "-c", script], limits=Limits(grace=10))
        task = asyncio.create_task(processes.run(command, seconds=20))
        await until(lambda: (tmp_path / "up").exists())
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
    assert (tmp_path / "cleaned").exists()


def test_a_second_cancellation_ends_the_grace() -> None:
    async def main() -> None:
        command = Command(["sh", "-c", "trap '' TERM; echo up; sleep 60"], limits=Limits(grace=60))
        up, numbers = asyncio.Event(), list[int]()
        task = asyncio.create_task(
            processes.run(command, seconds=20, on_output=lambda _: up.set() is None, on_start=numbers.append)
        )
        async with asyncio.timeout(10):
            await up.wait()
            for _ in range(2):
                task.cancel()
                await asyncio.wait([task], timeout=0.2)
            assert task.cancelled()
        await gone(numbers[0])

    asyncio.run(main())


def test_it_dies_with_the_agent(tmp_path: Path) -> None:
    """The agent here is a Python of its own, which is killed."""
    program = (
        "import asyncio\n"
        "from ovis.node.processes import *\n"
        "asyncio.run(run(Command(['sleep', '60']), seconds=60, on_start=lambda n: print(n, flush=True)))\n"
    )

    async def main() -> None:
        agent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env={**os.environ}
        )
        assert agent.stdout is not None
        async with asyncio.timeout(20):
            number = int(await agent.stdout.readline())
            await until(lambda: text_of(Path(f"/proc/{number}/comm")) == "sleep")  # limits are set before
            agent.kill()
            await agent.wait()
        await gone(number)

    asyncio.run(main())


@pytest.mark.parametrize("stream", [1, 2])
@pytest.mark.parametrize("leaves_daemon", [False, True])
def test_what_floods_its_output_is_killed(stream: int, leaves_daemon: bool) -> None:
    with pytest.raises(Flooded, match="more than 1000000 bytes"):
        run("sh", "-c", f"exec cat /dev/zero >&{stream}", output_most=1_000_000, leaves_daemon=leaves_daemon)


def test_standard_input_comes_from_memory_and_is_not_shown() -> None:
    command = Command(["cat"], standard_input=b"secret\n" * 20_000, output_limit=1 << 20)
    assert "secret" not in repr(command)
    assert asyncio.run(processes.run(command, seconds=30)).output == command.standard_input


def test_a_daemon_that_keeps_the_output_open_is_not_waited_for(tmp_path: Path) -> None:
    script = f"setsid sleep 100 & echo $! > {tmp_path}/daemon; echo done"
    ended = run("sh", "-c", script, leaves_daemon=True, seconds=60)
    assert (ended.status, ended.output) == (0, b"done\n")
    os.kill(int(text_of(tmp_path / "daemon")), 9)
