"""Calls without the generated types, JSON text in and out: for programs that must start at once and know the schema.

`ovis.client.node` takes more than a tenth of a second to load; this takes a few milliseconds, and neither ssl (without
TLS) nor msgspec. Events are in `ovis.client.events`.
"""

from __future__ import annotations

from ovis.wire.blocking import BlockingConnection
from ovis.wire.errors import CallTimeout, ConnectionLost, ProtocolError, RpcError, WireError
from ovis.wire.target import TcpTarget, UnixTarget

__all__ = [
    "BlockingConnection",
    "CallTimeout",
    "ConnectionLost",
    "ProtocolError",
    "RpcError",
    "TcpTarget",
    "UnixTarget",
    "WireError",
    "tls_target",
]


def tls_target(host: str, port: int, *, key: str, certificate: str, ca: str) -> TcpTarget:
    """A TCP port with TLS; the three are paths of PEM files."""
    from ovis.wire.tls import TlsFiles

    return TcpTarget(host, port, TlsFiles(key, certificate, ca))
