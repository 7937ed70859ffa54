"""The typed client of a node agent, blocking and asynchronous, with the same names:

    with Node.open(UnixTarget("/run/ovis/ovisd.sock")) as node:
        print(node.host.get_stats().cpu_idle_percent)

    async with await AsyncNode.open(TcpTarget("host", tls=files)) as node:
        print((await node.host.get_stats()).cpu_idle_percent)

Errors are those of the connection (`ovis.wire.errors`): RpcError with the number of the API's error table, CallTimeout,
ConnectionLost. A result that breaks the schema raises msgspec.ValidationError.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from ovis.client import codec
from ovis.client.api import NodeApi
from ovis.client.async_api import AsyncNodeApi
from ovis.wire.blocking import BlockingConnection
from ovis.wire.target import TcpTarget, UnixTarget

if TYPE_CHECKING:
    from ovis.wire.connection import Connection
    from ovis.wire.events import Subscription

CALL_SECONDS = 60.0
"""A call's deadline unless it names another."""


class Node(NodeApi):
    """One node agent over a blocking connection; not for several threads at once."""

    def __init__(self, connection: BlockingConnection, *, flow: str = "") -> None:
        super().__init__(self._send)
        self._connection = connection
        self.flow = flow
        """Sent with every call; the agent's log shows it."""

    @classmethod
    def open(cls, target: UnixTarget | TcpTarget, *, flow: str = "") -> Self:
        """Connect. Raises ConnectionLost."""
        return cls(BlockingConnection.open(target), flow=flow)

    def _send(self, method: str, arguments: msgspec.Struct, deadline: float | None) -> Any:
        seconds = CALL_SECONDS if deadline is None else deadline
        raw = self._connection.call(method, codec.encode_arguments(arguments), timeout=seconds, flow=self.flow)
        return codec.decode_result(method, bytes(raw))

    def close(self) -> None:
        """Safe to repeat."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncNode(AsyncNodeApi):
    """One node agent over an asynchronous connection, with any number of calls in flight."""

    def __init__(self, connection: Connection, *, flow: str = "") -> None:
        super().__init__(self._send)
        self._connection = connection
        self.flow = flow
        """Sent with every call; the agent's log shows it."""

    @classmethod
    async def open(cls, target: UnixTarget | TcpTarget, *, flow: str = "") -> Self:
        """Connect. Raises ConnectionLost."""
        from ovis.wire.connection import Connection

        return cls(await Connection.open(target), flow=flow)

    async def subscribe(self, pattern: str) -> Subscription:
        """Events whose name matches the shell-like pattern, from now on: an async iterator of `Event | Lost`."""
        return await self._connection.subscribe(pattern)

    @property
    def is_open(self) -> bool:
        return self._connection.is_open

    async def _send(self, method: str, arguments: msgspec.Struct, deadline: float | None) -> Any:
        seconds = CALL_SECONDS if deadline is None else deadline
        raw = await self._connection.call(method, codec.encode_arguments(arguments), timeout=seconds, flow=self.flow)
        return codec.decode_result(method, raw)

    async def close(self) -> None:
        """Safe to repeat."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
