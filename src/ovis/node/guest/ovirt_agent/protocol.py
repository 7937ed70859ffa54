"""The agent's protocol without I/O: a JSON object a line, UTF-8, both ways; the member `__name__` says what it is.

    {"__name__": "heartbeat", "free-ram": "512", "apiVersion": 3}

Whatever the guest sends is bounded: a line longer than `LINE_BYTES` is dropped up to its end, and who sends more than
`BURST_BYTES` and then `BYTES_PER_SECOND` breaks the protocol. A line that is no such object is counted and dropped.

Source: reference/vdsm.md, section 2.3 for the channels; the messages as the public agent sends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

CHANNELS = ("ovirt-guest-agent.0", "com.redhat.rhevm.vdsm")
API_VERSION = 3
LINE_BYTES = 1 << 20
BURST_BYTES = 2 << 20
BYTES_PER_SECOND = 64 << 10  # a large guest tells some KiB every few seconds


class Flood(Exception):
    """The guest sends more than any agent does."""

    def __init__(self) -> None:
        super().__init__(f"it sends more than {BYTES_PER_SECOND >> 10} KiB a second")


@dataclass(frozen=True)
class Message:
    name: str
    body: Mapping[str, Any]


class Decoder:
    """Bytes in, messages out."""

    def __init__(self, now: float) -> None:
        self._line = bytearray()
        self._is_too_long = False
        self._allowance = float(BURST_BYTES)
        self._counted_at = now
        self.dropped = 0

    def feed(self, data: bytes, now: float) -> list[Message]:
        """`now` in seconds of a monotonic clock. Raises Flood."""
        self._pay(len(data), now)
        *lines, rest = data.split(b"\n")
        messages = []
        for line in lines:
            self._add(line)
            if (message := self._take()) is not None:
                messages.append(message)
        self._add(rest)
        return messages

    def _pay(self, size: int, now: float) -> None:
        refill = max(now - self._counted_at, 0.0) * BYTES_PER_SECOND
        self._counted_at = now
        self._allowance = min(self._allowance + refill, BURST_BYTES) - size
        if self._allowance < 0:
            raise Flood

    def _add(self, piece: bytes) -> None:
        if len(self._line) + len(piece) > LINE_BYTES:
            self._is_too_long = True
            self._line.clear()
        if not self._is_too_long:
            self._line += piece

    def _take(self) -> Message | None:
        line, too_long = bytes(self._line), self._is_too_long
        self._line.clear()
        self._is_too_long = False
        if not too_long and not line.strip():
            return None
        message = None if too_long else _decode(line)
        self.dropped += message is None
        return message


def _decode(line: bytes) -> Message | None:
    try:
        body = msgspec.json.decode(line.decode("utf-8", "replace"), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return None
    name = body.pop("__name__", None)
    return Message(name, body) if isinstance(name, str) else None


def encode(name: str, /, **members: object) -> bytes:
    """A command to the agent."""
    return msgspec.json.encode({"__name__": name, **members}) + b"\n"
