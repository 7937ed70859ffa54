import asyncio

from ovis.node.hypervisor.events import Event, Rebooted, Resync
from ovis.node.hypervisor.subscriptions import EventHub


def test_overflow_is_told_and_counted() -> None:
    async def body() -> list[Event]:
        hub = EventHub(size=3)
        async with hub.subscribe() as events:
            for number in range(7):
                hub.publish(Rebooted(str(number)))
            hub.close()
            return [event async for event in events]

    received = asyncio.run(body())
    assert isinstance(received[0], Resync)
    assert received[-1] == Rebooted("6")
    assert received[0].lost + len(received) - 1 == 7
    assert len(received) <= 3


def test_each_subscriber_has_its_own_buffer() -> None:
    async def body() -> None:
        hub = EventHub(size=2)
        slow, quick = hub.subscribe(), hub.subscribe()
        for number in range(5):
            hub.publish(Rebooted(str(number)))
            assert await quick.next() == Rebooted(str(number))
        assert isinstance(await slow.next(), Resync)

    asyncio.run(body())


def test_closed_subscription_gets_nothing_more() -> None:
    async def body() -> list[Event]:
        hub = EventHub()
        events = hub.subscribe()
        events.close()
        hub.publish(Rebooted("a"))
        return [event async for event in events]

    assert asyncio.run(body()) == []


def test_waiting_reader_is_woken() -> None:
    async def body() -> Event:
        hub = EventHub()
        events = hub.subscribe()
        reader = asyncio.ensure_future(events.next())
        await asyncio.sleep(0)
        hub.publish(Rebooted("a"))
        return await asyncio.wait_for(reader, 10)

    assert asyncio.run(body()) == Rebooted("a")
