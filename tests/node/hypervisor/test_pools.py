import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from ovis.node.hypervisor.errors import DeadlineExceeded, HypervisorLost, NotResponding, ThreadsExhausted
from ovis.node.hypervisor.pools import Pool, PoolState

SHORT = 0.05
LONG = 20.0


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a stuck call waits for; opened at the end so that no thread stays behind."""
    gate = threading.Event()
    yield gate
    gate.set()


def run(body: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(body(), LONG))


async def until(truth: Callable[[], bool]) -> None:
    while not truth():  # noqa: ASYNC110 - a thread makes it true; the whole test has a deadline
        await asyncio.sleep(0.001)


def test_result_and_exception_come_back() -> None:
    async def body() -> None:
        pool = Pool("p", threads=1)
        assert await pool.run("add", lambda: 1 + 1, deadline=LONG) == 2
        with pytest.raises(ZeroDivisionError):
            await pool.run("divide", lambda: 1 // 0, deadline=LONG)
        assert pool.state == PoolState(threads=1, running=0, lost=0, waiting=0)
        pool.close()

    run(body)


def test_stuck_call_ends_at_its_deadline_and_its_thread_comes_back(gate: threading.Event) -> None:
    async def body() -> None:
        pool = Pool("p", threads=1)
        with pytest.raises(DeadlineExceeded) as caught:
            await pool.run("suspend", gate.wait, deadline=SHORT, domain_id="a")
        assert caught.value.started
        assert pool.state.lost == 1
        gate.set()
        await until(lambda: pool.state.lost == 0)
        assert await pool.run("info", lambda: 7, deadline=LONG, domain_id="a") == 7
        pool.close()

    run(body)


def test_stuck_domain_is_refused_at_once_and_others_are_served(gate: threading.Event) -> None:
    async def body() -> None:
        pool = Pool("p", threads=2)
        with pytest.raises(DeadlineExceeded):
            await pool.run("suspend", gate.wait, deadline=SHORT, domain_id="a")
        for _ in range(50):
            with pytest.raises(NotResponding):
                await pool.run("suspend", gate.wait, deadline=LONG, domain_id="a")
        assert await pool.run("suspend", lambda: "b", deadline=LONG, domain_id="b") == "b"
        assert pool.state == PoolState(threads=2, running=1, lost=1, waiting=0)
        pool.close()

    run(body)


def test_calls_that_wait_behind_a_domain_are_refused_when_it_gets_stuck(gate: threading.Event) -> None:
    async def body() -> None:
        pool = Pool("p", threads=2)
        first = asyncio.ensure_future(pool.run("suspend", gate.wait, deadline=SHORT, domain_id="a"))
        await asyncio.sleep(0)
        with pytest.raises(NotResponding):
            await pool.run("resume", gate.wait, deadline=LONG, domain_id="a")
        with pytest.raises(DeadlineExceeded):
            await first
        pool.close()

    run(body)


def test_all_threads_stuck_is_an_error_at_once(gate: threading.Event) -> None:
    async def body() -> None:
        pool = Pool("p", threads=2)
        stuck = [pool.run("x", gate.wait, deadline=SHORT, domain_id=name) for name in ("a", "b")]
        assert all(isinstance(e, DeadlineExceeded) for e in await asyncio.gather(*stuck, return_exceptions=True))
        begun = time.monotonic()
        with pytest.raises(ThreadsExhausted) as caught:
            await pool.run("x", lambda: 0, deadline=LONG, domain_id="c")
        assert caught.value.lost == 2
        assert time.monotonic() - begun < LONG / 4
        pool.close()

    run(body)


def test_waiting_call_says_that_it_was_never_started(gate: threading.Event) -> None:
    async def body() -> None:
        pool = Pool("p", threads=1)
        first = asyncio.ensure_future(pool.run("long", gate.wait, deadline=LONG))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded) as caught:
            await pool.run("short", lambda: 0, deadline=SHORT)
        assert not caught.value.started
        gate.set()
        await first
        pool.close()

    run(body)


def test_queue_is_bounded(gate: threading.Event) -> None:
    async def body() -> None:
        pool = Pool("p", threads=1, waiting=2)
        calls = [asyncio.ensure_future(pool.run("x", gate.wait, deadline=LONG)) for _ in range(4)]
        done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        assert isinstance(done.pop().exception(), ThreadsExhausted)
        gate.set()
        await asyncio.gather(*calls, return_exceptions=True)
        assert sum(call.exception() is None for call in calls) == 3
        pool.close()

    run(body)


def test_one_domain_never_takes_more_than_its_share(gate: threading.Event) -> None:
    async def body() -> None:
        pool = Pool("p", threads=3)
        calls = [asyncio.ensure_future(pool.run("x", gate.wait, deadline=LONG, domain_id="a")) for _ in range(3)]
        await asyncio.sleep(0)
        assert pool.state == PoolState(threads=3, running=1, lost=0, waiting=2)
        assert await pool.run("x", lambda: 1, deadline=LONG, domain_id="b") == 1
        gate.set()
        await asyncio.gather(*calls)
        pool.close()

    run(body)


def test_cancelled_caller_leaves_the_count_right(gate: threading.Event) -> None:
    async def body() -> None:
        pool = Pool("p", threads=1)
        running = asyncio.ensure_future(pool.run("x", gate.wait, deadline=SHORT))
        waiting = asyncio.ensure_future(pool.run("y", gate.wait, deadline=LONG))
        await asyncio.sleep(0)
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        assert pool.state.waiting == 0
        await until(lambda: pool.state.lost == 1)  # the abandoned call is still found at its deadline
        gate.set()
        await until(lambda: pool.state == PoolState(threads=1, running=0, lost=0, waiting=0))
        pool.close()

    run(body)


def test_close_refuses_waiting_and_later_calls(gate: threading.Event) -> None:
    async def body() -> None:
        pool = Pool("p", threads=1)
        running = asyncio.ensure_future(pool.run("x", gate.wait, deadline=LONG))
        waiting = asyncio.ensure_future(pool.run("y", gate.wait, deadline=LONG))
        await asyncio.sleep(0)
        pool.close()
        with pytest.raises(HypervisorLost):
            await waiting
        with pytest.raises(HypervisorLost):
            await pool.run("z", lambda: 0, deadline=LONG)
        gate.set()
        await running

    run(body)
