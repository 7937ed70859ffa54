"""Bringing a domain to a newer version: 3 to 4, 3 to 5, 4 to 5. There is no way back.

    1  what only the new version has is made: `xleases` (from 4 on)
    2  to 5: the metadata of every volume get the new form where a reader of the new version looks
         file     <volume>.meta with CAP and SIZE both: readers of either version understand it
         block    the slots of version 5, which lie beside those of version 4 in `metadata`
    3  the domain's record says the new version, in one write: from here on it is one

A crash before 3 leaves a domain of the old version, and the upgrade is begun again; all before may be repeated.
The host holds the domain's SDM lease, so no volume is made or changed meanwhile.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.node.storage.domains.alone import held_alone
from ovis.node.storage.formats import lease_index, volume_metadata
from ovis.node.storage.formats.domain_metadata import VERSIONS, BlockKeys, DomainMetadata, StorageType
from ovis.node.storage.formats.errors import FormatError, TooLong
from ovis.node.storage.formats.repository import METADATA_MODE
from ovis.node.storage.formats.sanlock_areas import BLOCK_512
from ovis.node.storage.formats.volume_metadata import VolumeMetadata
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.pool.errors import PoolError, VersionNotServed, VersionTooHigh

if TYPE_CHECKING:
    from ovis.node.storage.domains.block_domain import BlockDomain
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)


class NotConvertible(PoolError):
    wire_name = "MetaDataValidationError"

    def __init__(self, domain: str, problem: str) -> None:
        super().__init__(f"storage domain {domain} keeps its version: {problem}")


async def upgrade(storage: Storage, domain: Domain, version: int, *, host_id: int, is_held: bool = False) -> None:
    """`is_held`: this host is SPM and this is the master. Safe to repeat; the domain has to be opened anew after it.

    Raises VersionNotServed, VersionTooHigh, NotConvertible, LeaseError.
    """
    if version not in VERSIONS:
        raise VersionNotServed(version)
    if domain.version == version:
        return
    if domain.version > version:
        raise VersionTooHigh(f"storage domain {domain.id}", domain.version, version)
    if is_held:
        await _upgrade(domain, version)
    else:
        async with held_alone(domain, host_id):
            await _upgrade(domain, version)
    log.info("storage domain %s: version %d in place of %d", domain.id, version, domain.version)


async def _upgrade(domain: Domain, version: int) -> None:
    record = await domain.read_record()
    if record.domain.version >= version:
        return
    if record.domain.version < 4 and record.domain.type is not StorageType.LOCAL:
        await _make_xleases(domain)
    if version >= 5:
        await _convert_volumes(domain)
    await domain.write_record(replace(record, domain=_converted(record.domain, version)))


def _converted(metadata: DomainMetadata, version: int) -> DomainMetadata:
    block = metadata.block
    if block is not None and version >= 5:
        block = BlockKeys(block.group_uuid, block.devices)
    return replace(metadata, version=version, block=block)


async def _make_xleases(domain: Domain) -> None:
    """With an empty index; nothing uses it before the domain says that it is of the new version."""
    if domain.is_block:
        from ovis.node.storage.domains import block_upgrading

        await block_upgrading.make_xleases(_block(domain))
        return
    geometry = domain.lockspace.geometry
    with suppress(FileExistsError):
        await domain.io.create(domain.paths.special("xleases"), mode=METADATA_MODE)
    index = lease_index.write(lease_index.new(domain.id, 0, geometry, updating=False))
    await domain.io.write(domain.paths.special("xleases"), index, offset=geometry.index_offset, direct=True)


async def _convert_volumes(domain: Domain) -> None:
    for volume, stored in (await domain.store.volumes()).items():
        if stored.is_unfinished or stored.removal is not Removal.NONE:
            continue  # never read again
        try:
            metadata = await domain.store.read(stored.image, volume)
        except FormatError as error:
            # It would be lost for good behind the conversion; a human looks at it first.
            raise NotConvertible(domain.id, f"the metadata of volume {volume} cannot be read: {error}") from error
        if domain.is_block:
            from ovis.node.storage.domains import block_upgrading

            await block_upgrading.write_new_slot(_block(domain), volume, metadata)
        else:
            path = domain.paths.volume_metadata(stored.image, volume)
            await domain.io.replace(path, both_forms(metadata), mode=METADATA_MODE)


def both_forms(metadata: VolumeMetadata) -> bytes:
    """A .meta file that readers of version 4 and 5 both take. Raises TooLong: the description has to be shortened."""
    lines = volume_metadata.write(metadata, 5).decode().splitlines()
    pairs = sorted([*lines[:-1], f"SIZE={metadata.capacity // BLOCK_512}", "MTIME=0"])
    data = "".join(f"{pair}\n" for pair in pairs).encode() + b"EOF\n"
    if len(data) > volume_metadata.LIMIT:
        raise TooLong(volume_metadata.WHAT, "DESCRIPTION", f"{len(data)} bytes in all while it is converted")
    return data


def _block(domain: Domain) -> BlockDomain:
    from ovis.node.storage.domains.block_domain import BlockDomain

    assert isinstance(domain, BlockDomain)
    return domain
