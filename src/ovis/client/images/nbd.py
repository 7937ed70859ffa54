"""A client of the NBD protocol, as far as disks are copied with it. Source: the protocol's own document, doc/proto.md.

    server   NBDMAGIC IHAVEOPT flags16                          newstyle, fixed
    client   flags32
    client   IHAVEOPT option32 length32 data                    structured replies, base:allocation, then GO
    server   magic64 option32 reply32 length32 data
    then
    client   25609513 flags16 command16 cookie64 offset64 length32 [data]
    server   67446698 error32 cookie64                          simple reply; [data] never, since replies are structured
             668e33ef flags16 type16 cookie64 length32 data     chunk; the last one has flag 1

One request at a time: who wants more opens more connections.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ovis.client.images.image import Extent, ImageError

SECONDS = 60.0
LONGEST = 32 << 20  # what servers must take for reads and writes
LONGEST_ZERO = (4 << 30) - (64 << 10)  # 32 bits, aligned

_INIT, _OPTION = b"NBDMAGIC", b"IHAVEOPT"
_REPLY_MAGIC = 0x3E889045565A9
_REQUEST, _SIMPLE, _CHUNK = 0x25609513, 0x67446698, 0x668E33EF
_FIXED_NEWSTYLE, _NO_ZEROES = 1, 2
_OPT_GO, _OPT_STRUCTURED, _OPT_SET_META = 7, 8, 10
_REP_ACK, _REP_INFO, _REP_META = 1, 3, 4
_REP_ERROR = 1 << 31
_INFO_EXPORT = 0
_READ, _WRITE, _DISCONNECT, _FLUSH, _WRITE_ZEROES, _BLOCK_STATUS = 0, 1, 2, 3, 6, 7
_CHUNK_DONE = 1
_NONE, _OFFSET_DATA, _OFFSET_HOLE, _STATUS, _ERROR_BIT = 0, 1, 2, 5, 1 << 15
_STATE_ZERO = 2
_ALLOCATION = b"base:allocation"
_FLAG_CAN_MULTI_CONN = 1 << 8


@dataclass(frozen=True)
class Export:
    """`size` in bytes. `shares`: several connections see each other's writes."""

    size: int
    flags: int
    has_extents: bool

    @property
    def shares(self) -> bool:
        return bool(self.flags & _FLAG_CAN_MULTI_CONN)


