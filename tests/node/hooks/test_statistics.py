import asyncio
from pathlib import Path

import msgspec
import pytest
from scripts_made import HookFolder

from ovis.node.hooks.statistics import STALE, StatisticsHooks

CHANGE = "d = hooking.read_json(); d['extra'] = d['n']; hooking.write_json(d)"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def told(made: StatisticsHooks, n: int, name: str = "get_stats") -> dict[str, int]:
    found: dict[str, int] = msgspec.json.decode(made.told(name, msgspec.json.encode({"n": n})))
    return found


async def settled(made: StatisticsHooks) -> None:
    async with asyncio.timeout(30):
        while made._tasks:
            await asyncio.wait(set(made._tasks))


def test_nobody_waits_and_the_change_is_told_from_the_next_time_on(tmp_path: Path) -> None:
    folder = HookFolder(tmp_path)
    folder.record("before_get_stats")
    folder.python("after_get_stats", CHANGE)

    async def main() -> None:
        made = StatisticsHooks(folder.hooks)
        assert told(made, 1) == {"n": 1}
        await settled(made)
        assert told(made, 2) == {"n": 2, "extra": 1}
        await made.close()

    asyncio.run(main())
    assert folder.ran[0] == "before_get_stats"


@pytest.mark.parametrize("point", ["before_get_stats", "after_get_stats"])
def test_a_failing_script_leaves_the_last_good_change_until_it_is_stale(tmp_path: Path, point: str) -> None:
    folder = HookFolder(tmp_path)
    folder.python("after_get_stats", CHANGE)
    clock = Clock()

    async def main() -> None:
        made = StatisticsHooks(folder.hooks, clock)
        told(made, 1)
        await settled(made)
        folder.shell(point, "exit 2", "90_fails")
        assert told(made, 2) == {"n": 2, "extra": 1}
        await settled(made)
        assert told(made, 3) == {"n": 3, "extra": 1}
        await settled(made)
        clock.now += STALE + 1
        assert told(made, 4) == {"n": 4}
        await made.close()

    asyncio.run(main())


def test_nobody_asking_for_long_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = HookFolder(tmp_path)
    folder.python("after_get_stats", CHANGE)
    clock = Clock()

    async def main() -> None:
        made = StatisticsHooks(folder.hooks, clock)
        told(made, 1)
        await settled(made)
        clock.now += 10 * STALE
        assert told(made, 2) == {"n": 2, "extra": 1}
        await made.close()

    asyncio.run(main())
    assert caplog.messages == []


@pytest.mark.parametrize("left", ["7", "[1]", "{", "[{}]"])
def test_nonsense_is_told_once_and_changes_nothing(tmp_path: Path, left: str, caplog: pytest.LogCaptureFixture) -> None:
    folder = HookFolder(tmp_path)
    folder.shell("after_get_stats", f"echo '{left}' > $_hook_json")

    async def main() -> None:
        made = StatisticsHooks(folder.hooks)
        for n in range(3):
            assert told(made, n) == {"n": n}
            await settled(made)
        await made.close()

    asyncio.run(main())
    told_of = [record for record in caplog.records if record.name.endswith("statistics")]
    assert len(told_of) == 1


def test_scripts_run_once_a_period_and_never_twice_at_a_time(tmp_path: Path) -> None:
    folder = HookFolder(tmp_path, statistics_period=10.0)
    folder.record("after_get_stats")
    clock = Clock()

    async def main() -> None:
        made = StatisticsHooks(folder.hooks, clock)
        for _ in range(5):
            told(made, 1)
        await settled(made)
        clock.now += 9
        told(made, 1)
        await settled(made)
        assert folder.ran == ["after_get_stats"]
        clock.now += 2
        told(made, 1)
        await settled(made)
        assert folder.ran == ["after_get_stats"] * 2
        await made.close()

    asyncio.run(main())


def test_what_scripts_made_of_it_is_forgotten_with_the_last_script(tmp_path: Path) -> None:
    folder = HookFolder(tmp_path)
    script = folder.python("after_get_stats", CHANGE)

    async def main() -> None:
        made = StatisticsHooks(folder.hooks)
        told(made, 1)
        await settled(made)
        script.unlink()
        assert told(made, 2) == {"n": 2}
        await made.close()

    asyncio.run(main())


def test_capabilities_wait_for_their_scripts(tmp_path: Path) -> None:
    folder = HookFolder(tmp_path)
    folder.python("after_get_caps", CHANGE)

    async def main() -> None:
        made = StatisticsHooks(folder.hooks)
        for n in (1, 2):
            assert msgspec.json.decode(await made.told_soon("get_caps", b'{"n":%d}' % n)) == {"n": n, "extra": n}
        await made.close()

    asyncio.run(main())


def test_a_script_that_hangs_holds_nothing_up_and_ends_with_the_agent(tmp_path: Path) -> None:
    folder = HookFolder(tmp_path)
    folder.shell("after_get_stats", "exec sleep 1000")

    async def main() -> None:
        made = StatisticsHooks(folder.hooks)
        assert told(made, 1) == {"n": 1}
        await asyncio.sleep(0)
        assert told(made, 2) == {"n": 2}
        await made.close()

    asyncio.run(main())
