"""Every bound of the listener in one place, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    message_bytes: int = 64 * MIB
    """One message of any framing. The largest seen in practice is getAllVmStats of a full host: about 4 MB."""
    receive_bytes: int = 256 * MIB
    """Half-received messages of all connections together; the connection that asks for more is closed."""
    depth: int = 64
    """Nested objects and arrays in one message."""
    batch: int = 1000
    """Members of one batch."""
    connections: int = 500
    """For each endpoint, so that a flood on TCP leaves the local administrator's socket usable."""
    detect_seconds: float = 10.0
    """TLS handshake, and again from there to the first bytes that tell the framing. The existing agent's number."""
    message_seconds: float = 60.0
    """From the first byte of a message to its last: 64 MiB at 9 Mbit/s; a slow-loris ends here."""
    http_idle_seconds: float = 75.0
    """Between two requests of a kept HTTP connection: nginx's default, clients expect about that."""
    write_high_bytes: int = 1 * MIB
    """Unsent bytes of one connection from which its requests are not read any more."""
    write_bytes: int = 128 * MIB
    """Unsent bytes at which a connection is dropped: two answers of the largest size."""
    write_seconds: float = 60.0
    """A peer that has not taken enough to fall below `write_high_bytes` for this long is dropped."""
    heart_beat_seconds: float = 1.0
    """Least period of STOMP heart-beats; shorter wishes are raised to it. The existing agent's number."""
    subscriptions: int = 256
    """Per connection."""
