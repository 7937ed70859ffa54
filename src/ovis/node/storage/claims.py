"""Which operation of this host works on what: others wait, or are refused, before any lease is asked for.

    namespaces (facts)     00_storage           pools and domains as a whole
                           01_img_<domain>      images
                           02_vol_<domain>      volumes
                           03_lvm_activation_<domain>
                           05_external_lease    the leases of VMs of a domain

A claim is a name, exclusive or shared. An operation names all its claims at once and gets them in the order of their
names, so that two operations never wait for each other. First come, first served: a shared claim does not pass an
exclusive one that waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ovis.node.storage.errors import StorageError
from ovis.node.storage.formats.identifiers import DomainId, ImageId, PoolId, VolumeId


class ClaimTimeout(StorageError):
    wire_name = "ResourceTimeout"

    def __init__(self, claim: Claim, seconds: float, holders: Iterable[str]) -> None:
        super().__init__(
            f"{claim.name} did not become free within {seconds:g} s; nothing was done. Held by: {', '.join(holders)}"
        )
        self.claim = claim


@dataclass(frozen=True, order=True)
class Claim:
    name: str
    exclusive: bool = True


def pool(pool_id: PoolId, *, exclusive: bool = True) -> Claim:
    return Claim(f"00_storage/{pool_id}", exclusive)


def domain(domain_id: DomainId, *, exclusive: bool = True) -> Claim:
    return Claim(f"00_storage/{domain_id}", exclusive)


def image(domain_id: DomainId, image_id: ImageId, *, exclusive: bool = True) -> Claim:
    return Claim(f"01_img_{domain_id}/{image_id}", exclusive)


def volume(domain_id: DomainId, volume_id: VolumeId, *, exclusive: bool = True) -> Claim:
    return Claim(f"02_vol_{domain_id}/{volume_id}", exclusive)


def external_leases(domain_id: DomainId) -> Claim:
    return Claim(f"05_external_lease/{domain_id}")


@dataclass
class _Place:
    exclusive: bool = False
    holders: list[str] = field(default_factory=list)
    waiting: deque[tuple[bool, str, asyncio.Future[None]]] = field(default_factory=deque)

    def admits(self, *, exclusive: bool) -> bool:
        return not self.holders or not (exclusive or self.exclusive)


class Claims:
    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    @asynccontextmanager
    async def hold(self, wanted: Iterable[Claim], *, by: str, seconds: float = 60.0) -> AsyncIterator[None]:
        """Hold all of `wanted`; `by` is told to whom has to wait. Raises ClaimTimeout, holding nothing."""
        held: list[Claim] = []
        try:
            for claim in merged(wanted):
                await self._take(claim, by, seconds)
                held.append(claim)
            yield
        finally:
            for claim in reversed(held):
                self._release(claim, by)

    def holders(self, name: str) -> tuple[str, ...]:
        place = self._places.get(name)
        return tuple(place.holders) if place else ()

    async def _take(self, claim: Claim, by: str, seconds: float) -> None:
        place = self._places.setdefault(claim.name, _Place())
        if not place.waiting and place.admits(exclusive=claim.exclusive):
            place.exclusive = claim.exclusive
            place.holders.append(by)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (claim.exclusive, by, turn)
        place.waiting.append(entry)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            if entry in place.waiting:
                place.waiting.remove(entry)
                self._admit(claim.name, place)  # who waits behind us may go now
            elif turn.done() and not turn.cancelled():
                self._release(claim, by)  # it came in the same moment
            if isinstance(error, TimeoutError):
                raise ClaimTimeout(claim, seconds, place.holders) from None
            raise

    def _release(self, claim: Claim, by: str) -> None:
        place = self._places[claim.name]
        place.holders.remove(by)
        self._admit(claim.name, place)

    def _admit(self, name: str, place: _Place) -> None:
        while place.waiting and place.admits(exclusive=place.waiting[0][0]):
            exclusive, by, turn = place.waiting.popleft()
            if turn.done():
                continue
            place.exclusive = exclusive
            place.holders.append(by)
            turn.set_result(None)
        if not place.holders and not place.waiting:
            self._places.pop(name, None)


def merged(wanted: Iterable[Claim]) -> list[Claim]:
    """In the order in which they are taken, each name once: exclusive if anything asks for that."""
    strongest: dict[str, bool] = {}
    for claim in wanted:
        strongest[claim.name] = strongest.get(claim.name, False) or claim.exclusive
    return [Claim(name, strongest[name]) for name in sorted(strongest)]
