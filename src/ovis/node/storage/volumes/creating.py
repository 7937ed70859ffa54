"""Volume.create: what is checked, and the steps that do it.

    share the template ─> begin (container, header) ─> parent becomes INTERNAL ─> publish

The parent stops being a leaf before its child can be seen, so there is no moment with two leaves. The checks are made
when the call comes, so that its caller hears of them, and again when the task has its claims (`volume.expect`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.errors import NoSuchImage, NoSuchVolume, VolumeExists
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import (
    DESCRIPTION_LIMIT,
    Allocation,
    DiskType,
    Legality,
    VolumeFormat,
    VolumeMetadata,
    VolumeRole,
)
from ovis.node.storage.volumes import reading, sizes, steps
from ovis.node.storage.volumes.chain import Layer
from ovis.node.storage.volumes.errors import (
    BadVolumeParameter,
    IllegalParent,
    ParentNotLeaf,
    ParentNotShared,
    WrongFormat,
    WrongSize,
)
from ovis.node.storage.volumes.making import NewBitmap, NewVolume
from ovis.node.storage.volumes.plan import Plan

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.tasks.steps import Step


@dataclass(frozen=True)
class Wish:
    """What a caller wants. Bytes. `parent`: image and volume; its image is another one for a template."""

    domain: DomainId
    image: ImageId
    volume: VolumeId
    capacity: int
    format: VolumeFormat
    allocation: Allocation
    disk_type: DiskType = DiskType.DATA
    description: str = ""
    parent: tuple[ImageId, VolumeId] | None = None
    initial_size: int | None = None
    with_parents_bitmaps: bool = False
    bitmap: str | None = None
    is_legal: bool = True
    sequence: int = 0

    def __str__(self) -> str:
        return f"volume {self.volume} of image {self.image} on storage domain {self.domain}"


async def plan(domain: Domain, wish: Wish, *, now: int) -> Plan:
    """Raises what the rules forbid; nothing has been changed."""
    check(wish, is_block=domain.is_block, version=domain.version)
    parent = await _parent(domain, wish)
    await _require_new(domain, wish, parent)
    capacity = sizes.rounded(wish.capacity, domain.lockspace.geometry.block_size)
    if parent is not None:
        check_parent(wish, parent, capacity)
    volume = await _new_volume(domain, wish, parent, capacity, now)
    needed = [claims.image(domain.id, wish.image)]
    planned: list[Step] = []
    if parent is not None:
        if parent.image != wish.image:
            needed.append(claims.image(domain.id, parent.image, exclusive=False))
            planned.append(steps.Share(domain.id, parent.image, parent.id, wish.image))
        planned.insert(0, steps.Expect.of(domain.id, parent))
    planned.append(steps.Begin(domain.id, volume, parents_bitmaps=wish.with_parents_bitmaps))
    if parent is not None and parent.image == wish.image:
        planned.append(steps.SetRole(domain.id, wish.image, parent.id, VolumeRole.INTERNAL, before=VolumeRole.LEAF))
    planned.append(steps.Publish(domain.id, wish.image, wish.volume))
    return Plan(tuple(planned), tuple(needed))


def check(wish: Wish, *, is_block: bool, version: int) -> None:
    """What can be said without looking at storage. Raises VolumeError."""
    if not 0 < wish.capacity <= sizes.LARGEST:
        raise WrongSize(str(wish), f"cannot have {wish.capacity} bytes")
    if wish.initial_size is not None and wish.initial_size > sizes.largest(wish.capacity):
        raise BadVolumeParameter(str(wish), f"an initial size of {wish.initial_size} bytes is more than it can hold")
    if is_block and wish.format is VolumeFormat.RAW and wish.allocation is Allocation.SPARSE:
        raise WrongFormat(str(wish), "raw volumes on block storage cannot be sparse: nothing would grow them")
    if wish.parent is not None and wish.format is VolumeFormat.RAW:
        raise WrongFormat(str(wish), "a raw volume cannot build on another one")
    if wish.with_parents_bitmaps and wish.parent is None:
        raise BadVolumeParameter(str(wish), "there is no parent whose bitmaps could be added")
    if wish.bitmap is not None or wish.with_parents_bitmaps:
        if wish.format is VolumeFormat.RAW:
            raise WrongFormat(str(wish), "a raw volume holds no bitmaps")
        if version < 4:
            raise BadVolumeParameter(str(wish), f"domains of version {version} have no bitmaps")


def check_parent(wish: Wish, parent: Layer, capacity: int) -> None:
    """Raises VolumeError."""
    if not parent.is_legal:
        raise IllegalParent(str(wish), f"its parent {parent.id} is marked {parent.metadata.legality.value}")
    if capacity < parent.metadata.capacity:
        raise WrongSize(str(wish), f"{capacity} bytes are less than its parent's {parent.metadata.capacity}")
    if parent.image != wish.image:
        if not parent.is_template:
            raise ParentNotShared(str(wish), f"{parent.id} of image {parent.image} is no template")
    elif parent.metadata.role is not VolumeRole.LEAF:
        raise ParentNotLeaf(str(wish), f"its parent {parent.id} is {parent.metadata.role.value}, not the last one")


async def _parent(domain: Domain, wish: Wish) -> Layer | None:
    return None if wish.parent is None else await reading.layer(domain, *wish.parent)


async def _require_new(domain: Domain, wish: Wish, parent: Layer | None) -> None:
    try:
        image = await reading.image(domain, wish.image)
    except NoSuchImage:
        if parent is not None and parent.image == wish.image:
            raise NoSuchVolume(domain.id, wish.image, parent.id) from None
        return
    if wish.volume in image.layers or wish.volume in image.unreadable:
        raise VolumeExists(domain.id, wish.image, wish.volume)
    if parent is None and image.own:
        raise BadVolumeParameter(str(wish), "the image has volumes already: a new one must build on its last one")
    if parent is not None and parent.image != wish.image and image.own:
        raise BadVolumeParameter(str(wish), "only the first volume of an image can build on a template")
    if parent is not None and parent.image == wish.image and (children := image.children(parent.id)):
        raise ParentNotLeaf(str(wish), f"{children[0].id} builds on its parent {parent.id} already")


async def _new_volume(domain: Domain, wish: Wish, parent: Layer | None, capacity: int, now: int) -> NewVolume:
    container = sizes.container(
        format=wish.format,
        allocation=wish.allocation,
        capacity=capacity,
        is_block=domain.is_block,
        initial=wish.initial_size,
    )
    metadata = VolumeMetadata(
        domain=domain.id,
        image=wish.image,
        parent=None if parent is None else parent.id,
        capacity=capacity,
        format=wish.format,
        allocation=wish.allocation,
        role=VolumeRole.LEAF,
        created=now,
        disk_type=wish.disk_type,
        description=wish.description[:DESCRIPTION_LIMIT],
        legality=Legality.LEGAL if wish.is_legal else Legality.ILLEGAL,
        sequence=wish.sequence if domain.version >= 5 else 0,
    )
    return NewVolume(
        id=wish.volume,
        metadata=metadata,
        size=container.size,
        allocate=container.allocate,
        backing_format=None if parent is None else parent.qemu_format,
        bitmaps=() if wish.bitmap is None else (NewBitmap(wish.bitmap),),
    )
