"""A volume behind a host's image transfer daemon (ovirt-imageio): HTTP requests that a ticket permits.

    OPTIONS /images/ID                                         features, limits
    GET     /images/ID/extents                                 [{start, length, zero}]
    GET     /images/ID            Range: bytes=A-B             206
    PUT     /images/ID?flush=n    Content-Range: bytes A-B/*   200
    PATCH   /images/ID            {op: zero, offset, size, flush} or {op: flush}
    GET     /images/ID/checksum                                {checksum, algorithm, block_size}

A ticket's id is the permission: it is in no error here. Source: reference/engine-api.md 9; tried with 2.5.1.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ovis.client.images.image import Extent, ImageError, merged

SECONDS = 60.0
_CUT_SHORT = (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError)
"""While sending: it refuses before it has read all, and there may be an answer."""


@dataclass(frozen=True)
class Place:
    """Where a ticket is good for: `url` as engines give it (https://HOST:54322/images/ID), or a Unix socket on the
    machine itself. `context` checks the daemon's certificate."""

    url: str
    context: ssl.SSLContext | None = field(default=None, repr=False)
    socket: str | None = None

    def connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if self.socket is not None:
            return _UnixConnection(self.socket)
        if parts.scheme != "https" or not parts.hostname:
            raise ImageError("a transfer needs an https URL")
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=SECONDS, context=self.context)

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def name(self) -> str:
        return self.socket or urlsplit(self.url).netloc


class TransferImage:
    def __init__(self, place: Place, size: int) -> None:
        """`size`: as the ticket permits. Raises ImageError."""
        self.place = place
        self.size = size
        options = self._ask("OPTIONS", place.path)
        self.features = frozenset(str(feature) for feature in options.get("features", []))
        self.most_readers = int(options.get("max_readers", 1))
        self.most_writers = int(options.get("max_writers", 1))
        if options.get("unix_socket") and place.socket is None:
            self.local_socket: str | None = str(options["unix_socket"])
        else:
            self.local_socket = place.socket

    def extents(self) -> Iterator[Extent]:
        if "extents" not in self.features:
            return iter([Extent(0, self.size, is_zero=False)])
        found = self._ask("GET", f"{self.place.path}/extents")
        return merged(Extent(int(e["start"]), int(e["length"]), is_zero=bool(e["zero"])) for e in found)

    def checksum(self) -> tuple[str, str, int]:
        """Digest, name of the algorithm and length of a block, as the daemon computes it; it reads all of the image."""
        found = self._ask("GET", f"{self.place.path}/checksum", seconds=3600)
        return str(found["checksum"]), str(found["algorithm"]), int(found["block_size"])

    def open(self) -> TransferIo:
        return TransferIo(self.place)

    def _ask(self, method: str, path: str, *, seconds: float = SECONDS) -> Any:
        connection = self.place.connect()
        connection.timeout = seconds
        try:
            return json.loads(_exchange(connection, self.place, method, path))
        except (ValueError, TypeError) as error:
            raise ImageError(f"{self.place.name}: an answer that cannot be read: {error}") from error
        finally:
            connection.close()


class TransferIo:
    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection = place.connect()

    def read(self, offset: int, into: memoryview) -> None:
        headers = {"Range": f"bytes={offset}-{offset + len(into) - 1}"}
        try:
            self._connection.request("GET", self._place.path, headers=headers)
            response = self._connection.getresponse()
            if response.status != http.client.PARTIAL_CONTENT:
                raise _refusal(self._place, response)
            while into:
                got = response.readinto(into)
                if not got:
                    raise ImageError(f"{self._place.name}: the answer ended {len(into)} bytes early")
                into = into[got:]
            response.read()
        except (OSError, http.client.HTTPException) as error:
            raise _lost(self._place, error) from error

    def write(self, offset: int, data: memoryview) -> None:
        headers = {
            "Content-Range": f"bytes {offset}-{offset + len(data) - 1}/*",
            "Content-Length": str(len(data)),
            "Content-Type": "application/octet-stream",
        }
        _exchange(self._connection, self._place, "PUT", f"{self._place.path}?flush=n", data, headers)

    def zero(self, offset: int, length: int) -> None:
        self._patch({"op": "zero", "offset": offset, "size": length, "flush": False})

    def flush(self) -> None:
        self._patch({"op": "flush"})

    def close(self) -> None:
        self._connection.close()

    def _patch(self, message: dict[str, object]) -> None:
        headers = {"Content-Type": "application/json"}
        _exchange(self._connection, self._place, "PATCH", self._place.path, json.dumps(message).encode(), headers)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _exchange(
    connection: http.client.HTTPConnection, place: Place, method: str, path: str,
    body: bytes | memoryview | None = None, headers: dict[str, str] | None = None,
) -> bytes:  # fmt: skip
    try:
        with suppress(*_CUT_SHORT):
            connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        if response.status >= http.client.BAD_REQUEST:
            raise _refusal(place, response)
        return response.read()
    except (OSError, http.client.HTTPException) as error:
        raise _lost(place, error) from error


def _refusal(place: Place, response: http.client.HTTPResponse) -> ImageError:
    ticket = place.path.rpartition("/")[2]
    words = response.read(2000).decode(errors="replace").replace(ticket, "<ticket>").strip()
    meaning = {403: "no valid ticket", 404: "no such image"}.get(response.status, response.reason)
    return ImageError(f"{place.name} refused: {response.status} {meaning}{f': {words}' if words else ''}")


def _lost(place: Place, error: Exception) -> ImageError:
    return ImageError(f"the transfer daemon at {place.name} was lost: {error or type(error).__name__}")
