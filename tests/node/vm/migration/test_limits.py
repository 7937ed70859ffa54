import asyncio

import pytest

from ovis.node.vm.migration.limits import Slots


async def holding(slots: Slots, taken: list[int], number: int, let_go: asyncio.Event) -> None:
    async with slots.slot():
        taken.append(number)
        await let_go.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_those_beyond_the_limit_wait_in_order() -> None:
    async def main() -> None:
        slots, let_go = Slots(2), asyncio.Event()
        taken: list[int] = []
        waiting = [asyncio.ensure_future(holding(slots, taken, number, let_go)) for number in range(5)]
        await settle()
        assert taken == [0, 1]
        slots.limit = 3
        await settle()
        assert taken == [0, 1, 2]
        slots.limit = 1
        let_go.set()
        await asyncio.gather(*waiting)
        assert taken == [0, 1, 2, 3, 4]

    asyncio.run(main())


def test_one_that_is_cancelled_takes_nothing_along() -> None:
    async def main() -> None:
        slots, let_go = Slots(1), asyncio.Event()
        taken: list[int] = []
        first, second, third = (asyncio.ensure_future(holding(slots, taken, n, let_go)) for n in range(3))
        await settle()
        second.cancel()
        first.cancel()
        await settle()
        assert taken == [0, 2]
        let_go.set()
        await third

    asyncio.run(main())


def test_a_slot_is_given_back_when_its_holder_fails() -> None:
    async def main() -> None:
        slots = Slots(1)
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                async with slots.slot():
                    raise ValueError("no")

    asyncio.run(main())
