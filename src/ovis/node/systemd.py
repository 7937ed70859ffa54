"""What systemd wants to hear from a service (sd_notify(3)): ready, stopping, still alive."""

from __future__ import annotations

import asyncio
import os
import socket


def notify(message: str) -> None:
    """Send one state line such as `READY=1`. Does nothing outside of systemd."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.sendall(message.encode())


def watchdog_period() -> float | None:
    """Seconds between two signs of life: half of what the unit allows; None when it does not ask for any."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    if not microseconds or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 2e6


async def feed_watchdog(period: float) -> None:
    """Tell systemd for ever that the loop turns; it restarts the agent when that stops. VMs are not touched by it."""
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(period)


def runs_under_systemd() -> bool:
    """Whether stderr goes to the journal."""
    return "JOURNAL_STREAM" in os.environ
