"""What a blocking call of the generated API needs from a connection."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec


class Call(Protocol):
    """Send a verb with its arguments and give back its typed result.

    `deadline` in seconds, None for the connection's own. Raises RpcError, CallTimeout or ConnectionLost.
    """

    def __call__(self, method: str, arguments: msgspec.Struct, deadline: float | None) -> Any: ...
