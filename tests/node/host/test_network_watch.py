"""The watch between its socket and its look; that it hears of real changes is shown in the real tier."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

import pytest

from ovis.node.host import network_watch
from ovis.node.host.network_watch import Seen

ONE, TWO, THREE = (frozenset({("address", "eth0", f"192.0.2.{n}/24")}) for n in (1, 2, 3))


class Network:
    def __init__(self) -> None:
        self.kernel, self.ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ours.setblocking(False)
        self.seen: Seen = ONE
        self.looks = 0
        self.told = 0
        self.is_changing = False

    def read(self) -> Seen:
        self.looks += 1
        return self.seen

    def tell(self) -> None:
        self.told += 1

    async def notice(self, seen: Seen) -> None:
        looks, self.seen = self.looks, seen
        self.kernel.send(b"x")
        while self.looks == looks and not self.is_changing:  # noqa: ASYNC110
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0.001)


def on_network(monkeypatch: pytest.MonkeyPatch, test: Callable[[Network], Awaitable[None]]) -> None:
    async def main() -> None:
        network = Network()
        monkeypatch.setattr(network_watch, "_notices", lambda: network.ours)
        watching = asyncio.create_task(
            network_watch.watch(network.tell, is_changing=lambda: network.is_changing, read=network.read, delay=0)
        )
        async with asyncio.timeout(60):
            while not network.looks:  # noqa: ASYNC110
                await asyncio.sleep(0)
            await test(network)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        network.kernel.close()

    asyncio.run(main())


def test_what_changed_is_told_and_what_did_not_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(network: Network) -> None:
        await network.notice(ONE)
        assert network.told == 0
        await network.notice(TWO)
        await network.notice(TWO)
        assert network.told == 1

    on_network(monkeypatch, test)


def test_during_a_change_of_ours_nothing_is_told_until_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(network: Network) -> None:
        network.is_changing = True
        await network.notice(TWO)
        await network.notice(THREE)
        assert network.told == 0
        network.is_changing = False
        while not network.told:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert network.told == 1

    on_network(monkeypatch, test)
