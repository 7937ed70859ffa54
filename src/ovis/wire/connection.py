"""The asyncio client: native framing over TLS or a Unix socket, any number of calls in flight.

    async with await Connection.open(UnixTarget("/run/ovis/ovisd.sock")) as agent:
        result = await agent.call("Host.ping2", None, timeout=5)

A connection does not repair itself: after ConnectionLost open a new one and subscribe again. Whether to repeat a call
that was in flight is the caller's decision; the schema says which verbs may be repeated.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from types import TracebackType
from typing import Self, cast

import msgspec

from ovis.wire.errors import CallTimeout, ConnectionLost, ProtocolError, RpcError
from ovis.wire.events import Subscription
from ovis.wire.framing import HEADER, SizeFramer
from ovis.wire.jsonrpc import encode_request
from ovis.wire.limits import Limits
from ovis.wire.responses import Answer, EventSorter, read
from ovis.wire.target import TcpTarget, UnixTarget
from ovis.wire.tls import client_context

log = logging.getLogger(__name__)

CALL_SECONDS = 60.0
CONNECT_SECONDS = 10.0


class Connection:
    """Made by `open`."""

    def __init__(self, address: str, limit: int) -> None:
        self.address = address
        self._wire = self._new_wire(limit)
        self._number = 0
        self._waiting: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._subscribing: dict[int, Subscription] = {}
        self._events = EventSorter()
        self._lost: str | None = None
        self._unsubscribing: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        target: UnixTarget | TcpTarget,
        *,
        timeout: float = CONNECT_SECONDS,  # noqa: ASYNC109 - part of the interface of both clients
        limit: int = Limits().message_bytes,
    ) -> Self:
        """Connect within `timeout` seconds, TLS included. `limit`: bytes of one message. Raises ConnectionLost."""
        connection = cls(str(target), limit)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                if isinstance(target, UnixTarget):
                    await loop.create_unix_connection(lambda: connection._wire, target.path)
                elif target.tls is None:
                    await loop.create_connection(lambda: connection._wire, target.host, target.port)
                else:
                    context = client_context(target.tls, check_hostname=target.check_hostname)
                    await loop.create_connection(
                        lambda: connection._wire,
                        target.host,
                        target.port,
                        ssl=context,
                        server_hostname=target.server_name or None,
                        ssl_shutdown_timeout=1.0,
                    )
        except TimeoutError as error:
            raise ConnectionLost(connection.address, f"not connected within {timeout:g} s") from error
        except (OSError, ssl.SSLError) as error:
            raise ConnectionLost(connection.address, str(error)) from error
        return connection

    def _new_wire(self, limit: int) -> Wire:
        """Another framing has another one."""
        return Wire(self, limit)

    @property
    def is_open(self) -> bool:
        return self._lost is None

    async def call(
        self,
        method: str,
        params: bytes | None,
        *,
        timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - as above
        flow: str = "",
    ) -> msgspec.Raw:
        """The JSON text of the result. `params`: JSON text of an object or array.

        Raises RpcError (the server's), CallTimeout, ConnectionLost. The last two leave open whether the call was done.
        """
        return await self._ask(method, params, timeout, flow)

    async def _ask(
        self,
        method: str,
        params: bytes | None,
        timeout: float,  # noqa: ASYNC109 - as above
        flow: str = "",
        subscription: Subscription | None = None,
    ) -> msgspec.Raw:
        if self._lost is not None:
            raise ConnectionLost(self.address, self._lost)
        self._number += 1
        number = self._number
        if subscription is not None:
            self._subscribing[number] = subscription
        answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._wire.send(encode_request(number, method, params, flow))
            async with asyncio.timeout(timeout):
                await self._wire.writable()
                return await answer
        except TimeoutError as error:
            raise CallTimeout(method, timeout) from error
        finally:
            self._waiting.pop(number, None)
            self._subscribing.pop(number, None)

    async def subscribe(
        self,
        pattern: str,
        *,
        timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - as above
    ) -> Subscription:
        """Events from now on, as an async iterator of `Event | Lost`; close it (or leave its context) to unsubscribe.

        It ends when the connection does; `is_open` tells why. Raises BadPattern and what `call` raises.
        """
        subscription = Subscription(pattern, on_close=self._unsubscribe)
        params = msgspec.json.encode({"pattern": pattern})
        await self._ask("rpc.subscribe", params, timeout, subscription=subscription)
        return subscription

    async def close(self) -> None:
        """Safe to repeat."""
        self._wire.close("it was closed here")
        for task in tuple(self._unsubscribing):
            task.cancel()
        await self._wire.ended()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _unsubscribe(self, subscription: Subscription) -> None:
        name = self._events.forget(subscription)
        if name is None or self._lost is not None:
            return
        task = asyncio.get_running_loop().create_task(self._tell_unsubscribed(name))
        self._unsubscribing.add(task)
        task.add_done_callback(self._unsubscribing.discard)

    async def _tell_unsubscribed(self, name: str) -> None:
        try:
            await self.call("rpc.unsubscribe", msgspec.json.encode({"subscription": name}), timeout=5)
        except (RpcError, CallTimeout, ConnectionLost) as error:
            log.debug("Subscription %s of %s: %s", name, self.address, error)

    # -- from the wire

    def received(self, message: bytes) -> None:
        item = read(message)
        if not isinstance(item, Answer):
            self._events.put(item)
            return
        waiting = self._waiting.get(item.id) if isinstance(item.id, int) else None
        if waiting is None or waiting.done():
            if item.error is not None and item.id is None:
                raise ProtocolError(f"The server refused a message: {item.error}")
            return  # its caller has given up
        assert isinstance(item.id, int)
        if item.error is not None:
            waiting.set_exception(item.error)
        elif item.result is not None:
            if item.id in self._subscribing:  # now: its first events may stand right behind
                name = msgspec.json.decode(item.result, type=dict[str, str])["subscription"]
                self._events.subscriptions[name] = self._subscribing[item.id]
            waiting.set_result(item.result)

    def ended(self, reason: str) -> None:
        if self._lost is not None:
            return
        self._lost = reason
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionLost(self.address, reason))
        self._events.close()


class Wire(asyncio.Protocol):
    """The transport's half: frames in and out, flow control."""

    def __init__(self, connection: Connection, limit: int) -> None:
        self._connection = connection
        self._framer = SizeFramer(limit)
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()

    def send(self, message: bytes) -> None:
        assert self._transport is not None
        self._transport.write(HEADER.pack(len(message)) + message)

    async def writable(self) -> None:
        if not self._writable.is_set():
            await self._writable.wait()

    def close(self, reason: str) -> None:
        if self._transport is not None:
            self._transport.close()
        self._connection.ended(reason)

    async def ended(self) -> None:
        if self._transport is None:
            return
        try:
            async with asyncio.timeout(2):
                await self._gone.wait()
        except TimeoutError:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are of no asyncio class

    def data_received(self, data: bytes) -> None:
        self._framer.push(data)
        try:
            while (message := self._framer.pop()) is not None:
                self._connection.received(message)
        except ProtocolError as error:
            self.close(str(error))

    def eof_received(self) -> None:
        self._connection.ended("the server closed it")

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._writable.set()
        self._connection.ended(str(exc) if exc else "the server closed it")

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()
