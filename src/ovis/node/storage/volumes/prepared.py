"""Which volumes this host has in use, and by whom: the reference counts of activation.

    <run>/prepared/<domain>/<holder>        JSON: the volumes it holds, and the image whose links it wants
    /run/vdsm/storage/<domain>/<image>      file domain: a link to the image's folder
    /run/vdsm/storage/<domain>/<image>/     block domain: a folder with a link to the device of each volume of the chain
    <domain>/images/<image>                 block domain: a link to that folder, so that both kinds have the same paths

A volume stays active as long as one record names it: two disks on one template, a VM and a copy. The record is written
before the first activation and goes after the last deactivation, so whatever a dead agent left is known to the next.
Everything here lies in memory file systems and is gone after a boot, as the activations are. A holder that is work of
an agent (`work-...`) ends with that agent: the next one lets go of it at the first touch of the domain.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from ovis.node.errors import NodeError
from ovis.node.storage.errors import NoSuchVolume
from ovis.node.storage.formats.identifiers import NOTHING, DomainId, ImageId, VolumeId
from ovis.node.storage.formats.repository import Repository
from ovis.node.storage.volumes import reading

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.volumes.chain import Layer

log = logging.getLogger(__name__)

_HOLDER = re.compile(r"[a-z0-9][a-z0-9-]{0,120}", re.ASCII)
_WORK = "work-"


class Record(msgspec.Struct, frozen=True):
    """`agent`: of work, the run of the agent that it belongs to."""

    volumes: tuple[tuple[ImageId, VolumeId], ...]
    links: ImageId | None = None
    agent: str | None = None


def of_image(image: ImageId) -> str:
    """The holder that callers of the API are: preparing twice is preparing once."""
    return f"image-{image}"


class Prepared:
    def __init__(self, repository: Repository, folder: Path) -> None:
        self._repository = repository
        self._folder = folder
        self._agent = uuid.uuid4().hex
        self._locks: dict[DomainId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._cleaned: set[DomainId] = set()

    async def prepare(
        self,
        domain: Domain,
        image_id: ImageId,
        top: VolumeId | None = None,
        *,
        holder: str = "",
        allow_illegal: bool = False,
    ) -> PurePosixPath:
        """Make the chain up to `top` (None: the leaf) usable; the path of `top`. Safe to repeat.

        Raises NoSuchImage, BrokenChain, IllegalVolume; then nothing stays active that was not before.
        """
        image = await reading.image(domain, image_id)
        if top is not None and top not in image.layers and top not in image.unreadable:
            raise NoSuchVolume(domain.id, image_id, top)
        chain = image.chain(top)
        if not allow_illegal:
            image.require_legal(chain)
        holder = holder or of_image(image_id)
        async with self._alone(domain):
            before = self._read(domain.id, holder)
            await self._hold(domain, holder, chain, links=image_id)
            if before is not None:  # another chain of the image was prepared, and is not any more
                await self._let_go(domain, (pair for pair in before.volumes if not self._is_held(domain.id, pair)))
        return domain.paths.volume(image_id, chain[-1].id)

    async def tear_down(self, domain: Domain, image_id: ImageId, *, holder: str = "") -> None:
        """Let go of the image's volumes; those that nobody else holds are deactivated. Safe to repeat."""
        async with self._alone(domain):
            await self._release(domain, holder or of_image(image_id))

    async def tear_down_volume(self, domain: Domain, image_id: ImageId, volume: VolumeId) -> None:
        """Let go of one volume of what callers of the API have prepared, and of no other. Safe to repeat."""
        holder = of_image(image_id)
        async with self._alone(domain):
            record = self._read(domain.id, holder)
            if record is None:
                return
            left = tuple(pair for pair in record.volumes if pair[1] != volume)
            if left:
                self._write(domain.id, holder, msgspec.structs.replace(record, volumes=left))
                if domain.is_block:
                    (Path(self._repository.image_in_use(domain.id, image_id)) / volume).unlink(missing_ok=True)
                pairs = [pair for pair in record.volumes if pair[1] == volume]
                await self._let_go(domain, (pair for pair in pairs if not self._is_held(domain.id, pair)))
            else:
                await self._release(domain, holder)

    @asynccontextmanager
    async def active(self, domain: Domain, layers: Iterable[Layer]) -> AsyncIterator[Mapping[VolumeId, PurePosixPath]]:
        """The paths of volumes for a work of this agent, which ends with it."""
        holder = f"{_WORK}{uuid.uuid4()}"
        async with self._alone(domain):
            paths = await self._hold(domain, holder, tuple(layers), links=None)
        try:
            yield paths
        finally:
            async with self._alone(domain):
                await self._release(domain, holder)

    async def recover(self, domain: Domain) -> None:
        """At the first opening of a domain, when nobody works on it: what an earlier agent held, or was just making,
        is let go of. What something else has open stays active."""
        async with self._alone(domain):
            held = {volume for _, record in self._records(domain.id) for _, volume in record.volumes}
            for volume in sorted(set(await domain.store.active()) - held):
                log.info("storage domain %s: volume %s is active, and nobody uses it", domain.id, volume)
                try:
                    await domain.store.deactivate(ImageId(NOTHING), volume)
                except (NodeError, OSError) as error:
                    log.warning("storage domain %s: volume %s stays active: %s", domain.id, volume, error)

    def is_prepared(self, domain: DomainId, volume: VolumeId) -> bool:
        """Whether anybody holds the volume on this host."""
        return any(volume == held for _, record in self._records(domain) for _, held in record.volumes)

    def holders(self) -> Iterator[tuple[DomainId, str, Record]]:
        """Domain, name and record of all holders on this host."""
        for folder in sorted(self._folder.iterdir()) if self._folder.exists() else ():
            for holder, record in list(self._records(DomainId(folder.name))):
                yield DomainId(folder.name), holder, record

    @asynccontextmanager
    async def _alone(self, domain: Domain) -> AsyncIterator[None]:
        async with self._locks[domain.id]:
            if domain.id not in self._cleaned:
                for holder, record in self._records(domain.id):
                    if record.agent not in (None, self._agent):
                        log.info("storage domain %s: letting go of what an earlier agent held (%s)", domain.id, holder)
                        await self._release_quietly(domain, holder)
                self._cleaned.add(domain.id)
            yield

    async def _hold(
        self, domain: Domain, holder: str, chain: tuple[Layer, ...], *, links: ImageId | None
    ) -> dict[VolumeId, PurePosixPath]:
        agent = self._agent if holder.startswith(_WORK) else None
        pairs = tuple((layer.image, layer.id) for layer in chain)
        was_new = self._read(domain.id, holder) is None
        self._write(domain.id, holder, Record(pairs, links, agent))
        paths: dict[VolumeId, PurePosixPath] = {}
        try:
            for layer in chain:
                # a merge writes into volumes inside the chain; a template is never written
                paths[layer.id] = await domain.store.activate(layer.image, layer.id, writable=not layer.is_template)
            if links is not None:
                self._link(domain, links, paths)
        except BaseException:
            if was_new:
                with contextlib.suppress(OSError):
                    await self._release(domain, holder)
            raise
        return paths

    async def _release(self, domain: Domain, holder: str) -> None:
        record = self._read(domain.id, holder)
        if record is None:
            return
        if record.links is not None and not self._others_link(domain.id, holder, record.links):
            self._unlink(domain, record.links)
        free = [pair for pair in record.volumes if not self._is_held(domain.id, pair, apart_from=holder)]
        await self._let_go(domain, reversed(free))
        self._path(domain.id, holder).unlink(missing_ok=True)

    async def _release_quietly(self, domain: Domain, holder: str) -> None:
        """Others are not kept waiting for what a dead agent's programs still have open."""
        try:
            await self._release(domain, holder)
        except (NodeError, OSError) as error:
            log.warning("storage domain %s: what %s held stays active: %s", domain.id, holder, error)

    async def _let_go(self, domain: Domain, pairs: Iterable[tuple[ImageId, VolumeId]]) -> None:
        for image, volume in pairs:
            with contextlib.suppress(NoSuchVolume):  # deleted since
                await domain.store.deactivate(image, volume)

    def _is_held(self, domain: DomainId, pair: tuple[ImageId, VolumeId], *, apart_from: str = "") -> bool:
        # by the volume alone: a template is held under its own image and under those that build on it
        return any(
            pair[1] == volume
            for holder, record in self._records(domain)
            if holder != apart_from
            for _, volume in record.volumes
        )

    def _others_link(self, domain: DomainId, holder: str, image: ImageId) -> bool:
        return any(other != holder and record.links == image for other, record in self._records(domain))

    def _link(self, domain: Domain, image: ImageId, paths: Mapping[VolumeId, PurePosixPath]) -> None:
        in_use = Path(self._repository.image_in_use(domain.id, image))
        in_use.parent.mkdir(parents=True, exist_ok=True)
        if not domain.is_block:
            _point(in_use, domain.paths.image(image))
            return
        in_use.mkdir(exist_ok=True)
        for volume, path in paths.items():
            _point(in_use / volume, path)
        Path(domain.paths.images).mkdir(parents=True, exist_ok=True)
        _point(Path(domain.paths.image(image)), PurePosixPath(in_use))

    def _unlink(self, domain: Domain, image: ImageId) -> None:
        in_use = Path(self._repository.image_in_use(domain.id, image))
        if domain.is_block:
            Path(domain.paths.image(image)).unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                for link in in_use.iterdir():
                    link.unlink(missing_ok=True)
                in_use.rmdir()
        else:
            in_use.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            in_use.parent.rmdir()  # the last image of the domain

    def _path(self, domain: DomainId, holder: str) -> Path:
        if not _HOLDER.fullmatch(holder):
            raise ValueError(f"{holder!r} is no name of a holder")
        return self._folder / domain / holder

    def _read(self, domain: DomainId, holder: str) -> Record | None:
        try:
            return msgspec.json.decode(self._path(domain, holder).read_bytes(), type=Record)
        except FileNotFoundError:
            return None

    def _write(self, domain: DomainId, holder: str, record: Record) -> None:
        path = self._path(domain, holder)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{holder}.new")
        fresh.write_bytes(msgspec.json.encode(record))
        fresh.replace(path)

    def _records(self, domain: DomainId) -> Iterator[tuple[str, Record]]:
        try:
            names = sorted(os.listdir(self._folder / domain))
        except FileNotFoundError:
            return
        for name in names:
            if _HOLDER.fullmatch(name):
                record = self._read(domain, name)
                if record is not None:
                    yield name, record


def _point(link: Path, target: PurePosixPath) -> None:
    """Make or change a link; at any moment the old or the new one is there."""
    with contextlib.suppress(OSError):
        if os.readlink(link) == str(target):
            return
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
