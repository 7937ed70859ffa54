"""The steps that tasks on whole images are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage.formats.identifiers import DomainId, ImageId
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.images.transferring import Transfer
from ovis.node.storage.tasks.steps import Step, step

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.tasks.steps import Work


@step("image.mark_removed")
@dataclass(frozen=True)
class MarkRemoved(Step):
    """From here on the domain has no such image."""

    is_final = True

    domain: DomainId
    image: ImageId
    wipe: bool = False

    async def do(self, work: Work) -> None:
        await mark_removed(work, await work.storage.domain(self.domain), self.image, wipe=self.wipe)


@step("image.purge")
@dataclass(frozen=True)
class Purge(Step):
    domain: DomainId
    image: ImageId
    discard: bool = False

    async def do(self, work: Work) -> None:
        await purge(await work.storage.domain(self.domain), self.image, discard=self.discard)


@step("image.clear")
@dataclass(frozen=True)
class Clear(Step):
    """Make room for an image of the same id, as its caller has forced. What was there does not come back."""

    domain: DomainId
    image: ImageId

    async def do(self, work: Work) -> None:
        domain = await work.storage.domain(self.domain)
        await mark_removed(work, domain, self.image, wipe=False)
        await purge(domain, self.image, discard=False)


async def mark_removed(work: Work, domain: Domain, image: ImageId, *, wipe: bool) -> None:
    await work.storage.prepared.tear_down(domain, image)
    found = await domain.store.volumes(image)
    present = [volume for volume, stored in found.items() if stored.removal is Removal.NONE]
    for volume in present:
        if found[volume].is_unfinished:
            await domain.store.discard(image, volume)
    left = [volume for volume in present if not found[volume].is_unfinished]
    if left:
        await domain.store.mark_removed(image, left, Removal.WIPE if wipe else Removal.DELETE)


async def purge(domain: Domain, image: ImageId, *, discard: bool) -> None:
    found = await domain.store.volumes(image)
    removed = [volume for volume, stored in found.items() if stored.removal is not Removal.NONE]
    await domain.store.purge(image, removed, discard=discard)


ELSEWHERE = (Transfer,)
"""Steps that stand beside their work and are found through this module."""
