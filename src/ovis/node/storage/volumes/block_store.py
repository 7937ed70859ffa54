"""Volumes as logical volumes of the domain's group.

    logical volume <volume id>          the data; its tags say image, parent and slot (formats/volume_tags)
    slot n of `metadata`                what the volume says of itself (formats/volume_metadata)
    slot 100 + n of `leases`            its lease (formats/sanlock_areas)

    begin       1. lvcreate    with OVIRT_VOL_INITIALIZING and all the other tags: the slot is taken in the same commit
                2. the slot is written; the caller formats the lease and writes the data
    publish     lvchange takes OVIRT_VOL_INITIALIZING away: one commit, and everybody sees the volume
    removal     one commit for each volume turns IU_<image> into IU__remove_me_<image>; repeated after a crash
    purge       zeros over the data where asked for; the slot is cleared; lvremove frees data, slot and lease at once

A slot belongs to the volume that has its tag, so no slot is free before its volume is gone, and what lies in a free one
means nothing. Slots are chosen while this process holds `Lvm.changing`; that no other host creates volumes at the same
time is the business of the SPM's lease.

Old agents leave volumes with OVIRT_VOL_INITIALIZING alone: their image is unknown (NOTHING) here. Logical volumes that
are neither the domain's own nor tagged as volumes are passed over: somebody else's, never touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import PurePosixPath

from ovis.node.privileged.client import Root
from ovis.node.privileged.devices import DiscardDevice, DropDevice, OwnDevice, ReadBlocks, ZeroDevice
from ovis.node.privileged.errors import CommandFailed
from ovis.node.storage.domains.access import access
from ovis.node.storage.errors import NoSpace, NoSuchVolume, StorageError, VolumeExists
from ovis.node.storage.formats import volume_metadata, volume_tags
from ovis.node.storage.formats.errors import Broken, WrongTag
from ovis.node.storage.formats.identifiers import NOTHING, DomainId, ImageId, VolumeId, is_identifier
from ovis.node.storage.formats.sanlock_areas import Geometry
from ovis.node.storage.formats.volume_metadata import VolumeMetadata
from ovis.node.storage.formats.volume_tags import INITIALIZING, Removal, Unfinished, VolumeTags
from ovis.node.storage.io.interface import FileIo
from ovis.node.storage.lvm import logical_volumes
from ovis.node.storage.lvm.errors import VolumeDeactivateFailed, VolumeExtendFailed, VolumeRefreshFailed
from ovis.node.storage.lvm.logical_volumes import GroupFull
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.memory import GroupMemory
from ovis.node.storage.lvm.reports import Group, LogicalVolume
from ovis.node.storage.volumes.store import LeasePlace, StoredVolume

ZERO_SECONDS = 86_400.0
DISCARD_SECONDS = 3_600.0


class NoFreeSlot(StorageError):
    wire_name = "NoSpaceLeftOnDomain"

    def __init__(self, domain: str, volumes: int) -> None:
        super().__init__(f"storage domain {domain} has {volumes} volumes, and no slot for the metadata of one more")
        self.domain = domain


class NotActive(StorageError):
    """Closed meanwhile, or its disks went away."""

    wire_name = "StorageDomainAccessError"

    def __init__(self, domain: str) -> None:
        super().__init__(f"storage domain {domain}: its own volumes are not active on this host")
        self.domain = domain


class AlreadyPublished(StorageError):
    wire_name = "CannotDeleteVolume"

    def __init__(self, domain: str, volume: str) -> None:
        super().__init__(f"storage domain {domain}: volume {volume} is finished and cannot be discarded; it is kept")
        self.domain, self.volume = domain, volume


class NotRemoved(StorageError):
    wire_name = "CannotDeleteVolume"

    def __init__(self, domain: str, volume: str) -> None:
        super().__init__(f"storage domain {domain}: volume {volume} is not marked as removed; it is kept")
        self.domain, self.volume = domain, volume


class BlockStore:
    """`geometry`: of the leases. `root` owns devices, and zeroes them."""

    def __init__(
        self,
        domain: DomainId,
        version: int,
        *,
        lvm: Lvm,
        memory: GroupMemory,
        io: FileIo,
        root: Root,
        geometry: Geometry | None = None,
    ) -> None:
        self.domain = domain
        self.version = version
        self._lvm = lvm
        self._memory = memory
        self._io = io
        self._root = root
        self._geometry = geometry or Geometry()
        self._layout = volume_metadata.SLOTS[version]

    @property
    def is_block(self) -> bool:
        return True

    async def group(self) -> Group:
        """As it is on storage now."""
        return await self._memory.current(self.domain, self._read_device)

    async def volumes(self, image: ImageId | None = None) -> Mapping[VolumeId, StoredVolume]:
        found = _volumes(await self.group())
        return {
            volume: _stored(tags, logical)
            for volume, (tags, logical) in found.items()
            if image is None or _image(tags) == image
        }

    async def read(self, image: ImageId, volume: VolumeId) -> VolumeMetadata:
        tags, _ = self._found(await self.group(), image, volume)
        return await self._read(tags)

    async def _read(self, tags: VolumeTags | Unfinished) -> VolumeMetadata:
        size = self._geometry.block_size
        with access(self.domain, missing=NotActive(self.domain)):
            data = await self._io.read(self._metadata, offset=self._offset(tags), size=size, direct=True)
        return volume_metadata.read(data)

    async def write(self, image: ImageId, volume: VolumeId, metadata: VolumeMetadata, *, by_spm: bool = True) -> None:
        """The slot first; then, where the parent is another one now, its tag. Repeated after a crash in between."""
        tags, _ = self._found(await self.group(), image, volume)
        data = volume_metadata.write_slot(metadata, self.version, block_size=self._geometry.block_size)
        await self._write_slot(self._offset(tags), data)
        if by_spm and isinstance(tags, VolumeTags) and tags.parent != metadata.parent:
            await self._change_parent(image, volume, metadata.parent)

    async def begin(
        self, image: ImageId, volume: VolumeId, metadata: VolumeMetadata, *, size: int, allocate: bool
    ) -> PurePosixPath:
        """Extents are always taken at once, whatever `allocate` says. A failure may leave an unfinished volume, to be
        discarded. Raises NoFreeSlot, too."""
        async with self._lvm.changing(self.domain):
            group = await self.group()
            if volume in group.volumes:
                raise VolumeExists(self.domain, image, volume)
            slot = self._free_slot(group)
            tags = VolumeTags(image, metadata.parent, slot)
            slot_data = volume_metadata.write_slot(metadata, self.version, block_size=self._geometry.block_size)
            self._check_room(group, group.rounded(size))
            try:
                path = await logical_volumes.create(
                    self._lvm, self.domain, volume, group.rounded(size), tags=(INITIALIZING, *volume_tags.write(tags))
                )
            except GroupFull as error:
                raise NoSpace(self.domain, size) from error
        await self._own(volume)
        await self._write_slot(self._layout.offset(slot), slot_data)
        return path

    async def publish(self, image: ImageId, volume: VolumeId) -> None:
        async with self._lvm.changing(self.domain):
            tags, logical = self._found(await self.group(), image, volume)
            if INITIALIZING not in logical.tags:
                return
            if isinstance(tags, Unfinished):
                raise WrongTag(volume_tags.WHAT, volume_tags.IMAGE, f"{volume} cannot be published: is missing")
            await logical_volumes.change_tags(self._lvm, self.domain, [volume], remove=[INITIALIZING])

    async def discard(self, image: ImageId, volume: VolumeId) -> None:
        async with self._lvm.changing(self.domain):
            group = await self.group()
            if volume not in group.volumes:
                return
            if INITIALIZING not in group.volumes[volume].tags:
                raise AlreadyPublished(self.domain, volume)
            await self._clear_slots(group, [volume])
            await logical_volumes.remove(self._lvm, self.domain, [volume])

    async def resize(self, image: ImageId, volume: VolumeId, size: int) -> int:
        async with self._lvm.changing(self.domain):
            group = await self.group()
            _, logical = self._found(group, image, volume)
            wanted = group.rounded(size)
            if wanted == logical.size:
                return wanted
            self._check_room(group, wanted - logical.size)
            try:
                await logical_volumes.resize(self._lvm, self.domain, volume, wanted, grow=wanted > logical.size)
            except GroupFull as error:
                raise NoSpace(self.domain, wanted - logical.size) from error
        if logical_volumes.is_active(self._lvm, self.domain, volume):
            await self._own(volume)
        return wanted

    async def grow(self, volume: VolumeId, size: Callable[[VolumeMetadata], int]) -> int:
        """One read of the metadata slot and one LVM command, where this process knows the group. When the command is
        refused the group was another one after all: then it is read, and all is decided anew."""
        async with self._lvm.changing(self.domain):
            group = self._memory.last(self.domain)
            is_known = group is not None
            while True:
                group = group or await self.group()
                wanted = group.rounded(size(await self._read(self._finished(group, volume))))
                if group.volumes[volume].size >= wanted:
                    return group.volumes[volume].size
                try:
                    await logical_volumes.grow(self._lvm, self.domain, volume, wanted)
                    break
                except GroupFull as error:
                    raise NoSpace(self.domain, wanted - group.volumes[volume].size) from error
                except VolumeExtendFailed:
                    if not is_known:
                        raise
                    is_known, group = False, None
                    self._memory.forget(self.domain)
        self._memory.grew(group, volume, wanted)
        return wanted

    async def refresh(self, volume: VolumeId) -> None:
        try:
            await logical_volumes.refresh(self._lvm, self.domain, _name(volume))
        except VolumeRefreshFailed:  # the new extents may lie on a disk that was added since the group was read
            await self._memory.read(self.domain)
            await logical_volumes.activate(self._lvm, self.domain, [_name(volume)])

    async def activate(self, image: ImageId, volume: VolumeId, *, writable: bool = True) -> PurePosixPath:
        self._found(await self.group(), image, volume)
        await logical_volumes.activate(self._lvm, self.domain, [volume], writable=writable)
        await self._own(volume)
        return logical_volumes.path(self._lvm, self.domain, volume)

    async def deactivate(self, image: ImageId, volume: VolumeId) -> None:
        """Also of one that another host has removed meanwhile: then only device mapper knows it here. Raises
        VolumeDeactivateFailed when something has it open."""
        name = _name(volume)
        try:
            await logical_volumes.deactivate(self._lvm, self.domain, [name])
        except VolumeDeactivateFailed:
            if name in (await self.group()).volumes:
                raise
            device = str(logical_volumes.path(self._lvm, self.domain, name))
            if not (await self._root.call(DropDevice(path=device))).ok:
                raise

    async def active(self) -> Collection[VolumeId]:
        found = await asyncio.to_thread(logical_volumes.active, self._lvm, self.domain)
        return {VolumeId(name) for name in found if is_identifier(name)}

    async def mark_removed(self, image: ImageId, volumes: Collection[VolumeId], removal: Removal) -> None:
        async with self._lvm.changing(self.domain):
            group = await self.group()
            change: dict[str, list[str]] = {}  # the tag that goes -> the volumes that have it
            for volume in volumes:
                tags, logical = self._found(group, image, volume)
                if INITIALIZING in logical.tags or not isinstance(tags, VolumeTags):
                    raise NoSuchVolume(self.domain, image, volume)
                if tags.removal is not removal:
                    change.setdefault(_image_tag(tags.image, tags.removal), []).append(volume)
            for tag, names in change.items():
                await logical_volumes.change_tags(
                    self._lvm, self.domain, names, add=[_image_tag(image, removal)], remove=[tag]
                )

    async def purge(self, image: ImageId, volumes: Collection[VolumeId], *, discard: bool = False) -> None:
        """Writing the zeros can take hours; other volumes are not held up by it."""
        removed = self._removed(await self.group(), image, volumes)
        for volume, removal in removed.items():
            await self._empty(volume, wipe=removal is Removal.WIPE, discard=discard)
        async with self._lvm.changing(self.domain):
            group = await self.group()
            names = [str(volume) for volume in self._removed(group, image, volumes)]
            await self._clear_slots(group, names)
            await logical_volumes.remove(self._lvm, self.domain, names)

    async def lease(self, image: ImageId, volume: VolumeId) -> LeasePlace:
        group = await self.group()
        tags, _ = self._found(group, image, volume)
        leases = group.volumes["leases"].size if "leases" in group.volumes else None
        offset = self._geometry.volume_offset(self._slot(tags), leases_bytes=leases)
        return LeasePlace(logical_volumes.path(self._lvm, self.domain, "leases"), offset)

    async def share(self, image: ImageId, volume: VolumeId, into: ImageId) -> None:
        """Nothing: a volume of another image names it as its parent, and that is all."""

    async def unshare(self, image: ImageId, volume: VolumeId, into: ImageId) -> None:
        """Nothing."""

    async def users(self, image: ImageId, volume: VolumeId) -> Collection[ImageId]:
        found = _volumes(await self.group()).values()
        return {
            tags.image
            for tags, _ in found
            if isinstance(tags, VolumeTags)
            and tags.parent == volume
            and tags.image != image
            and tags.removal is Removal.NONE
        }

    @property
    def _metadata(self) -> PurePosixPath:
        return logical_volumes.path(self._lvm, self.domain, "metadata")

    async def _read_device(self, device: PurePosixPath, offset: int, size: int) -> bytes:
        """Of a disk under the group, which usually is not ours to open."""
        try:
            return await self._io.read(device, offset=offset, size=size, direct=True)
        except PermissionError:
            result = await self._root.call(ReadBlocks(path=str(device), offset=offset, size=size))
            return result.check(f"reading {device}").output

    async def _write_slot(self, offset: int, data: bytes) -> None:
        with access(self.domain, missing=NotActive(self.domain)):
            await self._io.write(self._metadata, data, offset=offset, direct=True)

    async def _change_parent(self, image: ImageId, volume: VolumeId, parent: VolumeId | None) -> None:
        async with self._lvm.changing(self.domain):
            _, logical = self._found(await self.group(), image, volume)
            wanted = f"{volume_tags.PARENT}{NOTHING if parent is None else parent}"
            old = [tag for tag in logical.tags if tag.startswith(volume_tags.PARENT) and tag != wanted]
            await logical_volumes.change_tags(self._lvm, self.domain, [volume], add=[wanted], remove=old)

    async def _own(self, volume: str) -> None:
        path = logical_volumes.path(self._lvm, self.domain, volume)
        with access(self.domain):
            await self._root.call(OwnDevice(path=str(path)))

    async def _empty(self, volume: VolumeId, *, wipe: bool, discard: bool) -> None:
        if not wipe and not discard:
            return
        await logical_volumes.activate(self._lvm, self.domain, [volume])
        path = str(logical_volumes.path(self._lvm, self.domain, volume))
        if wipe:
            zeroed = await self._root.call(ZeroDevice(path=path), seconds=ZERO_SECONDS)
            if not zeroed.ok:
                raise CommandFailed(f"zeroing volume {volume}", zeroed.status, zeroed.complaint)
        if discard:  # a wish: storage that cannot do it answers with an error
            await self._root.call(DiscardDevice(path=path), seconds=DISCARD_SECONDS)

    async def _clear_slots(self, group: Group, names: Collection[str]) -> None:
        """Before the volumes go: then what lies there can be another one's already."""
        taken = _slots(group)
        cleared = volume_metadata.cleared_slot(self.version, block_size=self._geometry.block_size)
        for name in names:
            slot = next((slot for slot, owners in taken.items() if owners == [name]), None)  # not of two volumes
            if slot is not None:
                await self._write_slot(self._layout.offset(slot), cleared)

    def _removed(self, group: Group, image: ImageId, volumes: Collection[VolumeId]) -> dict[VolumeId, Removal]:
        """Those of `volumes` that are still there. Raises NotRemoved."""
        removed: dict[VolumeId, Removal] = {}
        for volume in volumes:
            if volume not in group.volumes:
                continue
            tags, logical = self._found(group, image, volume)
            if INITIALIZING in logical.tags or not isinstance(tags, VolumeTags) or tags.removal is Removal.NONE:
                raise NotRemoved(self.domain, volume)
            removed[volume] = tags.removal
        return removed

    def _found(self, group: Group, image: ImageId, volume: VolumeId) -> tuple[VolumeTags | Unfinished, LogicalVolume]:
        """Raises NoSuchVolume, WrongTag."""
        logical = group.volumes.get(_name(volume))
        if logical is None:
            raise NoSuchVolume(self.domain, image, volume)
        tags = _tags(logical)
        if _image(tags) not in (image, NOTHING):
            raise NoSuchVolume(self.domain, image, volume)
        return tags, logical

    def _finished(self, group: Group, volume: VolumeId) -> VolumeTags:
        """Raises NoSuchVolume, WrongTag."""
        logical = group.volumes.get(_name(volume))
        if logical is None or INITIALIZING in logical.tags:
            raise NoSuchVolume(self.domain, "?", volume)
        tags = volume_tags.read(logical.tags)
        if not isinstance(tags, VolumeTags) or tags.removal is not Removal.NONE:
            raise NoSuchVolume(self.domain, tags.image if isinstance(tags, VolumeTags) else "?", volume)
        return tags

    def _slot(self, tags: VolumeTags | Unfinished) -> int:
        if tags.slot is None:
            raise WrongTag(volume_tags.WHAT, volume_tags.SLOT, "is missing")
        return tags.slot

    def _offset(self, tags: VolumeTags | Unfinished) -> int:
        return self._layout.offset(self._slot(tags))

    def _free_slot(self, group: Group) -> int:
        """The lowest one. Raises NoFreeSlot."""
        taken = _slots(group)
        leases = group.volumes["leases"].size if "leases" in group.volumes else None
        slot = self._layout.first
        while slot in taken:
            slot += 1
        try:
            self._layout.offset(slot)
            self._geometry.volume_offset(slot, leases_bytes=leases)
        except Broken as error:
            raise NoFreeSlot(self.domain, len(taken)) from error
        return slot

    def _check_room(self, group: Group, size: int) -> None:
        if size > group.free:
            raise NoSpace(self.domain, size)


