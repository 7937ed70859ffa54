"""Image.upload and Image.download: the content of a volume goes to, or comes from, an HTTP address, as it is stored.

    upload      the volume is only read
    download    marked ILLEGAL ─> fetched, flushed ─> size and header checked ─> LEGAL

What comes from outside is looked at as an upload through tickets is (volumes/untrusted.py): it may name other files. A
download that fails, or whose content is refused, leaves the volume ILLEGAL, so that nothing opens it. The headers,
which may be an access token, are never written down: a transfer that a crash cut short is not gone on with.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ovis.node.errors import BadParameter
from ovis.node.storage import claims
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeFormat
from ovis.node.storage.images import curl
from ovis.node.storage.images.curl import Address, Direction
from ovis.node.storage.tasks.steps import Step, step
from ovis.node.storage.volumes import reading, sizes, untrusted
from ovis.node.storage.volumes.errors import NotWritable, TransferFailed
from ovis.node.storage.volumes.plan import Plan

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.tasks.steps import Work
    from ovis.node.storage.volumes.chain import Layer

_HEADERS: dict[str, Mapping[str, str]] = {}


@step("image.transfer")
@dataclass(frozen=True)
class Transfer(Step):
    """`headers`: under which name they are remembered by the agent that was asked."""

    domain: DomainId
    image: ImageId
    volume: VolumeId
    direction: Direction
    url: str
    headers: str

    async def do(self, work: Work) -> None:
        headers = _HEADERS.get(self.headers)
        if headers is None:
            raise TransferFailed(f"volume {self.volume}", "its transfer was cut short by a restart; begin it again")
        domain = await work.storage.domain(self.domain)
        layer = (await reading.image(domain, self.image)).chain(self.volume)[-1]
        address = Address(self.url, headers)
        async with work.storage.prepared.active(domain, [layer]) as paths:
            if self.direction is Direction.UPLOAD:
                await curl.send(paths[layer.id], address, on_percent=lambda now: work.progress(now, 100))
            else:
                await _receive(work, domain, layer, paths[layer.id], address)
        _HEADERS.pop(self.headers, None)

    async def undo(self, work: Work) -> None:
        _HEADERS.pop(self.headers, None)


async def plan(
    domain: Domain,
    image_id: ImageId,
    volume: VolumeId | None,
    direction: Direction,
    url: str,
    headers: Mapping[str, str],
) -> Plan:
    """`volume` None: the leaf. Raises NoSuchImage, BrokenChain, BadParameter, NotWritable."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(ord(letter) < 33 for letter in url):
        raise BadParameter("methodArgs.url", "is no HTTP address")
    for name, value in headers.items():
        if not (name + value).isprintable() or ":" in name or not name or name.startswith("@"):
            raise BadParameter("methodArgs.headers", "a header is one line NAME: VALUE")
    top = (await reading.image(domain, image_id)).chain(volume)[-1]
    if top.is_template and direction is Direction.DOWNLOAD:
        raise NotWritable(f"volume {top.id}", "is a template, on which others may build")
    key = str(uuid.uuid4())
    _HEADERS[key] = dict(headers)
    wanted = claims.image(domain.id, image_id, exclusive=direction is Direction.DOWNLOAD)
    return Plan((Transfer(domain.id, image_id, top.id, direction, url, key),), (wanted,))


async def _receive(work: Work, domain: Domain, layer: Layer, path: PurePosixPath, source: Address) -> None:
    """Raises TransferFailed, Untrusted; then the volume is ILLEGAL."""
    await _mark(domain, layer, Legality.ILLEGAL)
    layer = await with_room(domain, layer, path, source)
    limit = _limit(domain, layer)
    came = await curl.fetch(path, source, limit=limit, on_percent=lambda now: work.progress(now, 100))
    await _require_size(domain, layer, path, came)
    await untrusted.verify(domain, layer, path)
    await _mark(domain, layer, Legality.LEGAL)


async def with_room(domain: Domain, layer: Layer, path: PurePosixPath, source: Address) -> Layer:
    """The container of a thin volume on block storage is as large as what comes: as the server says, at most what the
    capacity can need, and all of that where it does not say. Raises NoSpace."""
    if not domain.is_block or layer.metadata.format is not VolumeFormat.COW:
        return layer
    most = sizes.largest(layer.metadata.capacity)
    coming = await curl.length(path, source) or most
    if min(coming, most) <= layer.stored.size:
        return layer
    size = await domain.store.resize(layer.image, layer.id, min(coming, most))
    await domain.store.activate(layer.image, layer.id)
    return replace(layer, stored=replace(layer.stored, size=size))


def _limit(domain: Domain, layer: Layer) -> int:
    """Bytes. On a logical volume, all of it: what was sent from one is rounded up to its extents."""
    if domain.is_block:
        return layer.stored.size
    if layer.metadata.format is VolumeFormat.RAW:
        return layer.metadata.capacity
    return sizes.largest(layer.metadata.capacity)


async def _require_size(domain: Domain, layer: Layer, path: PurePosixPath, came: int) -> None:
    if layer.metadata.format is VolumeFormat.RAW and came < layer.metadata.capacity:
        problem = f"only {came} bytes came, a raw volume of {layer.metadata.capacity} needs all of them"
        raise TransferFailed(str(path), problem)


async def _mark(domain: Domain, layer: Layer, legality: Legality) -> None:
    found = await domain.store.read(layer.image, layer.id)
    if found.legality is not legality:
        await domain.store.write(layer.image, layer.id, replace(found, legality=legality))
