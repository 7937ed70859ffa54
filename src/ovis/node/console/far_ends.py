"""The ends of tunnels that lie in a VM."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from ovis.node.hypervisor.consoles import ByteStream, StreamLost
from ovis.node.hypervisor.errors import HypervisorError
from ovis.wire.routes import TunnelBroken

CHUNK = 64 * 1024
CLOSE_SECONDS = 2.0


class StreamEnd:
    """A serial console."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    @property
    def reason(self) -> str:
        return self._stream.reason

    async def read(self) -> bytes:
        return await self._stream.read()

    async def write(self, data: bytes) -> None:
        try:
            await self._stream.write(data)
        except (StreamLost, HypervisorError) as error:
            raise TunnelBroken(str(error)) from error

    async def close(self) -> None:
        await self._stream.close()


class SocketEnd:
    """A screen: QEMU's end of the socket speaks RFB."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.reason = ""

    @classmethod
    async def of(cls, connected: socket.socket) -> SocketEnd:
        """Takes the socket over. Raises OSError."""
        try:
            return cls(*await asyncio.open_unix_connection(sock=connected, limit=CHUNK))
        except BaseException:
            connected.close()
            raise

    async def read(self) -> bytes:
        try:
            data = await self._reader.read(CHUNK)
        except OSError as error:
            self.reason = self.reason or str(error)
            return b""
        if not data:
            self.reason = self.reason or "the screen is closed"
        return data

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._writer.wait_closed()
