"""Mail between the hosts of a pool and its SPM, about volumes to be extended (layout: formats/mailbox.py).

    host                                  inbox, outbox of the master            SPM
    ask ── request into a free slot ──────────> inbox                      looks at the event each 0.2 s, or
        ── a new event ───────────────────────> inbox, page 0              0.05 s while there was mail lately;
                                                                           at all mail each 2 s
                                                                           extends (several at once)
    reads its page each 0.05 s <─────────────── outbox <────────────────── the same with the size, or with 0
        ── clear ─────────────────────────────> inbox ──────────────────── clear
        ── empty

A host that starts anew begins with an empty page; whatever it had asked for and still needs it asks again. An SPM that
starts answers what lies there: extending is safe to repeat. Both sides read and write whole pages past every cache.
A guest waits meanwhile, so both look more often than existing agents do (0.5 s; a page is read in a millisecond). A
guest that writes asks again soon: after mail the SPM looks more often for a while.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ovis.node.errors import NodeError
from ovis.node.storage.errors import StorageError
from ovis.node.storage.formats import mailbox
from ovis.node.storage.formats.errors import FormatError
from ovis.node.storage.formats.mailbox import PAGE, SLOTS, Clear, Extend, Message
from ovis.node.storage.formats.sanlock_areas import MAX_HOSTS_IN_MAILBOX

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.pool.pool import Pool

log = logging.getLogger(__name__)

EVENT_SECONDS = 0.2
SOON_SECONDS = 0.05
LATELY_SECONDS = 60.0
REPLY_SECONDS = 0.05
MAIL_SECONDS = 2.0
ANSWER_SECONDS = 60.0
AT_ONCE = 10
PAGES = MAX_HOSTS_IN_MAILBOX + 1
USUAL_PAGES = 17
"""Those of hosts with low ids, and of all that have sent mail, are read first: 68 KiB instead of a MiB. What they ask
for is begun before the others are read."""

Keep = Callable[[Coroutine[Any, Any, None], str], object]
"""Runs something in the background, under a name, until it ends or storage is closed."""
Extender = Callable[[Extend], Awaitable[int]]
"""Extends a volume and returns its size. Raises NodeError, OSError."""


class NotExtended(StorageError):
    wire_name = "VolumeExtendingError"


class HostMailbox:
    """One host's side. `ask` may be called by several at once, each with a slot of its own."""

    def __init__(self, pool: Pool, keep: Keep) -> None:
        self._pool = pool
        self._keep = keep
        self._page: dict[int, Message] = {}
        self._turn = asyncio.Lock()
        self._is_open = False

    async def ask(self, wish: Extend, *, seconds: float = ANSWER_SECONDS) -> int:
        """The size that the SPM gave. Raises NotExtended: it could not, or nobody answered; what there was stays."""
        master = await self._pool.master()
        wish = replace(wish, size=_mib_up(wish.size))  # the page counts in MiB
        slot = await self._put(master, wish)
        try:
            async with asyncio.timeout(seconds):
                reply = await self._reply(master, slot, wish)
        except TimeoutError as error:
            raise NotExtended(f"volume {wish.volume}: no SPM has answered within {seconds:g} s") from error
        finally:
            self._keep(self._finish(master, slot), f"clear the mail about volume {wish.volume}")
        if not reply.size:
            raise NotExtended(
                f"volume {wish.volume}: the SPM could not extend it to {wish.size} bytes; its log says why"
            )
        return reply.size

    async def _put(self, master: Domain, wish: Extend) -> int:
        async with self._turn:
            if not self._is_open:
                await _write(master, "inbox", self._pool.host_id, {})
                self._is_open = True
            told = await _read(master, "outbox", self._pool.host_id)
            slot = next((slot for slot in range(SLOTS) if self._is_free(slot, told)), None)
            if slot is None:
                raise NotExtended(f"volume {wish.volume}: {SLOTS} requests of this host wait already")
            self._page[slot] = wish
            await self._send(master)
            return slot

    def _is_free(self, slot: int, told: dict[int, Message]) -> bool:
        """Without an answer to an earlier request, which could not be cleared: it might be taken for the next one's."""
        return slot not in self._page and not isinstance(told.get(slot), Extend)

    async def _send(self, master: Domain) -> None:
        await _write(master, "inbox", self._pool.host_id, self._page)
        await _write_event(master)

    async def _reply(self, master: Domain, slot: int, wish: Extend) -> Extend:
        while True:
            found = (await _read(master, "outbox", self._pool.host_id)).get(slot)
            if isinstance(found, Extend) and mailbox.answers(found, wish):
                return found
            await asyncio.sleep(REPLY_SECONDS)

    async def _finish(self, master: Domain, slot: int) -> None:
        """Clear, wait until the SPM has seen that, then empty: a slot is not used again before."""
        try:
            async with self._turn:
                self._page[slot] = Clear()
                await self._send(master)
            async with asyncio.timeout(MAIL_SECONDS * 5):
                while True:
                    if not isinstance((await _read(master, "outbox", self._pool.host_id)).get(slot), Extend):
                        break
                    await asyncio.sleep(EVENT_SECONDS)
        except (NodeError, OSError, TimeoutError) as error:
            log.warning("a mail to the SPM could not be cleared: %s", error)
        finally:
            self._page.pop(slot, None)


