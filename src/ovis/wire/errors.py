"""Errors of the wire. Imports nothing: a one-shot client pays for each module it loads.

WireError
  RpcError           the other side answered with an error
  ConnectionLost     the connection could not be made or ended; a call in flight may or may not have been done
  CallTimeout        no answer in time; the call may still be running
  ProtocolError      what arrived breaks the protocol; the connection cannot go on
    TooLarge         a message over the limit
"""

from __future__ import annotations

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
STOPPING = 3001  # ShuttingDownError of reference/vdsm-error-codes.yml: existing clients know it


class WireError(Exception):
    """Base of all."""


class RpcError(WireError):
    """A JSON-RPC error object: `code`, `message` and, when not None, `data` (anything msgspec can encode)."""

    def __init__(self, code: int, message: str, data: object | None = None) -> None:
        super().__init__(code, message, data)
        self.code = code
        self.message = message
        self.data = data

    def __str__(self) -> str:
        return f"{self.message} (code {self.code})"


class ConnectionLost(WireError):
    """The connection to `address` could not be made or is gone."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason

    def __str__(self) -> str:
        return f"No connection to {self.address}: {self.reason}"


class CallTimeout(WireError):
    """`method` was not answered within `seconds`."""

    def __init__(self, method: str, seconds: float) -> None:
        super().__init__(method, seconds)
        self.method = method
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.method} was not answered within {self.seconds:g} s; it may still be running"


class ProtocolError(WireError):
    """The bytes that arrived are not what the protocol allows."""


class TooLarge(ProtocolError):
    """`what` has `size` bytes (as far as known), `limit` are allowed."""

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(what, size, limit)
        self.what = what
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.what} of {self.size} bytes, the limit is {self.limit}"
