"""Consoles through libvirt: streams carry serial consoles and channels, a passed socket carries graphics.

A stream has a connection to libvirtd of its own: it ends with it, and a guest that does not read its end holds up
nobody else's calls (libvirtd reads no further from a connection with 5 messages that it cannot deliver). libvirt's
client keeps whatever has come and was not read, without bound; so everything is read at once and the bound is ours.
"""

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import libvirt
import libvirt_qemu
import msgspec
from lxml import etree

from ovis.node.hypervisor.consoles import TOO_SLOW, ByteStream, GraphicsPassword, StreamLost
from ovis.node.hypervisor.domain_xml import parse
from ovis.node.hypervisor.errors import DeadlineExceeded, HypervisorError, HypervisorLost, OperationRefused
from ovis.node.hypervisor.libvirt_errors import is_lost, translate
from ovis.node.hypervisor.links import open_connection
from ovis.node.hypervisor.pools import Pool

if TYPE_CHECKING:
    from ovis.node.hypervisor.libvirt_driver import LibvirtHypervisor

log = logging.getLogger(__name__)

CHUNK = 256 * 1024
UNREAD = 4 * 1024 * 1024  # a minute of a serial console that prints as fast as it can (60 KB/s measured)
OPEN_SECONDS = 10.0
WRITE_SECONDS = 10.0
WOULD_BLOCK = -2

Open = Callable[[libvirt.virDomain, libvirt.virStream], object]


class LibvirtConsoles:
    def __init__(self, uri: str, hypervisor: "LibvirtHypervisor") -> None:
        self._uri = uri
        self._hypervisor = hypervisor
        self._pool = Pool("streams", threads=2)
        self._streams: set[LibvirtStream] = set()

    async def open_console(self, domain_id: str, *, force: bool = False, deadline: float | None = None) -> ByteStream:
        flags = libvirt.VIR_DOMAIN_CONSOLE_FORCE if force else 0
        return await self._open(
            "console", domain_id, lambda domain, stream: domain.openConsole(None, stream, flags), deadline
        )

    async def open_channel(self, domain_id: str, name: str, *, deadline: float | None = None) -> ByteStream:
        return await self._open(
            f"channel {name}", domain_id, lambda domain, stream: domain.openChannel(name, stream, 0), deadline
        )

    async def open_graphics(self, domain_id: str, index: int, *, deadline: float | None = None) -> socket.socket:
        given_up = threading.Event()

        def work(domain: libvirt.virDomain) -> socket.socket:
            opened = socket.socket(fileno=domain.openGraphicsFD(index, libvirt.VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH))
            if given_up.is_set():
                opened.close()
            opened.setblocking(False)
            return opened

        try:
            return await self._hypervisor.on_domain("slow", "open graphics", domain_id, work, deadline)
        except (HypervisorError, asyncio.CancelledError):
            given_up.set()
            raise

    async def set_graphics_password(
        self, domain_id: str, index: int, password: GraphicsPassword, *, deadline: float | None = None
    ) -> None:
        def work(domain: libvirt.virDomain) -> None:
            device = _graphics(domain.XMLDesc(0), index)
            device.set("passwd", password.password)
            until = datetime.fromtimestamp(password.until, UTC)
            device.set("passwdValidTo", until.strftime("%Y-%m-%dT%H:%M:%S"))
            device.attrib.pop("connected", None)
            if password.connected is not None:
                device.set("connected", password.connected)
            domain.updateDeviceFlags(etree.tostring(device, encoding="unicode"), libvirt.VIR_DOMAIN_AFFECT_LIVE)

        await self._hypervisor.on_domain("slow", "set graphics password", domain_id, work, deadline)

    async def vnc_clients(self, domain_id: str, *, deadline: float | None = None) -> int:
        def work(domain: libvirt.virDomain) -> int:
            answer = libvirt_qemu.qemuMonitorCommand(domain, '{"execute":"query-vnc"}', 0)
            return len(msgspec.json.decode(answer, type=_Answer).value.clients)

        return await self._hypervisor.on_domain("slow", "VNC clients", domain_id, work, deadline)

    async def close(self) -> None:
        for stream in list(self._streams):
            await stream.close()
        self._pool.close()

    async def _open(self, name: str, domain_id: str, start: Open, deadline: float | None) -> ByteStream:
        stream = LibvirtStream(self._pool, self._streams.discard)
        try:
            await self._pool.run(
                f"open {name}",
                lambda: stream.connect(self._uri, domain_id, start),
                deadline=deadline or OPEN_SECONDS,
                domain_id=domain_id,
            )
        except (HypervisorError, asyncio.CancelledError):
            stream.give_up()
            raise
        self._streams.add(stream)
        return stream


class _Vnc(msgspec.Struct):
    clients: list[msgspec.Raw] = []


