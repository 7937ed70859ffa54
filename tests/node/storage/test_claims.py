import asyncio

import pytest

from ovis.node.storage.claims import Claim, Claims, ClaimTimeout, merged

ONE, SHARED = Claim("one"), Claim("one", exclusive=False)


def test_exclusive_claims_follow_each_other() -> None:
    async def main() -> None:
        claims, order = Claims(), []

        async def work(name: str) -> None:
            async with claims.hold([ONE], by=name):
                order.append(f"{name} in")
                await asyncio.sleep(0)
                order.append(f"{name} out")

        await asyncio.gather(work("a"), work("b"))
        assert order == ["a in", "a out", "b in", "b out"]
        assert claims.holders("one") == ()

    asyncio.run(main())


def test_shared_claims_are_held_together_but_do_not_pass_an_exclusive_one() -> None:
    async def main() -> None:
        claims, order = Claims(), []

        async def work(name: str, claim: Claim) -> None:
            async with claims.hold([claim], by=name):
                order.append(name)
                await asyncio.sleep(0.01)

        async with claims.hold([SHARED], by="first"), claims.hold([SHARED], by="second"):
            waiting = [asyncio.create_task(work(*each)) for each in (("writer", ONE), ("reader", SHARED))]
            await asyncio.sleep(0)
            assert claims.holders("one") == ("first", "second")
        await asyncio.gather(*waiting)
        assert order == ["writer", "reader"]

    asyncio.run(main())


def test_time_out_holds_nothing_and_names_the_holder() -> None:
    async def main() -> None:
        claims = Claims()
        async with claims.hold([ONE], by="the copy"):
            with pytest.raises(ClaimTimeout, match="the copy"):
                async with claims.hold([Claim("a"), ONE], by="another", seconds=0.01):
                    pass
            assert claims.holders("a") == ()
        async with claims.hold([ONE], by="a third", seconds=0.01):
            pass

    asyncio.run(main())


def test_who_waits_behind_one_that_gave_up_still_gets_its_turn() -> None:
    async def main() -> None:
        claims, got = Claims(), asyncio.Event()

        async def reader() -> None:
            async with claims.hold([SHARED], by="reader"):
                got.set()

        async with claims.hold([SHARED], by="first"):
            writer = asyncio.create_task(claims.hold([ONE], by="writer").__aenter__())
            await asyncio.sleep(0)
            behind = asyncio.create_task(reader())
            await asyncio.sleep(0)
            writer.cancel()
            async with asyncio.timeout(5):
                await got.wait()
        await behind

    asyncio.run(main())


def test_claims_are_taken_in_one_order_and_each_once() -> None:
    assert merged([Claim("b", exclusive=False), Claim("a"), Claim("b")]) == [Claim("a"), Claim("b")]
