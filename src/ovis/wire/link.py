"""One connection of the server, below its framing: what is read, what is written, and how long either may take.

    detecting --first bytes--> served by a session --refused, stopped or peer gone--> closed

Bounds, all from `Limits`:

- until the framing is known and for every message, a deadline from its first byte (slow-loris);
- half-received bytes, counted for all connections together (`Hub.received`);
- unsent bytes: above `write_high_bytes` the session is `blocked`: no request is read or begun; a peer that stays there
  for `write_seconds`, or lets `write_bytes` pile up, is dropped.

Answers made while a chunk of input is worked on leave in one write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from ovis.wire.detect import detect
from ovis.wire.errors import ProtocolError, TooLarge

if TYPE_CHECKING:
    from ovis.wire.hub import Hub
    from ovis.wire.service import Caller

log = logging.getLogger(__name__)

_GATHER_BYTES = 64 * 1024
"""Written pieces are joined up to here; beyond that copying costs more than another system call."""
_LINGER_SECONDS = 1.0
"""After a refusal input is read and dropped for this long, else the kernel's reset may overtake our last words."""
_CLOSE_SECONDS = 5.0
"""For a closing connection to take what is still unsent."""


class Session(Protocol):
    """One framing on one connection."""

    completed: int
    """Messages taken so far."""

    @property
    def pending(self) -> int:
        """Bytes received that are not worked on yet."""

    def feed(self, data: bytes) -> None:
        """Take input. Raises ProtocolError when the connection cannot go on."""

    def resume(self) -> None:
        """Go on with buffered input; called when the link is no longer blocked. Raises ProtocolError."""

    def refuse(self, error: ProtocolError) -> None:
        """Tell the peer, as far as the framing can, why the connection ends."""

    def closed(self) -> None:
        """The connection is gone or going: give back everything."""


