"""Work under a lease: it begins when the lease is held and is stopped when the lease is lost.

    async with volume_lease(domain, host_id, image, volume, generation=3) as metadata: ...

Processes that write in such a block inherit what keeps the lease held:

    Popen(command, pass_fds=inherited())

so that the lease is not another host's before they are dead (holder.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ovis.node.storage.leases.errors import GenerationMismatch, LeaseError, LeaseLost, ReleaseFailed
from ovis.node.storage.leases.interface import Resource

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.formats.identifiers import ImageId, VolumeId
    from ovis.node.storage.formats.volume_metadata import VolumeMetadata
    from ovis.node.storage.leases.interface import Locks, Lockspace, Tie

log = logging.getLogger(__name__)

_TIES: ContextVar[tuple[Tie, ...]] = ContextVar("ties of the leases that this work holds", default=())
_WHY_WITHOUT: ContextVar[str] = ContextVar("why a change of a volume group needs no lease", default="")


class _Use:
    """One lease and the works of this agent under it. `is_ours`: `held` took it, and gives it back."""

    def __init__(self) -> None:
        self.users = 0
        self.is_ours = False
        self._turn = asyncio.Lock()

    async def begin(self, locks: Locks, resource: Resource, host_id: int) -> None:
        async with self._turn:
            if not locks.has(resource):
                await locks.acquire(resource, host_id)
                self.is_ours = True

    async def end(self, locks: Locks, resource: Resource) -> None:
        async with self._turn:
            if self.users or not self.is_ours:
                return
            self.is_ours = False
            try:
                await locks.release(resource)
            except ReleaseFailed as error:
                log.warning("%s", error)  # what was done under it is done


_USES: WeakKeyDictionary[Locks, dict[Resource, _Use]] = WeakKeyDictionary()


def inherited() -> tuple[int, ...]:
    """For `pass_fds` of every process that writes for the running operation. Raises LeaseLost."""
    return tuple(tie.fileno() for tie in ties())


def ties() -> tuple[Tie, ...]:
    """Of the running operation, each once. Raises LeaseLost."""
    found = tuple(dict.fromkeys(_TIES.get()))
    if not all(tie.is_open for tie in found):
        raise LeaseLost("a lease of this operation", "no process is started any more")
    return found


def keep(wanted: Iterable[Tie]) -> None:
    """A process that inherited them was killed and does not end, because the kernel still works for it: their leases
    are not given back one by one any more, but with its end."""
    for tie in wanted:
        tie.keep()


def keeper() -> Callable[[], None]:
    """`keep` for the ties of the running operation, for whoever starts a process (Command.when_stuck)."""
    found = _TIES.get()
    return lambda: keep(found)


@contextmanager
def without_lease(why: str) -> Iterator[None]:
    """For changes of a volume group that no lease protects: nobody else can use it. `why` is told to the root helper,
    which refuses them otherwise."""
    token = _WHY_WITHOUT.set(why)
    try:
        yield
    finally:
        _WHY_WITHOUT.reset(token)


def why_without() -> str:
    """Empty: the running operation should have a lease."""
    return _WHY_WITHOUT.get()


@asynccontextmanager
async def while_trusted(locks: Locks, lockspace: Lockspace, what: str) -> AsyncIterator[None]:
    """For work under leases of `lockspace` that are held already: it is cancelled, and LeaseLost raised, when they are
    lost. `what` for the error text."""
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    reasons: list[str] = []

    async def watch() -> None:
        try:
            reasons.append(await locks.lost(lockspace))
        except LeaseError as error:  # who cannot tell is not trusted
            reasons.append(str(error))
        task.cancel()

    tie = locks.tie(lockspace)
    token = _TIES.set((*_TIES.get(), *([tie] if tie else [])))
    watching = asyncio.create_task(watch(), name=f"trust in {what}")
    try:
        try:
            yield
        finally:
            watching.cancel()
            _TIES.reset(token)
            await asyncio.sleep(0)  # a cancellation that was asked for in the last moment comes here
    except asyncio.CancelledError:
        if reasons and task.uncancel() <= before:
            raise LeaseLost(what, reasons[0]) from None
        raise


@asynccontextmanager
async def held(locks: Locks, resource: Resource, host_id: int, *, what: str = "") -> AsyncIterator[None]:
    """Take a lease, work, give it back. Raises what `acquire` does; LeaseLost: the work was cancelled.

    A lease that this host has already, such as that of its role as SPM, is used and stays; of several works under one
    lease the last gives it back. What excludes works of one host from each other are their claims.
    """
    what = what or f"lease {resource.name} of storage domain {resource.lockspace.domain}"
    uses = _USES.setdefault(locks, {})
    use = uses.setdefault(resource, _Use())
    use.users += 1
    try:
        await use.begin(locks, resource, host_id)
        async with while_trusted(locks, resource.lockspace, what):
            yield
    finally:
        use.users -= 1
        await asyncio.shield(use.end(locks, resource))
        if not use.users and uses.get(resource) is use:
            del uses[resource]


@asynccontextmanager
async def volume_lease(
    domain: Domain, host_id: int, image: ImageId, volume: VolumeId, *, generation: int | None = None
) -> AsyncIterator[VolumeMetadata]:
    """Work on one volume without being the SPM; the metadata as they are under the lease.

    Raises LeaseHeld; GenerationMismatch when the volume has another generation than its caller knows: somebody did
    this work, or began it, before. A work that went well writes the metadata with the next generation as its last step.
    """
    resource = Resource(domain.lockspace, volume, await domain.store.lease(image, volume))
    async with held(domain.locks, resource, host_id, what=f"the lease of volume {volume}"):
        metadata = await domain.store.read(image, volume)
        if generation is not None and metadata.generation != generation:
            raise GenerationMismatch(f"volume {volume}", wanted=generation, found=metadata.generation)
        yield metadata
