"""Tells when the host's network has changed by itself: a cable, an address that was leased or lost, the port of a bond.

The kernel's notices only wake the watch; it then reads what there is and compares. So a notice that was lost for want
of room does no harm, and a renewed lease, which changes nothing, is told to nobody. Cards of VMs come and go with their
VMs and are left out; so are bridges, whose carrier follows them.
Source: rtnetlink(7), linux/if_link.h.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable

from ovis.node.host import rtnetlink
from ovis.node.host.rtnetlink import LINK, attributes, text

log = logging.getLogger(__name__)

DELAY = 1.0
"""Seconds in which what belongs together is told once: a bond that loses a port makes a dozen notices."""
_GROUPS = 0x1 | 0x10 | 0x100
"""RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR."""
_NAME, _MASTER, _LINK_INFO, _CARRIER = 3, 10, 18, 33
_KIND, _DATA, _ACTIVE_PORT = 1, 2, 2
_LEFT_OUT = frozenset({"tun", "bridge"})

Seen = frozenset[tuple[str, ...]]


def look() -> Seen:
    """What clients care about. Raises OSError."""
    links: set[tuple[str, ...]] = set()
    for body in rtnetlink.dump(rtnetlink.RTM_GETLINK, rtnetlink.RTM_NEWLINK, LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
        given = dict(attributes(body[LINK.size :]))
        info = dict(attributes(given.get(_LINK_INFO, b"")))
        kind, name = text(info.get(_KIND, b"")), text(given.get(_NAME, b""))
        if kind not in _LEFT_OUT:
            port = dict(attributes(info.get(_DATA, b""))).get(_ACTIVE_PORT, b"") if kind == "bond" else b""
            links.add(("link", name, given.get(_CARRIER, b"").hex(), given.get(_MASTER, b"").hex(), port.hex()))
    addresses = (address for address in rtnetlink.addresses() if not address.ip.is_link_local)
    return frozenset(links) | {("address", one.interface, f"{one.ip}/{one.prefix}") for one in addresses}


async def watch(
    tell: Callable[[], None],
    *,
    is_changing: Callable[[], bool] = lambda: False,
    read: Callable[[], Seen] = look,
    delay: float = DELAY,
) -> None:
    """Until cancelled. While a change of ours runs (`is_changing`), what it does is not told; its end is.

    Raises OSError where the kernel has no such sockets.
    """
    loop = asyncio.get_running_loop()
    with _notices() as channel:
        known = await asyncio.to_thread(read)
        while True:
            with contextlib.suppress(OSError):  # some were lost: all the more reason to look
                await loop.sock_recv(channel, 1 << 16)
            await asyncio.sleep(delay)
            while is_changing():  # noqa: ASYNC110  # some seconds, and rarely
                await asyncio.sleep(delay)
            _empty(channel)
            try:
                now = await asyncio.to_thread(read)
            except OSError as error:
                log.warning("the host's networks could not be read after a change: %s", error)
                continue
            if now != known:
                known = now
                tell()


def _notices() -> socket.socket:
    channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    try:
        channel.setblocking(False)
        channel.bind((0, _GROUPS))
    except BaseException:
        channel.close()
        raise
    return channel


def _empty(channel: socket.socket) -> None:
    """What comes afterwards wakes the watch again."""
    for _ in range(1000):
        try:
            channel.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            continue