class NbdConnection:
    """Raises ImageError for whatever the server does wrong or refuses, OSError when it is lost."""

    def __init__(self, path: str, export: str = "") -> None:
        self._where = f"NBD server at {path}"
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(SECONDS)
            self._socket.connect(path)
            self.export = self._negotiate(export.encode())
        except BaseException:
            self._socket.close()
            raise

    def read(self, offset: int, into: memoryview) -> None:
        for start in range(0, len(into), LONGEST):
            part = into[start : start + LONGEST]
            self._request(_READ, offset + start, len(part))
            for kind, chunk in self._chunks():
                self._take(kind, chunk, offset + start, part)

    def write(self, offset: int, data: memoryview) -> None:
        for start in range(0, len(data), LONGEST):
            part = data[start : start + LONGEST]
            self._request(_WRITE, offset + start, len(part), part)
            self._finish()

    def zero(self, offset: int, length: int) -> None:
        while length:
            step = min(length, LONGEST_ZERO)
            self._request(_WRITE_ZEROES, offset, step)
            self._finish()
            offset, length = offset + step, length - step

    def flush(self) -> None:
        self._request(_FLUSH, 0, 0)
        self._finish()

    def extents(self) -> Iterator[Extent]:
        if not self.export.has_extents:
            yield Extent(0, self.export.size, is_zero=False)
            return
        at = 0
        while at < self.export.size:
            begun = at
            for length, flags in self._status(at, min(self.export.size - at, LONGEST_ZERO)):
                length = min(length, self.export.size - at)
                yield Extent(at, length, is_zero=bool(flags & _STATE_ZERO))
                at += length
            if at == begun:
                raise ImageError(f"{self._where} tells nothing of what lies at {at}")

    def close(self) -> None:
        try:
            self._request(_DISCONNECT, 0, 0)
        finally:
            self._socket.close()

    def _negotiate(self, name: bytes) -> Export:
        magic, option, flags = struct.unpack(">8s8sH", self._receive(18))
        if (magic, option) != (_INIT, _OPTION) or not flags & _FIXED_NEWSTYLE:
            raise ImageError(f"{self._where} is none, or one of long ago")
        self._socket.sendall(struct.pack(">I", _FIXED_NEWSTYLE | flags & _NO_ZEROES))
        if not self._ask(_OPT_STRUCTURED, b""):
            raise ImageError(f"{self._where} has no structured replies")
        query = struct.pack(">I", len(name)) + name + struct.pack(">II", 1, len(_ALLOCATION)) + _ALLOCATION
        contexts = self._ask(_OPT_SET_META, query)
        has_extents = any(kind == _REP_META for kind, _ in contexts)
        for kind, data in self._ask(_OPT_GO, struct.pack(">I", len(name)) + name + struct.pack(">H", 0)):
            if kind == _REP_INFO and data[:2] == struct.pack(">H", _INFO_EXPORT):
                size, flags = struct.unpack(">QH", data[2:12])
                return Export(size, flags, has_extents)
        raise ImageError(f"{self._where} does not export {name.decode()!r}")

    def _ask(self, option: int, data: bytes) -> list[tuple[int, bytes]]:
        """The replies to an option, with the closing one; none when the server refuses it."""
        self._socket.sendall(_OPTION + struct.pack(">II", option, len(data)) + data)
        replies: list[tuple[int, bytes]] = []
        while True:
            magic, answered, kind, length = struct.unpack(">QIII", self._receive(20))
            if magic != _REPLY_MAGIC or answered != option or length > LONGEST:
                raise ImageError(f"{self._where} answers in an unknown way")
            content = self._receive(length)
            if kind & _REP_ERROR:
                return []
            replies.append((kind, content))
            if kind == _REP_ACK:
                return replies

    def _request(self, command: int, offset: int, length: int, data: memoryview | None = None) -> None:
        self._socket.sendall(struct.pack(">IHHQQI", _REQUEST, 0, command, 0, offset, length))
        if data is not None:
            self._socket.sendall(data)

    def _chunks(self) -> Iterator[tuple[int, int]]:
        """Kind and length of each chunk of the answer; who gets one reads it."""
        while True:
            magic = struct.unpack(">I", self._receive(4))[0]
            if magic == _SIMPLE:
                error, _ = struct.unpack(">IQ", self._receive(12))
                if error:
                    raise ImageError(f"{self._where}: {os.strerror(error)}")
                return
            if magic != _CHUNK:
                raise ImageError(f"{self._where} answers in an unknown way")
            flags, kind, _, length = struct.unpack(">HHQI", self._receive(16))
            if kind & _ERROR_BIT:
                raise ImageError(f"{self._where}: {self._explained(self._receive(length))}")
            yield kind, length
            if flags & _CHUNK_DONE:
                return

    def _finish(self) -> None:
        for _, length in self._chunks():
            self._receive(length)

    def _take(self, kind: int, length: int, base: int, into: memoryview) -> None:
        if kind == _NONE:
            return
        start = struct.unpack(">Q", self._receive(8))[0] - base
        if kind == _OFFSET_HOLE:
            size = struct.unpack(">I", self._receive(4))[0]
        elif kind == _OFFSET_DATA:
            size = length - 8
        else:
            raise ImageError(f"{self._where} answers a read in an unknown way")
        if start < 0 or start + size > len(into):
            raise ImageError(f"{self._where} answers a read with other places than were asked for")
        if kind == _OFFSET_HOLE:
            into[start : start + size] = bytes(size)
        else:
            self._receive_into(into[start : start + size])

    def _status(self, offset: int, length: int) -> list[tuple[int, int]]:
        self._request(_BLOCK_STATUS, offset, length)
        found: list[tuple[int, int]] = []
        for kind, size in self._chunks():
            data = self._receive(size)
            if kind == _STATUS:
                found += list(struct.iter_unpack(">II", data[4:]))
        return found

    @staticmethod
    def _explained(data: bytes) -> str:
        error, length = struct.unpack(">IH", data[:6])
        words = data[6 : 6 + length].decode(errors="replace")
        return words or os.strerror(error)

    def _receive(self, length: int) -> bytes:
        if length > LONGEST:
            raise ImageError(f"{self._where} sends more than it was asked for")
        data = bytearray(length)
        self._receive_into(memoryview(data))
        return bytes(data)

    def _receive_into(self, into: memoryview) -> None:
        while into:
            got = self._socket.recv_into(into)
            if not got:
                raise ImageError(f"{self._where} closed the connection")
            into = into[got:]
