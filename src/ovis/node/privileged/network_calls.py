"""The helper's calls about networks: each runs in a thread, and ends in good order also when its caller has gone.

One change at a time: the lock of the store sees to that, over all processes.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ovis.node.network.errors import NetworkError
from ovis.node.network.model import Change
from ovis.node.network.store import Store
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.network import APPLIED, ChangeNetworks, NetworkOutcome, SetVirtualFunctions
from ovis.node.privileged.network_change import SYSFS, Abandoned, Changer, Waiting
from ovis.node.privileged.network_dhcp import DhcpClients
from ovis.node.privileged.network_followers import followers, switches
from ovis.node.privileged.network_kernel import real_kernel
from ovis.node.privileged.resolver import Resolver
from ovis.node.privileged.virtual_functions import VirtualFunctions
from ovis.node.privileged.work import Work

log = logging.getLogger(__name__)

LONGEST_WAIT = 250.0
"""Seconds that a change may wait for its confirmation."""

_CARD = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_waiting: set[Waiting] = set()


@contextmanager
def changer(root: Path, resolver: Path, sysfs: Path = SYSFS, etc: Path = Path("/etc")) -> Iterator[Changer]:
    """To be opened in the thread that uses it."""
    store = Store(root)
    with real_kernel(DhcpClients(store.own / "dhcp"), Resolver(resolver)) as kernel:
        yield Changer(store, kernel, followers(etc), switches(), VirtualFunctions(sysfs))


async def change(request: ChangeNetworks, work: Work) -> NetworkOutcome:
    within = request.confirm_within
    if within is not None and not 0 <= within <= LONGEST_WAIT:
        raise Refused("to wait for a confirmation", f"{within:g} s is not between 0 and {LONGEST_WAIT:g}")
    loop = asyncio.get_running_loop()
    waiting = Waiting(applied=lambda: loop.call_soon_threadsafe(applied))

    def applied() -> None:
        _waiting.add(waiting)
        work.progress(APPLIED, 2)

    wanted = Change(request.networks, request.bonds)
    try:
        return await _run(work, waiting, lambda c: c.change(wanted, waiting, confirm_within=within, save=request.save))
    finally:
        _waiting.discard(waiting)


def confirm() -> bool:
    for waiting in _waiting:
        waiting.confirmed.set()
    return bool(_waiting)


async def save(work: Work) -> NetworkOutcome:
    return await _run(work, Waiting(), Changer.save)


async def set_virtual_functions(request: SetVirtualFunctions, work: Work) -> NetworkOutcome:
    if not _CARD.fullmatch(request.card) or not 0 <= request.count < 1 << 16:
        raise Refused(f"{request.count} virtual functions of {request.card!r}", "that is no PCI address, or no number")
    return await _run(work, Waiting(), lambda c: c.set_virtual_functions(request.card, request.count))


async def restore(work: Work) -> NetworkOutcome:
    return await _run(work, Waiting(), Changer.restore)


async def _run(work: Work, waiting: Waiting, what: Callable[[Changer], object]) -> NetworkOutcome:
    """On return the thread has ended. When cancelled, it takes back what it has done first."""

    def do() -> NetworkOutcome:
        try:
            rules = work.rules
            places = (rules.network_state, rules.resolver, rules.sysfs, rules.etc)
            with changer(*(Path(place) for place in places)) as opened:
                what(opened)
        except NetworkError as error:
            return NetworkOutcome(error.wire_name, error.field, error.problem)
        return NetworkOutcome()

    working = asyncio.ensure_future(asyncio.to_thread(do))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        waiting.abandoned.set()
        while not working.done():
            try:
                await asyncio.wait([working])
            except asyncio.CancelledError:  # asked twice; it still has to end
                continue
        if (error := working.exception()) is not None and not isinstance(error, Abandoned):
            log.error("a change of networks that was given up ended badly: %s", error)  # noqa: TRY400
        raise
