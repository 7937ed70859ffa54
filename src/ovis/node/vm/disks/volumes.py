"""From the ids of a request to disks and files.

`DriveResolver` is all that the operations on disks know of storage. A volume of a storage domain of this host is taken
in the VM's name (keeping). Any other is looked for, in this order, where the VM's metadata says, beside the layer in
use, and below the allowed places as engines expect it: [POOL/]DOMAIN/images/IMAGE/VOLUME.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import DeadlineExceeded, ThreadsExhausted
from ovis.node.hypervisor.interface import Hypervisor
from ovis.node.hypervisor.pools import Pool
from ovis.node.vm import safe_xml
from ovis.node.vm.disks import drives, image_header
from ovis.node.vm.disks.drives import Drive, as_uuid
from ovis.node.vm.disks.errors import DriveNotFound
from ovis.node.vm.disks.image_header import BadImage, ImageHeader
from ovis.node.vm.paths import Mention, PathRules
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.disks.keeping import VolumeKeeper

T = TypeVar("T")
LIVE = "libvirt's domain XML"
CHAIN_LIMIT = 200  # layers; QEMU itself gets slow long before


@dataclass(frozen=True)
class VolumeIds:
    """Lower case, with hyphens."""

    volume: str
    image: str | None = None
    domain: str | None = None
    pool: str | None = None

    @classmethod
    def of(cls, volume: object, image: object = None, domain: object = None, pool: object = None) -> VolumeIds:
        """Raises ValueError for a volume id that is no UUID."""
        found = as_uuid(str(volume))
        if found is None:
            raise ValueError(f"{volume} is no UUID")
        return cls(found, *(None if x is None else as_uuid(str(x)) for x in (image, domain, pool)))


@dataclass(frozen=True)
class Volume:
    """A file or device that exists. `header` is what it says of itself, which is true of what nobody's guest wrote."""

    path: str
    is_block: bool
    header: ImageHeader


class DriveResolver(Protocol):
    async def drives(self, vm: Vm) -> tuple[Drive, ...]:
        """As they are now. Raises HypervisorError."""
        ...

    async def find(self, vm: Vm, ids: VolumeIds) -> Drive:
        """The disk whose image and active volume these are. Raises DriveNotFound, HypervisorError."""
        ...

    async def volume(self, vm_id: str, ids: VolumeIds, *, drive: Drive | None = None) -> Volume:
        """A volume, which may be of another image or domain than `drive`. Raises DriveNotFound, BadParameter."""
        ...

    async def check_chain(self, path: str, field: str) -> None:
        """That nothing in the chain of an image leads out of the allowed places. Raises BadParameter."""
        ...

    async def run(self, work: Callable[[], T], what: str) -> T:
        """Other looks at files, in the same threads. Raises DeadlineExceeded, ThreadsExhausted."""
        ...

    def close(self) -> None: ...


class PathDrives:
    def __init__(self, hypervisor: Hypervisor, settings: VmSettings, keeper: VolumeKeeper) -> None:
        self._hypervisor = hypervisor
        self._keeper = keeper
        self._settings = settings
        self._rules = PathRules(settings)
        self._threads = Pool("vm disks", threads=4)

    def close(self) -> None:
        self._threads.close()

    async def drives(self, vm: Vm) -> tuple[Drive, ...]:
        return drives.read(safe_xml.parse_own(await self._hypervisor.xml(vm.id), LIVE))

    async def find(self, vm: Vm, ids: VolumeIds) -> Drive:
        for drive in await self.drives(vm):
            if ids.image is not None and drive.image_id != ids.image:
                continue
            if drive.active.volume_id == ids.volume:
                return drive
        wanted = f"image {ids.image} with active volume {ids.volume}"
        raise DriveNotFound(vm.id, f"no disk of it is {wanted}; nothing was changed")

    async def volume(self, vm_id: str, ids: VolumeIds, *, drive: Drive | None = None) -> Volume:
        kept = await self._keeper.take(vm_id, ids) if ids.domain and ids.image else None
        tried = [kept.path] if kept else self._candidates(ids, drive)
        for path in tried:
            found = await self.run(lambda path=path: self._look(path), "look for a volume")  # type: ignore[misc]
            if found is not None:
                return found
        raise DriveNotFound(vm_id, f"volume {ids.volume} is at none of: {', '.join(tried) or 'no known place'}")

    async def check_chain(self, path: str, field: str) -> None:
        await self.run(lambda: self._check_chain(path, field), "look at a chain")

    async def run(self, work: Callable[[], T], what: str) -> T:
        try:
            return await self._threads.run(what, work, deadline=self._settings.path_deadline)
        except (DeadlineExceeded, ThreadsExhausted) as error:
            raise BadParameter("disks", f"their storage does not answer: {error}") from error

    def _candidates(self, ids: VolumeIds, drive: Drive | None) -> list[str]:
        found = []
        # A disk that moves to another storage domain keeps its ids of image and volumes.
        if drive is not None and ids.image in (None, drive.image_id) and ids.domain in (None, drive.domain_id):
            found += [layer.path for layer in drive.layers if layer.volume_id == ids.volume]
            found.append(os.path.join(os.path.dirname(drive.active.path), ids.volume))
        if ids.image is not None and ids.domain is not None:
            inner = os.path.join(ids.domain, "images", ids.image, ids.volume)
            for place in map(str, self._settings.allowed_paths):
                found += [os.path.join(place, ids.pool, inner)] if ids.pool else []
                found.append(os.path.join(place, inner))
        if drive is not None and drive.domain_id is None:  # nobody has told where it is
            found.append(os.path.join(os.path.dirname(drive.active.path), ids.volume))
        return list(dict.fromkeys(found))

    def _look(self, path: str) -> Volume | None:
        if not os.path.exists(path):
            return None
        self._rules.check(Mention(path, "volume", "source", is_disk=True), "disks")
        try:
            return Volume(path, self._rules.is_block_device(path), image_header.read(path))
        except (OSError, BadImage) as error:
            raise BadParameter("disks", str(error)) from error

    def _check_chain(self, path: str, field: str) -> None:
        current: str | None = path
        for _ in range(CHAIN_LIMIT):
            if current is None:
                return
            self._rules.check(Mention(current, "backing file", "source", is_disk=True), field)
            try:
                header = image_header.read(current)
                below = image_header.backing_path(current, header)
            except (OSError, BadImage) as error:
                raise BadParameter(field, str(error)) from error
            if header.has_external_data:
                raise BadParameter(field, f"{current}: an external data file is refused")
            current = below
        raise BadParameter(field, f"the chain of {path} has more than {CHAIN_LIMIT} layers")
