import asyncio

from ovis.node.storage.shared_call import SharedCall


def test_who_comes_during_a_run_shares_the_next_one() -> None:
    async def main() -> None:
        runs: list[int] = []
        gate = asyncio.Event()

        async def work() -> int:
            runs.append(len(runs))
            await gate.wait()
            return runs[-1]

        shared = SharedCall(work, "a test")
        first = asyncio.create_task(shared())
        await asyncio.sleep(0.01)
        later = [asyncio.create_task(shared()) for _ in range(5)]
        await asyncio.sleep(0.01)
        assert runs == [0]
        gate.set()
        assert await first == 0
        assert await asyncio.gather(*later) == [1] * 5
        await shared.settle()
        assert shared.is_idle

    asyncio.run(main())


def test_a_caller_that_goes_away_does_not_end_it_for_the_others() -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def work() -> str:
            await gate.wait()
            return "done"

        shared = SharedCall(work, "a test")
        one, other = asyncio.create_task(shared()), asyncio.create_task(shared())
        await asyncio.sleep(0.01)
        one.cancel()
        gate.set()
        assert await other == "done"

    asyncio.run(main())


def test_a_failure_reaches_everybody_and_the_next_run_is_a_new_one() -> None:
    async def main() -> None:
        answers = [ValueError("no"), None]

        async def work() -> None:
            if answer := answers.pop(0):
                raise answer

        shared = SharedCall(work, "a test")
        failed = await asyncio.gather(shared(), shared(), return_exceptions=True)
        assert [type(error) for error in failed] == [ValueError, ValueError]
        await shared()
        await shared.close()

    asyncio.run(main())
