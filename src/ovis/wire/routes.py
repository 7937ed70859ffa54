"""What HTTP offers beside JSON-RPC: routes answer requests, tunnels turn into WebSockets that carry bytes.

Loads nothing of either protocol, so that who offers them costs nothing until somebody comes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

import msgspec

from ovis.wire.service import Caller


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Names in lower case; of repeated ones the last."""
    body: bytes
    caller: Caller


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]
Routes = Mapping[tuple[str, str], Handler]
"""(method, path) -> handler; the path may be `*`, for any."""


def fault(status: HTTPStatus, text: str, **headers: str) -> HttpResponse:
    body = msgspec.json.encode({"error": {"status": int(status), "message": text}})
    return HttpResponse(
        status,
        body,
        {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}},
    )


class FarEnd(Protocol):
    """What a tunnel leads to. `read` gives nothing at the end, `reason` then says why."""

    @property
    def reason(self) -> str: ...

    async def read(self) -> bytes: ...

    async def write(self, data: bytes) -> None:
        """Raises TunnelBroken, OSError."""

    async def close(self) -> None: ...


class TunnelBroken(Exception):
    """The far end takes nothing more."""


Opener = Callable[[HttpRequest], Awaitable[FarEnd | HttpResponse]]
Tunnels = Mapping[str, Opener]
"""path -> opener"""
