"""What migrations are told by the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.wire.tls import TlsFiles


@dataclass(frozen=True)
class MigrationSettings:
    """Times in seconds, `bandwidth` in bytes per second (0: no limit)."""

    daemon_uri: str = "qemu+tls://{host}/system"
    """libvirt on the destination; `{host}` is the address of its agent."""
    memory_uri: str = "tcp://{host}"
    """Where QEMU there is reached; `{host}` is the address on the migration network, if one was named."""
    port: int = 54321
    tls: TlsFiles | None = None
    check_host_name: bool = True
    unsafe: bool = False
    outgoing_limit: int = 2
    incoming_limit: int = 2
    bandwidth: int = 0
    retry_period: float = 10.0
    """After the destination said that its limit is reached."""
    sample_period: float = 1.0
    appear_within: float = 120.0
    """Between the destination's consent and the first sign of QEMU there: libvirt takes a second, a slow host more."""
    patience: float = 240.0
    """Without any progress, when the convergence schedule has nothing left."""
    pace: float = 1.0
    """Between two measures of a convergence schedule: QEMU looks ten times a second whether it may finish."""
    longest: float = 6 * 3600.0
    """From the request to the end, waiting included."""
    connect_deadline: float = 10.0
    prepare_deadline: float = 600.0
    settle_period: float = 0.5
    """First pause between two looks at a destination that does not answer or has not decided; it grows."""
    settle_longest_period: float = 30.0
