import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from ovis.wire.connection import Connection
from ovis.wire.errors import CallTimeout, ConnectionLost, RpcError
from ovis.wire.events import BadPattern, Event, Lost
from ovis.wire.framing import HEADER, frame
from ovis.wire.target import TcpTarget, UnixTarget

Serve = Callable[..., Any]


def target(rig: Any, kind: str = "unix") -> UnixTarget | TcpTarget:
    plain, path, (_, tls_port) = rig.server.addresses
    if kind == "unix":
        return UnixTarget(path)
    return TcpTarget(*plain) if kind == "plain" else TcpTarget("localhost", tls_port, rig.made.admin)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await main()

    asyncio.run(bounded())


@pytest.mark.parametrize("kind", ["plain", "unix", "tls"])
def test_many_calls_in_flight(rig: Any, kind: str) -> None:
    async def main() -> None:
        async with await Connection.open(target(rig, kind)) as connection:
            blocked = asyncio.ensure_future(connection.call("block", None))
            params = [msgspec.json.encode([number]) for number in range(50)]
            answers = await asyncio.gather(*(connection.call("echo", one) for one in params))
            assert [bytes(answer) for answer in answers] == params
            assert not blocked.done()
            rig.loop.call_soon_threadsafe(rig.service.release.set)
            assert msgspec.json.decode(await blocked) == "released"

    run(main)


def test_errors_are_told_apart(rig: Any) -> None:
    async def main() -> None:
        async with await Connection.open(target(rig)) as connection:
            with pytest.raises(RpcError) as error:
                await connection.call("nothing", b"{}", flow="flow")
            assert (error.value.code, error.value.data) == (-32601, {"method": "nothing"})
            with pytest.raises(CallTimeout):
                await connection.call("block", None, timeout=0.05)
            waiting = asyncio.ensure_future(connection.call("block", None))
            await connection.call("ping", None)
            await connection.close()
            with pytest.raises(ConnectionLost):
                await waiting
            with pytest.raises(ConnectionLost):
                await connection.call("ping", None)
        assert rig.service.seen[0][2] == "flow"

    run(main)


def test_calls_learn_that_the_server_is_gone(rig: Any) -> None:
    async def main() -> None:
        async with await Connection.open(target(rig)) as connection:
            waiting = asyncio.ensure_future(connection.call("block", None))
            events = await connection.subscribe("*")
            await asyncio.to_thread(rig.run, rig.server.stop(grace=0))
            with pytest.raises((ConnectionLost, RpcError)):
                await waiting
            assert [item async for item in events] == []
            assert not connection.is_open

    run(main)


@pytest.mark.parametrize("where", [UnixTarget("/nonexistent/socket"), TcpTarget("127.0.0.1", 1)])
def test_connecting_to_nothing_is_a_clear_error(where: UnixTarget | TcpTarget) -> None:
    async def main() -> None:
        with pytest.raises(ConnectionLost) as error:
            await Connection.open(where)
        assert str(where) in str(error.value)

    run(main)


def test_server_that_says_nothing_ends_the_handshake_in_time(made: Any) -> None:
    async def main() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(ConnectionLost):
                await Connection.open(TcpTarget("127.0.0.1", port, made.admin), timeout=0.1)

    run(main)


def test_events_and_unsubscribing(rig: Any) -> None:
    async def main() -> None:
        async with await Connection.open(target(rig)) as connection:
            both, virt = await connection.subscribe("*"), await connection.subscribe("|virt|*")
            for name in ("|jobs|a", "|virt|b", "|virt|c"):
                rig.ask(lambda name=name: rig.service.bus.publish(name, {}))
            names = []
            for subscription, count in ((both, 3), (virt, 2)):
                for _ in range(count):
                    item = await anext(subscription)
                    assert isinstance(item, Event)
                    names.append(item.name)
            assert names == ["|jobs|a", "|virt|b", "|virt|c", "|virt|b", "|virt|c"]
            with pytest.raises(BadPattern):
                await connection.subscribe("")
            both.close()
            virt.close()
            await connection.call("ping", None)
            await asyncio.to_thread(rig.eventually, lambda: rig.service.bus.subscribers == 0)

    run(main)


def test_loss_reaches_the_subscriber(rig: Any) -> None:
    rig.service.event_limit = 3

    async def main() -> None:
        async with await Connection.open(target(rig)) as connection:
            events = await connection.subscribe("*")

            def burst() -> None:
                for _ in range(10):
                    rig.service.bus.publish("|a|", {})

            rig.ask(burst)
            assert await anext(events) == Lost(7, 1, 7)
            assert [item.seq for item in [await anext(events) for _ in range(3)]] == [8, 9, 10]

    run(main)


@pytest.mark.parametrize("bad", [HEADER.pack(1 << 62), frame(b"{"), frame(b'{"jsonrpc":"2.0","id":1}')])
def test_nonsense_of_a_server_ends_the_connection(bad: bytes) -> None:
    async def main() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(bad)
            await reader.read()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with await Connection.open(TcpTarget("127.0.0.1", port)) as connection:
                with pytest.raises(ConnectionLost):
                    await connection.call("ping", None)

    run(main)
