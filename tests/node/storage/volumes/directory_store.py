"""A VolumeStore that behaves, in a plain folder: as files (`is_block` False) or as if each volume were an LV.

    records/<volume>        JSON: what the store keeps, the metadata as their text
    images/<image>/<volume> data of files, links to templates
    lv/<volume>             data of "logical volumes", in extents; reachable only through
    dev/<volume>            which is there while the volume is active

`changed` is called before and after each change that can be seen on storage: a test dies there.
"""

import json
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ovis.node.storage.errors import NoSpace, NoSuchVolume, VolumeExists
from ovis.node.storage.formats import volume_metadata
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import VolumeMetadata
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.volumes.growing import by_resizing
from ovis.node.storage.volumes.store import LeasePlace, StoredVolume

EXTENT = 4 << 20


class DirectoryStore:
    def __init__(
        self, root: Path, domain: DomainId, *, is_block: bool = False, version: int = 5, room: int = 1 << 40
    ) -> None:
        self.root, self.domain, self.is_block, self.version, self.room = root, domain, is_block, version, room
        self.changed: Callable[[str], None] = lambda _: None
        self.wiped: list[VolumeId] = []
        for name in ("records", "images", "lv", "dev"):
            (root / name).mkdir(parents=True, exist_ok=True)

    async def volumes(self, image: ImageId | None = None) -> Mapping[VolumeId, StoredVolume]:
        found = {}
        for path in (self.root / "records").iterdir():
            record = json.loads(path.read_text())
            if image is None or record["image"] == image:
                found[VolumeId(path.name)] = self._stored(VolumeId(path.name), record)
        return found

    async def read(self, image: ImageId, volume: VolumeId) -> VolumeMetadata:
        return volume_metadata.read(self._record(image, volume)["metadata"].encode())

    async def write(self, image: ImageId, volume: VolumeId, metadata: VolumeMetadata, *, by_spm: bool = True) -> None:
        record = self._record(image, volume)
        text = volume_metadata.write(metadata, self.version).decode()
        self._save(volume, record | {"metadata": text, "parent": metadata.parent})

    async def begin(
        self, image: ImageId, volume: VolumeId, metadata: VolumeMetadata, *, size: int, allocate: bool
    ) -> PurePosixPath:
        if (self.root / "records" / volume).exists():
            raise VolumeExists(self.domain, image, volume)
        if size > self.room:
            raise NoSpace(self.domain, size)
        text = volume_metadata.write(metadata, self.version).decode()
        record = {"image": image, "parent": metadata.parent, "metadata": text, "removal": "", "unfinished": True}
        self._save(volume, record)
        self._resize(image, volume, size)
        return await self.activate(image, volume)

    async def publish(self, image: ImageId, volume: VolumeId) -> None:
        self._save(volume, self._record(image, volume) | {"unfinished": False})

    async def discard(self, image: ImageId, volume: VolumeId) -> None:
        path = self.root / "records" / volume
        if not path.exists():
            return
        assert json.loads(path.read_text())["unfinished"], "a published volume was discarded"
        self._drop(image, volume)

    async def resize(self, image: ImageId, volume: VolumeId, size: int) -> int:
        self._record(image, volume)
        if size > self.room:
            raise NoSpace(self.domain, size)
        return self._resize(image, volume, size)

    async def grow(self, volume: VolumeId, size: Callable[[VolumeMetadata], int]) -> int:
        return await by_resizing(self, volume, size)

    async def refresh(self, volume: VolumeId) -> None: ...

    async def activate(self, image: ImageId, volume: VolumeId, *, writable: bool = True) -> PurePosixPath:
        self._record(image, volume)
        if not self.is_block:
            return PurePosixPath(self.root / "images" / image / volume)
        device = self.root / "dev" / volume
        if not device.is_symlink():
            device.symlink_to(self.root / "lv" / volume)
        return PurePosixPath(device)

    async def deactivate(self, image: ImageId, volume: VolumeId) -> None:
        (self.root / "dev" / volume).unlink(missing_ok=True)

    async def active(self) -> Collection[VolumeId]:
        return {VolumeId(path.name) for path in (self.root / "dev").iterdir()}

    async def mark_removed(self, image: ImageId, volumes: Collection[VolumeId], removal: Removal) -> None:
        for volume in volumes:
            self._save(volume, self._record(image, volume) | {"removal": removal.value})

    async def purge(self, image: ImageId, volumes: Collection[VolumeId], *, discard: bool = False) -> None:
        for volume in volumes:
            path = self.root / "records" / volume
            if path.exists():
                removal = json.loads(path.read_text())["removal"]
                assert removal, "a volume was purged that nobody had removed"
                if removal == Removal.WIPE.value:
                    self.wiped.append(volume)
                self._drop(image, volume)

    async def lease(self, image: ImageId, volume: VolumeId) -> LeasePlace:
        self._record(image, volume)
        return LeasePlace(PurePosixPath(self.root / "images" / image / f"{volume}.lease"))

    async def share(self, image: ImageId, volume: VolumeId, into: ImageId) -> None:
        if self.is_block:
            return
        link = self.root / "images" / into / volume
        link.parent.mkdir(exist_ok=True)
        if not link.exists():
            self._change("share", lambda: os.link(self.root / "images" / image / volume, link))

    async def unshare(self, image: ImageId, volume: VolumeId, into: ImageId) -> None:
        self._change("unshare", lambda: (self.root / "images" / into / volume).unlink(missing_ok=True))
        self._tidy(into)

    async def users(self, image: ImageId, volume: VolumeId) -> Collection[ImageId]:
        records = [json.loads(path.read_text()) for path in (self.root / "records").iterdir()]
        return {r["image"] for r in records if r["parent"] == volume and r["image"] != image and not r["removal"]}

    def _stored(self, volume: VolumeId, record: dict[str, Any]) -> StoredVolume:
        path = self._data(record["image"], volume)
        status = path.stat() if path.exists() else None
        size = status.st_size if status else 0
        return StoredVolume(
            image=record["image"],
            size=size,
            allocated=size if self.is_block else (status.st_blocks * 512 if status else 0),
            parent=record["parent"] if self.is_block else None,
            removal=Removal(record["removal"]),
            is_unfinished=record["unfinished"],
        )

    def _data(self, image: str, volume: str) -> Path:
        return self.root / "lv" / volume if self.is_block else self.root / "images" / image / volume

    def _record(self, image: ImageId, volume: VolumeId) -> dict[str, Any]:
        try:
            record = json.loads((self.root / "records" / volume).read_text())
        except FileNotFoundError:
            raise NoSuchVolume(self.domain, image, volume) from None
        shared = (self.root / "images" / image / volume).exists()
        if record["image"] != image and not shared:
            raise NoSuchVolume(self.domain, image, volume)
        return record

    def _save(self, volume: VolumeId, record: dict[str, Any]) -> None:
        def replace() -> None:
            fresh = self.root / f".{volume}.new"
            fresh.write_text(json.dumps(record))
            fresh.replace(self.root / "records" / volume)

        self._change("save", replace)

    def _resize(self, image: str, volume: str, size: int) -> int:
        size = -(-size // EXTENT) * EXTENT if self.is_block else size
        path = self._data(image, volume)

        def resize() -> None:
            path.parent.mkdir(exist_ok=True)
            with open(path, "ab") as file:
                file.truncate(size)

        self._change("resize", resize)
        return size

    def _drop(self, image: str, volume: str) -> None:
        self._change("data", lambda: self._data(image, volume).unlink(missing_ok=True))
        (self.root / "dev" / volume).unlink(missing_ok=True)
        self._change("record", lambda: (self.root / "records" / volume).unlink(missing_ok=True))
        self._tidy(image)

    def _tidy(self, image: str) -> None:
        folder = self.root / "images" / image
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _change(self, what: str, change: Callable[[], object]) -> None:
        self.changed(f"before {what}")
        change()
        self.changed(f"after {what}")
