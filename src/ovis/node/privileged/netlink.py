"""Changing the kernel's networks over a routing socket: one message, one answer. Only the root helper uses this.

Each function does one change and says in an OSError what the kernel has against it, in the kernel's own words where it
gives them (extended acknowledgements, Linux 4.12). Source: rtnetlink(7), linux/if_link.h, linux/netlink.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from ovis.node.host.rtnetlink import attributes, messages, text

REPLACE, EXCLUSIVE, CREATE, APPEND = 0x100, 0x200, 0x400, 0x800
NESTED = 0x8000
_REQUEST, _ACK = 1, 4
_ERROR = 2
_CAPPED, _TLVS = 0x100, 0x200
_EXTENDED_ACK, _CAP_ACK = 11, 10
_SOL_NETLINK = 270
_SECONDS = 20.0
"""The kernel answers when it has done it. Deleting many devices waits for readers of the old ones."""
_HEADER = struct.Struct("=LHHLL")


def attribute(kind: int, value: bytes) -> bytes:
    """With padding."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *inner: bytes) -> bytes:
    return attribute(kind | NESTED, b"".join(inner))


def string(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int, size: int = 4) -> bytes:
    return attribute(kind, value.to_bytes(size, "little" if _LITTLE else "big"))


_LITTLE = struct.pack("=H", 1) == b"\1\0"


class Channel:
    """A routing socket in the network namespace in which it was opened. For one thread."""

    def __init__(self, channel: socket.socket) -> None:
        self._socket = channel
        self._number = 0

    def do(self, kind: int, body: bytes, flags: int = 0, *, what: str, ignore: tuple[int, ...] = ()) -> None:
        """Send, and wait for the answer. Raises OSError (filename is `what`) unless its number is one of `ignore`."""
        self._number += 1
        length = _HEADER.size + len(body)
        self._socket.send(_HEADER.pack(length, kind, flags | _REQUEST | _ACK, self._number, 0) + body)
        while True:
            data = self._socket.recv(1 << 16)
            if _HEADER.unpack_from(data)[3] != self._number:
                continue  # the late answer to a message that was given up
            for answer, content in messages(data):
                if answer == _ERROR:
                    code = -struct.unpack_from("=i", content)[0]
                    if code and code not in ignore:
                        raise OSError(code, _words(code, data), what)
                    return


@contextmanager
def channel() -> Iterator[Channel]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as opened:
        opened.settimeout(_SECONDS)
        for option in (_EXTENDED_ACK, _CAP_ACK):
            opened.setsockopt(_SOL_NETLINK, option, 1)
        yield Channel(opened)


def _words(code: int, data: bytes) -> str:
    """What the kernel says beside the number."""
    flags = _HEADER.unpack_from(data)[2]
    if flags & _TLVS:
        start = _HEADER.size + 4 + _HEADER.size  # the error number, and the header of our message
        if not flags & _CAPPED:
            start += struct.unpack_from("=L", data, _HEADER.size + 4)[0] - _HEADER.size
        said = dict(attributes(data[start:])).get(1)
        if said:
            return f"{os.strerror(code)} ({text(said)})"
    return os.strerror(code)


def index_of(name: str) -> int:
    """Raises OSError (ENODEV), naming the device."""
    try:
        return socket.if_nametoindex(name)
    except OSError as error:
        raise OSError(errno.ENODEV, "there is no such device", name) from error
