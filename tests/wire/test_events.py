import asyncio
import json

import pytest

from ovis.wire.events import NOTIFY_TIME_OFFSET, BadPattern, Bus, Event, Lost, Subscription

STATUS = "|virt|VM_status|1f"


def seqs(subscription: Subscription) -> list[object]:
    taken = []
    while (item := subscription.take()) is not None:
        taken.append(item.seq if isinstance(item, Event) else item)
    return taken


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*", True),
        ("|virt|*", True),
        (STATUS, True),
        ("|virt|VM_status|?f", True),
        ("|jobs|*", False),
        ("|virt|VM_status|1", False),
        ("|VIRT|*", False),
        ("[|]*", False),
    ],
)
def test_pattern_selects_by_name(pattern: str, matches: bool) -> None:
    bus = Bus()
    subscription = bus.subscribe(pattern)
    bus.publish(STATUS, {})
    assert bool(seqs(subscription)) is matches


@pytest.mark.parametrize("pattern", ["", "x" * 257])
def test_bad_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        Bus().subscribe(pattern)


def test_a_pattern_with_many_stars_costs_little() -> None:
    bus = Bus()
    bus.subscribe("*a" * 100 + "b")
    bus.publish("a" * 10_000, {})  # a naive matcher would not come back; the suite's time limit is the deadline


def test_event_carries_notify_time_and_is_encoded_once() -> None:
    bus = Bus(clock=lambda: 12.5)
    one, two = bus.subscribe("*"), bus.subscribe("*")
    bus.publish(STATUS, {"1f": {"status": "Up"}})
    first, second = one.take(), two.take()
    assert isinstance(first, Event)
    assert first is second
    assert json.loads(first.params) == {"1f": {"status": "Up"}, "notify_time": 12_500 + NOTIFY_TIME_OFFSET}
    assert json.loads(first.params_with_seq)["seq"] == 1


def test_slow_reader_loses_the_oldest_and_is_told_first() -> None:
    bus = Bus()
    subscription = bus.subscribe("*", limit=3)
    for _ in range(10):
        bus.publish(STATUS, {})
    assert seqs(subscription) == [Lost(7, 1, 7), 8, 9, 10]
    bus.publish(STATUS, {})
    assert seqs(subscription) == [11]


def test_loss_counts_only_matching_events() -> None:
    bus = Bus()
    subscription = bus.subscribe("a", limit=1)
    for name in ("a", "b", "a", "b"):
        bus.publish(name, {})
    assert seqs(subscription) == [Lost(1, 1, 1), 3]


def test_buffer_is_bounded_in_bytes_too() -> None:
    bus = Bus()
    subscription = bus.subscribe("*", limit_bytes=10_000)
    for _ in range(10):
        bus.publish(STATUS, {"text": "x" * 3000})
    assert seqs(subscription) == [Lost(8, 1, 8), 9, 10] or seqs(subscription) == [Lost(7, 1, 7), 8, 9, 10]


def test_one_giant_event_is_lost_not_kept() -> None:
    bus = Bus()
    subscription = bus.subscribe("*", limit_bytes=1000)
    bus.publish(STATUS, {"text": "x" * 3000})
    assert seqs(subscription) == [Lost(1, 1, 1)]


def test_waiting_reader_wakes_and_ends() -> None:
    async def main() -> None:
        bus = Bus()
        subscription = bus.subscribe("*")
        async with asyncio.timeout(5):
            reader = asyncio.ensure_future(anext(subscription))
            await asyncio.sleep(0)
            bus.publish(STATUS, {})
            item = await reader
            assert isinstance(item, Event)
            last = asyncio.ensure_future(anext(subscription))
            await asyncio.sleep(0)
            subscription.close()
            with pytest.raises(StopAsyncIteration):
                await last
        assert bus.subscribers == 0

    asyncio.run(main())
