"""Hosts ask the SPM by mail, over an area that both can read and write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from typing import Any

import pytest

from ovis.node.storage.errors import NoSpace
from ovis.node.storage.formats import mailbox as layout
from ovis.node.storage.formats.identifiers import DomainId, VolumeId
from ovis.node.storage.formats.mailbox import PAGE, Extend
from ovis.node.storage.pool import mailbox
from ovis.node.storage.pool.mailbox import HostMailbox, NotExtended, SpmMailbox
from ovis.node.storage.volumes.store import LeasePlace

DOMAIN = DomainId("10000000-0000-4000-8000-000000000001")
GIB = 1 << 30


def volume(number: int) -> VolumeId:
    return VolumeId(f"20000000-0000-4000-8000-{number:012d}")


class Master:
    """A master domain as far as mail goes; `away` makes its storage fail."""

    def __init__(self) -> None:
        self.areas = {"inbox": bytearray(layout.AREA_BYTES), "outbox": bytearray(layout.AREA_BYTES)}
        self.away = False
        self.io = self

    def special(self, name: str) -> LeasePlace:
        return LeasePlace(PurePosixPath(name))

    async def read(self, path: PurePosixPath, *, offset: int = 0, size: int, direct: bool = False) -> bytes:
        await self._check(offset, size, direct)
        return bytes(self.areas[str(path)][offset : offset + size])

    async def write(self, path: PurePosixPath, data: bytes, *, offset: int = 0, direct: bool = False) -> None:
        await self._check(offset, len(data), direct)
        self.areas[str(path)][offset : offset + len(data)] = data

    async def facts(self, path: PurePosixPath) -> None:
        if str(path) not in self.areas:
            raise FileNotFoundError(path)

    async def _check(self, offset: int, size: int, direct: bool) -> None:
        await asyncio.sleep(0)
        assert direct
        assert not offset % 4096
        assert not size % 4096
        if self.away:
            raise OSError(5, "Input/output error")

    def page(self, area: str, host: int) -> bytes:
        return bytes(self.areas[area][host * PAGE : (host + 1) * PAGE])


class Mortal(Master):
    """The same areas as seen by who dies at a write: before it, or (`torn`) in the middle."""

    def __init__(self, master: Master, writes: int, *, torn: bool) -> None:
        super().__init__()
        self.areas, self._left, self._torn = master.areas, writes, torn
        self.death = asyncio.Event()

    async def write(self, path: PurePosixPath, data: bytes, *, offset: int = 0, direct: bool = False) -> None:
        self._left -= 1
        if self._left >= 0:
            await super().write(path, data, offset=offset, direct=direct)
            return
        if self._left == -1 and self._torn:
            await super().write(path, data[: PAGE // 2] + bytes(PAGE // 2), offset=offset, direct=direct)
        self.death.set()
        await asyncio.Event().wait()


class Pool:
    def __init__(self, master: Master, host_id: int) -> None:
        self.host_id = host_id
        self._master = master

    async def master(self) -> Master:
        return self._master


class Volumes:
    """What the SPM extends. Sizes in bytes."""

    def __init__(self) -> None:
        self.sizes: dict[VolumeId, int] = {}
        self.asked: list[Extend] = []
        self.most = 100 * GIB

    async def extend(self, wish: Extend) -> int:
        self.asked.append(wish)
        await asyncio.sleep(0)
        if wish.size > self.most:
            raise NoSpace(wish.domain, wish.size)
        self.sizes[wish.volume] = max(self.sizes.get(wish.volume, 0), wish.size)
        return self.sizes[wish.volume]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "EVENT_SECONDS", 0.001)
    monkeypatch.setattr(mailbox, "SOON_SECONDS", 0.001)
    monkeypatch.setattr(mailbox, "REPLY_SECONDS", 0.001)
    monkeypatch.setattr(mailbox, "MAIL_SECONDS", 0.2)


@asynccontextmanager
async def spm(master: Any, extend: Callable[[Extend], Awaitable[int]]) -> AsyncIterator[None]:
    serving = asyncio.ensure_future(SpmMailbox(master, extend).serve())
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


kept: set[asyncio.Future[None]] = set()


def keep(work: Coroutine[Any, Any, None], name: str) -> None:
    task = asyncio.ensure_future(work)
    kept.add(task)
    task.add_done_callback(kept.discard)


def host(master: Master, host_id: int) -> HostMailbox:
    return HostMailbox(Pool(master, host_id), keep)  # type: ignore[arg-type]


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - what is waited for is whatever the test says
            await asyncio.sleep(0.001)


def test_volume_is_extended_and_the_pages_are_empty_afterwards() -> None:
    async def main() -> None:
        master, volumes = Master(), Volumes()
        async with spm(master, volumes.extend):
            mail = host(master, 7)
            assert await mail.ask(Extend(DOMAIN, volume(1), 3 * GIB)) == 3 * GIB
            assert await mail.ask(Extend(DOMAIN, volume(1), 4 * GIB)) == 4 * GIB
            await until(lambda: not kept)
            assert not any(isinstance(told, Extend) for told in layout.read_replies(master.page("outbox", 7)).values())
        assert volumes.sizes == {volume(1): 4 * GIB}
        assert len(volumes.asked) == 2

    asyncio.run(main())


def test_many_hosts_ask_at_once_and_each_gets_its_own_answer() -> None:
    async def main() -> None:
        master, volumes = Master(), Volumes()
        async with spm(master, volumes.extend):
            wishes = [(number, Extend(DOMAIN, volume(number), (number + 1) * GIB)) for number in range(1, 41)]
            hosts = {number: host(master, number % 5 + 1) for number in range(5)}
            sizes = await asyncio.gather(*(hosts[number % 5].ask(wish) for number, wish in wishes))
        assert sizes == [wish.size for _, wish in wishes]
        assert len(volumes.asked) == 40  # each once

    asyncio.run(main())


def test_hosts_with_high_ids_need_not_wait_for_the_look_at_all_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MAIL_SECONDS", 60.0)

    async def main() -> None:
        master, volumes = Master(), Volumes()
        async with spm(master, volumes.extend), asyncio.timeout(30):
            for host_id in (1, 200, 200, 250):
                assert await host(master, host_id).ask(Extend(DOMAIN, volume(host_id), GIB)) == GIB

    asyncio.run(main())


def test_odd_size_is_asked_for_in_whole_mib() -> None:
    async def main() -> None:
        master, volumes = Master(), Volumes()
        async with spm(master, volumes.extend):
            assert await host(master, 1).ask(Extend(DOMAIN, volume(1), GIB + 1)) == GIB + (1 << 20)

    asyncio.run(main())


def test_failure_is_told_and_can_be_tried_again() -> None:
    async def main() -> None:
        master, volumes = Master(), Volumes()
        volumes.most = GIB
        async with spm(master, volumes.extend):
            mail = host(master, 1)
            with pytest.raises(NotExtended, match="could not"):
                await mail.ask(Extend(DOMAIN, volume(1), 2 * GIB))
            volumes.most = 10 * GIB
            assert await mail.ask(Extend(DOMAIN, volume(1), 2 * GIB)) == 2 * GIB

    asyncio.run(main())


def test_nobody_answers_is_an_error_after_its_time() -> None:
    async def main() -> None:
        mail = host(Master(), 1)
        with pytest.raises(NotExtended, match="no SPM"):
            await mail.ask(Extend(DOMAIN, volume(1), GIB), seconds=0.05)

    asyncio.run(main())


def test_new_spm_answers_what_the_former_left() -> None:
    async def main() -> None:
        master, volumes = Master(), Volumes()

        async def never(_: Extend) -> int:
            await asyncio.Event().wait()
            return 0

        async with spm(master, never):
            asking = asyncio.ensure_future(host(master, 3).ask(Extend(DOMAIN, volume(1), 2 * GIB)))
            await until(lambda: layout.read_requests(master.page("inbox", 3)))
        async with spm(master, volumes.extend):
            assert await asking == 2 * GIB

    asyncio.run(main())


def test_request_that_a_dead_agent_left_is_answered_to_nobody_and_its_slot_is_free() -> None:
    async def main() -> None:
        master, volumes = Master(), Volumes()
        left = layout.write_page({0: Extend(DOMAIN, volume(9), GIB)})
        await master.write(PurePosixPath("inbox"), left, offset=layout.page_offset(2), direct=True)
        async with spm(master, volumes.extend):
            assert await host(master, 2).ask(Extend(DOMAIN, volume(1), 2 * GIB)) == 2 * GIB

    asyncio.run(main())


async def until_death(mortal: Mortal, *work: asyncio.Future[Any]) -> bool:
    """Whether it came before the work was done, which is ended then."""
    dying = asyncio.ensure_future(mortal.death.wait())
    doing = asyncio.ensure_future(asyncio.wait(work))
    await asyncio.wait([dying, doing], return_when=asyncio.FIRST_COMPLETED, timeout=20)
    for task in (dying, doing, *work):
        task.cancel()
    await asyncio.gather(dying, doing, *work, return_exceptions=True)
    return mortal.death.is_set()


async def asked_and_cleared(mail: HostMailbox, wish: Extend) -> None:
    await mail.ask(wish)
    await asyncio.wait(kept)


TORN = pytest.mark.parametrize("torn", [False, True])


@TORN
def test_a_host_killed_at_any_write_gets_what_it_asks_for_again(*, torn: bool) -> None:
    async def dies(writes: int) -> bool:
        master, volumes = Master(), Volumes()
        async with spm(master, volumes.extend):
            mortal = Mortal(master, writes, torn=torn)
            wish = Extend(DOMAIN, volume(1), GIB)
            has_died = await until_death(mortal, asyncio.ensure_future(asked_and_cleared(host(mortal, 2), wish)))
            for left in list(kept):
                left.cancel()
            await asked_and_cleared(host(master, 2), Extend(DOMAIN, volume(1), 2 * GIB))
        assert volumes.sizes == {volume(1): 2 * GIB}
        assert not any(isinstance(told, Extend) for told in layout.read_replies(master.page("outbox", 2)).values())
        return has_died

    async def main() -> None:
        writes = 0
        while await dies(writes):
            writes += 1
        assert writes > 3

    asyncio.run(main())


@TORN
def test_an_spm_killed_at_any_write_leaves_nobody_without_an_answer(*, torn: bool) -> None:
    async def dies(writes: int) -> bool:
        master, volumes = Master(), Volumes()
        mortal = Mortal(master, writes, torn=torn)
        serving = asyncio.ensure_future(SpmMailbox(mortal, volumes.extend).serve())  # type: ignore[arg-type]
        wishes = [Extend(DOMAIN, volume(number), number * GIB) for number in (1, 2, 3)]
        one, two = host(master, 1), host(master, 2)
        asking = [asked_and_cleared(mail, wish) for mail, wish in zip((one, two, two), wishes, strict=True)]
        all_asked = asyncio.gather(*asking)
        death = asyncio.ensure_future(mortal.death.wait())
        await asyncio.wait([all_asked, death], return_when=asyncio.FIRST_COMPLETED, timeout=20)
        serving.cancel()
        death.cancel()
        async with spm(master, volumes.extend), asyncio.timeout(20):
            await all_asked
        assert volumes.sizes == {wish.volume: wish.size for wish in wishes}
        return mortal.death.is_set()

    async def main() -> None:
        writes = 0
        while await dies(writes):
            writes += 1
        assert writes > 2

    asyncio.run(main())


def test_torn_mail_is_read_again() -> None:
    async def main() -> None:
        master, volumes = Master(), Volumes()
        page = bytearray(layout.write_page({0: Extend(DOMAIN, volume(1), GIB)}))
        page[10] ^= 1
        await master.write(PurePosixPath("inbox"), bytes(page), offset=layout.page_offset(2), direct=True)
        async with spm(master, volumes.extend):
            await asyncio.sleep(0.05)
            assert volumes.asked == []
            page[10] ^= 1
            await master.write(PurePosixPath("inbox"), bytes(page), offset=layout.page_offset(2), direct=True)
            await until(lambda: volumes.asked)

    asyncio.run(main())


def test_storage_that_is_away_for_a_while_loses_nothing() -> None:
    async def main() -> None:
        master, volumes = Master(), Volumes()
        async with spm(master, volumes.extend):
            mail = host(master, 1)
            assert await mail.ask(Extend(DOMAIN, volume(1), GIB)) == GIB
            master.away = True
            await asyncio.sleep(0.02)
            master.away = False
            assert await mail.ask(Extend(DOMAIN, volume(1), 2 * GIB)) == 2 * GIB

    asyncio.run(main())


def test_domain_without_a_mailbox_is_not_served() -> None:
    async def main() -> None:
        master = Master()
        master.areas.clear()
        async with asyncio.timeout(5):
            await SpmMailbox(master, Volumes().extend).serve()  # type: ignore[arg-type]

    asyncio.run(main())
