"""Volumes as files below a domain's `images` (file_names.py shows the names and states).

Each change of state is one rename, or one removal of the last name that tells of it:

    begin      folder of the image; .meta.unfinished; .lease; the data
    publish    .meta.unfinished -> .meta
    discard    data, lease; .meta.unfinished last
    mark       .meta -> .meta.removed; all volumes of an image: <image> -> _remove_me_<image>
    purge      data, lease; .meta.removed last; or the folder of the removed image
    share      a link to the template's data, to its lease; to its .meta last

A template shared into other images is one file with several names; the metadata name the image that it belongs to. A
change of its metadata replaces the file and so reaches this one name only, as it does when existing agents write it.

WIPE is remembered but nothing is overwritten: where a file system puts new bytes is its own business.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import PurePosixPath

from ovis.node.storage.domains.access import access
from ovis.node.storage.errors import NoSuchVolume, StorageError, VolumeExists
from ovis.node.storage.formats import volume_metadata
from ovis.node.storage.formats.errors import Broken
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.repository import META_SUFFIX, DomainPaths, image_of
from ovis.node.storage.formats.volume_metadata import VolumeMetadata
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.io.interface import FileIo
from ovis.node.storage.volumes import file_names
from ovis.node.storage.volumes.file_names import REMOVED, SILLY, UNFINISHED, Files, Folder
from ovis.node.storage.volumes.growing import by_resizing
from ovis.node.storage.volumes.store import LeasePlace, StoredVolume

log = logging.getLogger(__name__)

FOLDER_MODE = 0o755
DATA_MODE = 0o660
METADATA_MODE = 0o644
READ_BYTES = 4096  # metadata have 512; more is looked at to name what is odd
FOLDERS_AT_A_TIME = 250  # a millisecond of the agent's time


class NotRemoved(StorageError):
    wire_name = "CannotDeleteVolume"

    def __init__(self, domain: DomainId, image: ImageId, volume: VolumeId) -> None:
        super().__init__(
            f"storage domain {domain}, image {image}: volume {volume} is in use, its storage was not freed"
        )
        self.domain, self.image, self.volume = domain, image, volume


class FileStore:
    """A VolumeStore. What the kernel refuses comes as domains/access.py says."""

    is_block = False

    def __init__(self, io: FileIo, paths: DomainPaths, domain: DomainId, version: int) -> None:
        self.domain = domain
        self.version = version
        self._io = io
        self._paths = paths
        self._owners: dict[VolumeId, ImageId] = {}
        """The image of each template seen: it never changes."""

    async def volumes(self, image: ImageId | None = None) -> Mapping[VolumeId, StoredVolume]:
        found: dict[VolumeId, StoredVolume] = {}
        looked = await self._folders() if image is None else await self._folders_of(image)
        for number, (owner, removal, folder) in enumerate(looked, 1):
            for volume, files in (await self._own(owner, removal, folder)).items():
                if volume not in found or found[volume].removal is not Removal.NONE:
                    found[volume] = files.stored(owner, removal)
            if number % FOLDERS_AT_A_TIME == 0:
                await asyncio.sleep(0)
        return found

    async def read(self, image: ImageId, volume: VolumeId) -> VolumeMetadata:
        with self._about(image, volume):
            try:
                data = await self._io.read(self._file(image, volume, META_SUFFIX), size=READ_BYTES)
            except FileNotFoundError:
                data = await self._io.read(self._file(image, volume, UNFINISHED), size=READ_BYTES)
        return volume_metadata.read(data)

    async def write(self, image: ImageId, volume: VolumeId, metadata: VolumeMetadata, *, by_spm: bool = True) -> None:
        data = volume_metadata.write(metadata, self.version)
        with self._about(image, volume):
            place = self._file(image, volume, META_SUFFIX)
            try:
                await self._io.facts(place)
            except FileNotFoundError:
                place = self._file(image, volume, UNFINISHED)
                await self._io.facts(place)
            await self._io.replace(place, data, mode=METADATA_MODE)

    async def begin(
        self, image: ImageId, volume: VolumeId, metadata: VolumeMetadata, *, size: int, allocate: bool
    ) -> PurePosixPath:
        data = volume_metadata.write(metadata, self.version)
        path = self._paths.volume(image, volume)
        with access(self.domain, wanted=size):
            await self._make_folder(self._paths.image(image))
            if file_names.of_volume(await self._io.names(self._paths.image(image)), volume):
                raise VolumeExists(self.domain, image, volume)
            try:
                await self._io.replace(self._file(image, volume, UNFINISHED), data, mode=METADATA_MODE)
                await self._io.create(self._paths.volume_lease(image, volume), mode=DATA_MODE)
                await self._io.create(path, size=size, mode=DATA_MODE, allocate=allocate)
            except OSError:
                with contextlib.suppress(OSError):
                    await self._sweep(image, volume)
                raise
        return path

    async def publish(self, image: ImageId, volume: VolumeId) -> None:
        with self._about(image, volume):
            place = self._file(image, volume, META_SUFFIX)
            try:
                await self._io.rename(self._file(image, volume, UNFINISHED), place)
            except FileNotFoundError:
                await self._io.facts(place)  # was it published before?

    async def discard(self, image: ImageId, volume: VolumeId) -> None:
        with access(self.domain):
            files = await self._files(image, volume)
            if files is not None and not files.is_unfinished:
                raise VolumeExists(self.domain, image, volume)
            await self._sweep(image, volume)

    async def resize(self, image: ImageId, volume: VolumeId, size: int) -> int:
        with self._about(image, volume, wanted=size):
            await self._io.resize(self._paths.volume(image, volume), size)
        return size

    async def grow(self, volume: VolumeId, size: Callable[[VolumeMetadata], int]) -> int:
        return await by_resizing(self, volume, size)

    async def refresh(self, volume: VolumeId) -> None: ...

    async def activate(self, image: ImageId, volume: VolumeId, *, writable: bool = True) -> PurePosixPath:
        path = self._paths.volume(image, volume)
        with self._about(image, volume):
            if (await self._io.facts(path)).kind != "file":
                raise OSError(errno.ELOOP, "not a plain file", str(path))
        return path

    async def deactivate(self, image: ImageId, volume: VolumeId) -> None: ...

    async def active(self) -> Collection[VolumeId]:
        return ()

    async def mark_removed(self, image: ImageId, volumes: Collection[VolumeId], removal: Removal) -> None:
        with access(self.domain):
            folder = await self._list(self._paths.image(image))
            own = await self._own(image, Removal.NONE, folder)
            living = {volume for volume, files in own.items() if files.is_published or files.is_unfinished}
            if living and living <= set(volumes):
                await self._remove_image(image, removal)
                return
            for volume in living & set(volumes):
                if not own[volume].is_published:
                    raise NoSuchVolume(self.domain, image, volume)  # an unfinished one is discarded, not removed
                await self._io.rename(
                    self._file(image, volume, META_SUFFIX), self._file(image, volume, REMOVED[removal])
                )

    async def purge(self, image: ImageId, volumes: Collection[VolumeId], *, discard: bool = False) -> None:
        named = set(volumes)
        with access(self.domain):
            for removal in REMOVED:
                await self._purge_folder(image, removal, named)
            living = file_names.volumes_in(await self._list(self._paths.image(image)))
            for volume in named & living.keys():
                if living[volume].mark is Removal.NONE or living[volume].is_published:
                    raise NotRemoved(self.domain, image, volume)
                await self._sweep(image, volume)

    async def lease(self, image: ImageId, volume: VolumeId) -> LeasePlace:
        place = self._paths.volume_lease(image, volume)
        with self._about(image, volume):
            await self._io.facts(place)
        return LeasePlace(place)

    async def share(self, image: ImageId, volume: VolumeId, into: ImageId) -> None:
        with self._about(image, volume):
            await self._io.facts(self._paths.volume(image, volume))
            await self._make_folder(self._paths.image(into))
            for place in (DomainPaths.volume, DomainPaths.volume_lease, DomainPaths.volume_metadata):
                with contextlib.suppress(FileExistsError):
                    await self._io.link(place(self._paths, image, volume), place(self._paths, into, volume))

    async def unshare(self, image: ImageId, volume: VolumeId, into: ImageId) -> None:
        with access(self.domain):
            for place in (DomainPaths.volume_metadata, DomainPaths.volume_lease, DomainPaths.volume):
                with contextlib.suppress(FileNotFoundError):
                    await self._io.remove(place(self._paths, into, volume), missing_ok=True)
            await self._remove_if_empty(self._paths.image(into))

    async def users(self, image: ImageId, volume: VolumeId) -> Collection[ImageId]:
        with self._about(image, volume):
            if (await self._io.facts(self._paths.volume(image, volume))).links == 1:
                return []
        return [
            owner
            for owner, removal, folder in await self._folders()
            if removal is Removal.NONE and owner != image and volume in folder
        ]

    async def _folders(self) -> list[tuple[ImageId, Removal, Folder]]:
        with access(self.domain):
            listing = await self._io.listing(self._paths.images)
        return [(*owner, folder) for name, folder in listing.items() if (owner := image_of(name)) is not None]

    async def _folders_of(self, image: ImageId) -> list[tuple[ImageId, Removal, Folder]]:
        with access(self.domain):
            return [(image, removal, await self._list(self._paths.image(image, removal))) for removal in Removal]

    async def _list(self, folder: PurePosixPath) -> Folder:
        try:
            return {str(path): facts for path, facts in (await self._io.tree(folder)).items()}
        except FileNotFoundError:
            return {}

    async def _files(self, image: ImageId, volume: VolumeId) -> Files | None:
        return file_names.volumes_in(await self._list(self._paths.image(image))).get(volume)

    async def _own(self, image: ImageId, removal: Removal, folder: Folder) -> dict[VolumeId, Files]:
        """The volumes of an image's folder, without templates of other images that are shared into it."""
        own = file_names.volumes_in(folder)
        for volume, files in list(own.items()):
            if (files.is_linked or volume in self._owners) and await self._is_foreign(image, removal, volume, files):
                del own[volume]
        return own

    async def _is_foreign(self, image: ImageId, removal: Removal, volume: VolumeId, files: Files) -> bool:
        if volume not in self._owners:
            if not files.is_published:
                return False
            place = self._paths.image(image, removal) / f"{volume}{META_SUFFIX}"
            try:
                self._owners[volume] = volume_metadata.read(await self._io.read(place, size=READ_BYTES)).image
            except (FileNotFoundError, Broken):
                return False
        return self._owners[volume] != image

    async def _remove_image(self, image: ImageId, removal: Removal) -> None:
        target = self._paths.image(image, removal)
        # an image of the same id that was removed before: nobody will ask for its purge any more
        await self._io.remove_tree(target)
        await self._io.rename(self._paths.image(image), target)

    async def _purge_folder(self, image: ImageId, removal: Removal, named: set[VolumeId]) -> None:
        folder = self._paths.image(image, removal)
        own = await self._own(image, removal, await self._list(folder))
        if own.keys() <= named:
            await self._remove_tree(folder)
            return
        for volume in named:
            await self._remove_files(folder, volume)

    async def _sweep(self, image: ImageId, volume: VolumeId) -> None:
        await self._remove_files(self._paths.image(image), volume)
        await self._remove_if_empty(self._paths.image(image))

    async def _remove_files(self, folder: PurePosixPath, volume: VolumeId) -> None:
        try:
            names = await self._io.names(folder)
        except FileNotFoundError:
            return
        for name in file_names.of_volume(names, volume):
            await self._io.remove(folder / name, missing_ok=True)

    async def _remove_tree(self, folder: PurePosixPath) -> None:
        try:
            await self._io.remove_tree(folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EBUSY) or not await self._is_only_silly(folder):
                raise
            log.info("%s goes when the last user of its files does", folder)

    async def _is_only_silly(self, folder: PurePosixPath) -> bool:
        return all(name.startswith(SILLY) for name in await self._io.names(folder))

    async def _remove_if_empty(self, folder: PurePosixPath) -> None:
        with contextlib.suppress(FileNotFoundError):
            if not await self._io.names(folder):
                await self._io.remove(folder, missing_ok=True)

    async def _make_folder(self, folder: PurePosixPath) -> None:
        with contextlib.suppress(FileExistsError):
            await self._io.make_folder(folder, mode=FOLDER_MODE)

    def _file(self, image: ImageId, volume: VolumeId, suffix: str) -> PurePosixPath:
        return self._paths.volume(image, volume).with_name(f"{volume}{suffix}")

    def _about(self, image: ImageId, volume: VolumeId, *, wanted: int = 0) -> contextlib.AbstractContextManager[None]:
        return access(self.domain, missing=NoSuchVolume(self.domain, image, volume), wanted=wanted)
