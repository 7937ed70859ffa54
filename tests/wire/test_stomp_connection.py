"""The STOMP client against the real server."""

import asyncio
from typing import Any

import pytest

from ovis.wire.errors import CallTimeout, ConnectionLost, RpcError
from ovis.wire.stomp_connection import StompConnection
from ovis.wire.target import TcpTarget, UnixTarget


def target(rig: Any, kind: str) -> UnixTarget | TcpTarget:
    if kind == "unix":
        return UnixTarget(rig.path)
    host, port = rig.server.addresses[-1]
    return TcpTarget(host, port, rig.made.admin, server_name="localhost")


@pytest.mark.parametrize("kind", ["unix", "tls"])
def test_calls_are_answered_each_by_its_own(rig: Any, kind: str) -> None:
    async def main() -> None:
        async with await StompConnection.open(target(rig, kind)) as agent:
            assert bytes(await agent.call("ping", None, timeout=5)) == b"true"
            answers = await asyncio.gather(*(agent.call("echo", b"[%d]" % n, timeout=5, flow="f") for n in range(50)))
            assert [bytes(answer) for answer in answers] == [b"[%d]" % n for n in range(50)]
            large = await agent.call("big", b"[1000000]", timeout=10)
            assert len(bytes(large)) == 1_000_002

    asyncio.run(main())


def test_errors_and_silence_are_told_apart(rig: Any) -> None:
    async def main() -> None:
        async with await StompConnection.open(target(rig, "unix")) as agent:
            with pytest.raises(RpcError, match="No method"):
                await agent.call("nothing", None, timeout=5)
            with pytest.raises(CallTimeout):
                await agent.call("block", None, timeout=0.1)
            assert bytes(await agent.call("ping", None, timeout=5)) == b"true"
        with pytest.raises(ConnectionLost):
            await agent.call("ping", None, timeout=5)

    asyncio.run(main())


def test_a_server_that_speaks_something_else_ends_the_connection() -> None:
    async def main() -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"ERROR\nmessage:no such thing\n\n\0")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            agent = await StompConnection.open(TcpTarget("127.0.0.1", server.sockets[0].getsockname()[1], None))
            with pytest.raises(ConnectionLost, match="no such thing"):
                await agent.call("ping", None, timeout=5)
            await agent.close()

    asyncio.run(main())