class _Answer(msgspec.Struct):
    value: _Vnc = msgspec.field(name="return")


def _graphics(xml: str, index: int) -> etree._Element:
    found = parse(xml).findall("devices/graphics")
    if index >= len(found):
        raise OperationRefused(f"no graphics device with index {index}")
    return found[index]


class LibvirtStream:
    """Which thread runs what is said below; what is not said runs in the event loop."""

    def __init__(self, pool: Pool, gone: Callable[["LibvirtStream"], None]) -> None:
        self._pool = pool
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._connection: libvirt.virConnect | None = None
        self._stream: libvirt.virStream | None = None
        self._given_up = False
        self._unread = bytearray()
        self._come = asyncio.Event()
        self._writing = asyncio.Lock()
        self._reason = ""

    @property
    def reason(self) -> str:
        return self._reason

    async def read(self) -> bytes:
        while not self._unread and not self._reason:
            self._come.clear()
            await self._come.wait()
        data = bytes(self._unread)
        self._unread.clear()
        return data

    async def write(self, data: bytes) -> None:
        async with self._writing:
            if self._reason:
                raise StreamLost(self._reason)
            try:
                await self._pool.run("write", lambda: self._send(data), deadline=WRITE_SECONDS)
            except libvirt.libvirtError as error:
                self._end(str(error))
                raise StreamLost(self._reason) from error

    async def close(self) -> None:
        self._end("closed")
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        self._gone(self)
        try:
            await self._pool.run("close", lambda: self._hang_up(connection), deadline=OPEN_SECONDS)
        except HypervisorError as error:
            log.info("a stream was left to libvirt to close: %s", error)

    # In threads of the pool

    def connect(self, uri: str, domain_id: str, start: Open) -> None:
        """Raises HypervisorError."""
        try:
            connection = open_connection(uri)
        except libvirt.libvirtError as error:
            raise HypervisorLost(error.get_error_message() or str(error)) from error
        try:
            connection.registerCloseCallback(self._lost, None)  # the stream itself says nothing when the daemon dies
            stream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
            start(connection.lookupByUUIDString(domain_id), stream)
            stream.eventAddCallback(
                libvirt.VIR_STREAM_EVENT_READABLE | libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP,
                self._happened,
                None,
            )
        except libvirt.libvirtError as error:
            lost = is_lost(connection)
            _close(connection)
            raise HypervisorLost(str(error)) if lost else translate(error, domain_id) from error
        with self._lock:
            self._stream, self._connection = stream, connection
            given_up = self._given_up
        if given_up:
            self._hang_up(connection)

    def give_up(self) -> None:
        """Nobody waits for `connect` any more."""
        with self._lock:
            self._given_up = True

    def _send(self, data: bytes) -> None:
        stream = self._stream
        until = time.monotonic() + WRITE_SECONDS
        while data and stream is not None:
            sent = stream.send(data[:CHUNK])
            if sent == WOULD_BLOCK:
                if time.monotonic() > until:
                    raise DeadlineExceeded("write", WRITE_SECONDS, started=True)
                time.sleep(0.01)
            else:
                data = data[sent:]

    def _hang_up(self, connection: libvirt.virConnect) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(libvirt.libvirtError):
                stream.eventRemoveCallback()
            with contextlib.suppress(libvirt.libvirtError):
                stream.abort()
        _close(connection)

    # In libvirt's event thread

    def _happened(self, stream: libvirt.virStream, events: int, _: object) -> None:
        try:
            data = stream.recv(CHUNK) if events & libvirt.VIR_STREAM_EVENT_READABLE else b""
        except libvirt.libvirtError as error:
            self._over(stream, error.get_error_message() or str(error))
            return
        if isinstance(data, int):  # nothing there after all
            return
        if not data:
            self._over(stream, "the other end is closed")
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads
            self._loop.call_soon_threadsafe(self._take, data)

    def _lost(self, _: libvirt.virConnect, __: int, ___: object) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, "libvirt is away")

    def _over(self, stream: libvirt.virStream, reason: str) -> None:
        """Without this libvirt would tell the end again and again, as fast as it can."""
        with contextlib.suppress(libvirt.libvirtError):
            stream.eventRemoveCallback()
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, reason)

    # In the event loop

    def _take(self, data: bytes) -> None:
        if self._reason:
            return
        self._unread += data
        if len(self._unread) > UNREAD:
            self._end(TOO_SLOW)
        self._come.set()

    def _end(self, reason: str) -> None:
        if not self._reason:
            self._reason = reason
            self._come.set()


def _close(connection: libvirt.virConnect) -> None:
    with contextlib.suppress(libvirt.libvirtError):  # it would hold the connection for ever
        connection.unregisterCloseCallback()
    with contextlib.suppress(libvirt.libvirtError):
        connection.close()