class Link(asyncio.BaseProtocol):
    """The transport's protocol: what `PlainLink` and `TlsLink` share.

    Methods without underscore that asyncio does not know are for the session.
    """

    def __init__(self, hub: Hub, admit: Callable[[asyncio.Transport], Caller]) -> None:
        """`admit` says who is at the other end of the transport, when there is one."""
        self.hub = hub
        self._admit = admit
        self.loop = asyncio.get_running_loop()
        self.session: Session | None = None
        self.closed = False
        self.blocked = False
        self.heard = False
        """Set by every input; heart-beats reset it."""
        self.wrote = False
        """Set by every output; heart-beats reset it."""
        self._limits = hub.limits
        self._caller: Caller | None = None
        self._transport: asyncio.Transport | None = None
        self._early = b""
        self._held = False
        self._refused = False
        self._half_closed = False
        self._corked = False
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._counted = 0
        self._completed = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None
        self._writers: list[asyncio.Future[None]] = []

    @property
    def caller(self) -> Caller:
        assert self._caller is not None, "no connection yet"
        return self._caller

    # -- life

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # not isinstance: uvloop's are of no asyncio class
        try:
            self._caller = self._admit(self._transport)
        except BaseException:
            self._transport.abort()
            raise
        self.hub.links.add(self)
        self._transport.set_write_buffer_limits(high=self._limits.write_high_bytes)
        self._deadline = self.loop.call_later(self._limits.detect_seconds, self._detect_expired)

    def close(self) -> None:
        """Send what is written, then close. Safe to repeat."""
        if self._transport is None or self.closed:
            return
        self._flush()
        self._shut()
        if self._end is None:
            self._end = self.loop.call_later(_CLOSE_SECONDS, self._transport.abort)
        self._transport.close()

    def abort(self, reason: str) -> None:
        """Drop the connection and what is unsent."""
        if self._transport is not None and not self.closed:
            log.info("Connection of %s at %s dropped: %s", self.caller.name, self.caller.address, reason)
            self._shut()
            self._transport.abort()

    def cut(self) -> None:
        """Drop what is left of a connection that should have closed by now."""
        if self._transport is not None:
            self._shut()
            self._transport.abort()

    def refuse(self, error: ProtocolError) -> None:
        """Say why, then close."""
        if self.closed or self._refused or self._transport is None:
            return
        log.info("Connection of %s at %s refused: %s", self.caller.name, self.caller.address, error)
        if self.session is not None:
            self.session.refuse(error)
        self._refused = True
        if self.session is None or not self._transport.can_write_eof():
            self.close()
            return
        self._flush()
        self._shut()
        self._transport.write_eof()
        self._end = self.loop.call_later(_LINGER_SECONDS, self._transport.abort)

    def _shut(self) -> None:
        """Nothing is served from here on; timers, budget and session are given back."""
        if self.closed:
            return
        self.closed = True
        self.blocked = True  # ends the session's loop over buffered requests
        for timer in (self._deadline, self._write_deadline):
            if timer is not None:
                timer.cancel()
        self._deadline = self._write_deadline = None
        self.hub.received -= self._counted
        self._counted = 0
        self._out.clear()
        for writer in self._writers:
            if not writer.done():
                writer.set_result(None)
        self._writers.clear()
        if self.session is not None:
            self.session.closed()

    def connection_lost(self, exc: Exception | None) -> None:
        self._shut()
        if self._end is not None:
            self._end.cancel()
        self.hub.links.discard(self)
        self.hub.gone(self)

    def eof_received(self) -> bool:
        """A peer that only stopped sending still gets its answers (not with TLS, which cannot be half closed)."""
        if self.closed or self._transport is None or not self._transport.can_write_eof() or self.caller.running == 0:
            return False
        self._half_closed = True
        return True

    # -- input

    def data_received(self, data: bytes) -> None:
        self.heard = True
        if self.closed:
            return
        self._corked = True
        try:
            if self.session is None:
                self._detect(data)
            else:
                self.session.feed(data)
            self._count()
        except ProtocolError as error:
            self.refuse(error)
        finally:
            self._corked = False
            self._flush()

    def _detect(self, data: bytes) -> None:
        data = self._early + data
        framing = detect(data)
        if framing is None:
            self._early = data
            return
        self._early = b""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self.session = self.hub.make_session(framing, self)
        self.session.feed(data)

    def switch(self, session: Session) -> None:
        """Go on with another framing (WebSocket after HTTP)."""
        self.session = session
        self._completed = -1

    def hold(self, held: bool) -> None:
        """Stop or go on reading for a reason of the session's own."""
        if held != self._held:
            self._held = held
            self._set_reading()

    def _set_reading(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self.blocked or self._held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def proceed(self) -> None:
        """Let the session work on what it has buffered."""
        if self.closed or self.session is None:
            return
        self._corked = True
        try:
            self.session.resume()
            self._count()
        except ProtocolError as error:
            self.refuse(error)
        finally:
            self._corked = False
            self._flush()

    def _count(self) -> None:
        """Account for half-received bytes and start the deadline of a message that has begun."""
        if self.session is None or self.closed:
            return
        pending = self.session.pending
        if pending == self._counted:
            return
        self.hub.received += pending - self._counted
        grown = pending > self._counted
        self._counted = pending
        if grown and self.hub.received > self._limits.receive_bytes:
            raise TooLarge("Half-received messages of all connections", self.hub.received, self._limits.receive_bytes)
        if pending and self._deadline is None:
            self._completed = self.session.completed
            self._deadline = self.loop.call_later(self._limits.message_seconds, self._message_expired)

    def _detect_expired(self) -> None:
        self._deadline = None
        self.abort("it said nothing that tells its protocol")

    def _message_expired(self) -> None:
        self._deadline = None
        if self.session is None or self._counted == 0:
            return
        if self.session.completed == self._completed and not self.blocked and not self._held:
            self.refuse(ProtocolError(f"A message was not complete after {self._limits.message_seconds:g} s"))
            return
        self._completed = self.session.completed
        self._deadline = self.loop.call_later(self._limits.message_seconds, self._message_expired)

    # -- output

    def write(self, *pieces: bytes) -> None:
        """Send `pieces` in order; dropped when the connection is closed."""
        if self.closed:
            return
        self.wrote = True
        self._out += pieces
        for piece in pieces:
            self._out_bytes += len(piece)
        if not self._corked or self._out_bytes >= _GATHER_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._out or self._transport is None:
            return
        out = self._out
        size = self._out_bytes
        self._out = []
        self._out_bytes = 0
        if len(out) == 1:
            self._transport.write(out[0])
        elif size < _GATHER_BYTES:
            self._transport.write(b"".join(out))
        else:
            self._transport.writelines(out)
        if self.blocked and self._transport.get_write_buffer_size() > self._limits.write_bytes:
            self.abort("it does not read its answers, too many are waiting")
        self.settled()

    def settled(self) -> None:
        """A call has ended: perhaps it was the last one that a half-closed peer waits for."""
        if self._half_closed and self.caller.running == 0:
            self.close()

    async def writable(self) -> None:
        """Return when the link is not blocked, or closed; the wait is bounded by `write_seconds`."""
        while self.blocked and not self.closed:
            writer = self.loop.create_future()
            self._writers.append(writer)
            await writer

    def pause_writing(self) -> None:
        self.blocked = True
        self._set_reading()
        if not self.closed:
            self._write_deadline = self.loop.call_later(self._limits.write_seconds, self._write_expired)

    def resume_writing(self) -> None:
        self.blocked = False
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None
        self.proceed()
        if not self.blocked:
            self._set_reading()
            writers, self._writers = self._writers, []
            for writer in writers:
                if not writer.done():
                    writer.set_result(None)

    def _write_expired(self) -> None:
        self._write_deadline = None
        self.abort("it does not read its answers")


class PlainLink(Link, asyncio.Protocol):
    """For sockets: both loops read them into a buffer of their own and hand out a copy of what came."""


class TlsLink(Link, asyncio.BufferedProtocol):
    """For TLS, where a `Protocol` is handed the text in a new object of the most that may come, 256 KiB, cut down to
    what came. Each of them is mapped, moved and unmapped by the kernel: half of what a ping over TLS cost.
    """

    def get_buffer(self, sizehint: int) -> memoryview:
        return _TLS_TEXT

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(_TLS_TEXT[:nbytes]))


_TLS_TEXT = memoryview(bytearray(256 * 1024))
"""One for all: between `get_buffer` and `buffer_updated` no other connection gets a turn."""