class SpmMailbox:
    """The SPM's side, from taking the role to losing it."""

    def __init__(self, master: Domain, extend: Extender) -> None:
        self._master = master
        self._extend = extend
        self._seen: dict[int, bytes] = {}
        self._asked: dict[tuple[int, int], Message | None] = {}
        self._replies: dict[int, dict[int, Message]] = {}
        self._event: uuid.UUID | None = None
        self._usual = USUAL_PAGES
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._telling: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._fails = False

    async def serve(self) -> None:
        """Until cancelled; not at all on a domain that only its own host uses, which has no mailbox. Storage that is
        away is tried again."""
        if not await self._has_mailbox():
            return
        async with asyncio.TaskGroup() as work:
            next_look = quiet_at = 0.0
            loop = asyncio.get_running_loop()
            while True:
                try:
                    has_event = await self._has_event()
                    if has_event:
                        quiet_at = loop.time() + LATELY_SECONDS
                        await self._look(work, self._usual)
                    if has_event or loop.time() >= next_look:
                        await self._look(work, PAGES)
                        next_look = loop.time() + MAIL_SECONDS
                    self._fails = False
                except (NodeError, OSError) as error:
                    if not self._fails:
                        log.warning("the mail of the pool's hosts cannot be read: %s", error)
                    self._fails = True
                await asyncio.sleep(SOON_SECONDS if loop.time() < quiet_at else EVENT_SECONDS)

    async def _has_mailbox(self) -> bool:
        try:
            await self._master.io.facts(self._master.special("inbox").path)
        except FileNotFoundError:
            return False
        except (NodeError, OSError):
            return True
        return True

    async def _has_event(self) -> bool:
        event = mailbox.read_event(await _read_pages(self._master, "inbox", 0, 1))
        is_new = event != self._event
        self._event = event
        return is_new

    async def _look(self, work: asyncio.TaskGroup, count: int) -> None:
        """At so many pages."""
        pages = await _read_pages(self._master, "inbox", 0, count)
        for host in range(1, count):
            page = pages[host * PAGE : (host + 1) * PAGE]
            if page == self._seen.get(host, bytes(PAGE)):
                continue
            try:
                requests = mailbox.read_requests(page)
            except FormatError as error:
                log.info("mail of host %d is torn and is read again: %s", host, error)
                continue
            self._seen[host] = page
            self._usual = max(self._usual, host + 1)
            await self._take(host, requests, work)

    async def _take(self, host: int, requests: dict[int, Message], work: asyncio.TaskGroup) -> None:
        """Only what changed in a slot counts: what is asked for is worked on, or answered, once."""
        replies = self._replies.setdefault(host, {})
        is_changed = False
        for slot in range(SLOTS):
            request = requests.get(slot)
            if request == self._asked.get((host, slot)):
                continue
            self._asked[host, slot] = request
            is_changed = replies.pop(slot, None) is not None or is_changed
            if isinstance(request, Clear):
                replies[slot] = Clear()
                is_changed = True
            elif isinstance(request, Extend):
                work.create_task(self._answer(host, slot, request), name=f"extend {request.volume}")
        if is_changed:
            await self._tell(host)

    async def _answer(self, host: int, slot: int, wish: Extend) -> None:
        async with self._slots:
            try:
                size = await self._extend(wish)
            except (NodeError, OSError) as error:
                log.warning("volume %s could not be extended for host %d: %s", wish.volume, host, error)
                size = 0
        if self._asked.get((host, slot)) != wish:  # the host has given up
            return
        replies = self._replies.setdefault(host, {})
        replies[slot] = Extend(wish.domain, wish.volume, _mib_up(size))
        try:
            await self._tell(host)
        except (NodeError, OSError) as error:
            log.warning("host %d was not told that volume %s has %d bytes: %s", host, wish.volume, size, error)

    async def _tell(self, host: int) -> None:
        """One write of a page after the other, each with all that is to be told by then: an older one that arrived
        later would take an answer away."""
        async with self._telling[host]:
            await _write(self._master, "outbox", host, self._replies[host])


def _mib_up(size: int) -> int:
    return -(-size >> 20) << 20


async def _read(master: Domain, area: str, host: int) -> dict[int, Message]:
    return mailbox.read_replies(await _read_pages(master, area, host, 1))


async def _read_pages(master: Domain, area: str, first: int, count: int) -> bytes:
    place = master.special(area)
    data = await master.io.read(place.path, offset=place.offset + first * PAGE, size=count * PAGE, direct=True)
    return data.ljust(count * PAGE, b"\0")  # a file may be shorter


async def _write(master: Domain, area: str, host: int, messages: dict[int, Message]) -> None:
    place = master.special(area)
    offset = place.offset + mailbox.page_offset(host)
    await master.io.write(place.path, mailbox.write_page(messages), offset=offset, direct=True)


async def _write_event(master: Domain) -> None:
    place = master.special("inbox")
    page = mailbox.write_event(uuid.uuid4(), block_size=4096).ljust(PAGE, b"\0")
    await master.io.write(place.path, page, offset=place.offset, direct=True)