def _volumes(group: Group) -> dict[VolumeId, tuple[VolumeTags | Unfinished, LogicalVolume]]:
    found = {}
    for name, logical in group.volumes.items():
        if is_identifier(name):
            try:
                found[VolumeId(name)] = (_tags(logical), logical)
            except WrongTag:
                continue  # not ours; see the head of the file
    return found


def _tags(logical: LogicalVolume) -> VolumeTags | Unfinished:
    """As of a finished volume, too, when it has all of its tags already. Raises WrongTag."""
    if INITIALIZING in logical.tags:
        try:
            return volume_tags.read(logical.tags - {INITIALIZING})
        except WrongTag:
            return volume_tags.read(logical.tags)
    return volume_tags.read(logical.tags)


def _image(tags: VolumeTags | Unfinished) -> ImageId:
    return tags.image if isinstance(tags, VolumeTags) else ImageId(NOTHING)


def _stored(tags: VolumeTags | Unfinished, logical: LogicalVolume) -> StoredVolume:
    return StoredVolume(
        image=_image(tags),
        size=logical.size,
        allocated=logical.size,
        parent=tags.parent if isinstance(tags, VolumeTags) else None,
        removal=tags.removal if isinstance(tags, VolumeTags) else Removal.NONE,
        is_unfinished=INITIALIZING in logical.tags,
    )


def _slots(group: Group) -> dict[int, list[str]]:
    """Slot -> the volumes with its tag; in order one each. Odd tags take no slot: nobody reads them either."""
    taken: dict[int, list[str]] = {}
    for name, logical in group.volumes.items():
        for tag in logical.tags:
            number = tag.removeprefix(volume_tags.SLOT)
            if tag != number and number.isascii() and number.isdecimal():
                taken.setdefault(int(number), []).append(name)
    return taken


def _image_tag(image: ImageId, removal: Removal) -> str:
    return f"{volume_tags.IMAGE}{removal.value}{image}"


def _name(volume: VolumeId) -> str:
    """A volume's id becomes a path and a word of a command. Raises Broken for anything else."""
    if not is_identifier(volume):
        raise Broken(volume_tags.WHAT, "volume", "not a UUID")
    return volume
