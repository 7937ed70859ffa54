"""What a domain tells callers about itself: facts, room, files, and everything at once."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ovis.client import types
from ovis.node.errors import NodeError
from ovis.node.storage.domains.interface import Domain, DomainSpace
from ovis.node.storage.formats import lease_index, volume_tags
from ovis.node.storage.formats.domain_metadata import Role, StorageType
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.errors import FormatError
from ovis.node.storage.formats.identifiers import NOTHING, ImageId, VolumeId
from ovis.node.storage.formats.repository import ISO_IMAGE
from ovis.node.storage.formats.volume_metadata import Legality, VolumeMetadata
from ovis.node.storage.formats.volume_tags import Removal, Unfinished

if TYPE_CHECKING:
    from ovis.node.storage.domains.block_domain import BlockDomain
    from ovis.node.storage.storage import Storage
    from ovis.node.storage.volumes.store import StoredVolume

SHARED = types.StorageDomainType.SHAREDFS
"""The API's name of what is POSIXFS on disk."""


def api_type(kind: StorageType) -> types.StorageDomainType:
    return SHARED if kind is StorageType.POSIX else types.StorageDomainType(kind.value)


async def info(storage: Storage, domain: Domain) -> types.StorageDomainInfo:
    record = await domain.read_record()
    metadata = record.domain
    spm_id, lver, master_version = await _as_master(storage, record)
    devices = await _devices(domain)
    return types.StorageDomainInfo(
        alignment=metadata.geometry.alignment if metadata.version >= 5 else None,
        block_size=metadata.geometry.block_size if metadata.version >= 5 else None,
        class_=types.StorageDomainImageClass(metadata.domain_class.value),
        lver=lver,
        master_ver=master_version,
        metadata_device=devices.get("metadata"),
        name=metadata.description,
        pool=list(metadata.pools),
        role=types.StorageDomainRole(metadata.role.value),
        spm_id=spm_id,
        type=api_type(metadata.type),
        uuid=metadata.id,
        version=metadata.version,
        vg_metadata_device=devices.get("group"),
        remote_path=metadata.remote_path,
        state=devices.get("state"),
        vguuid=metadata.block.group_uuid if metadata.block else None,
    )


def stats(space: DomainSpace) -> types.StorageDomainStats:
    metadata_free = space.metadata_free or 0
    return types.StorageDomainStats(
        diskfree=space.free,
        disktotal=space.total,
        mdafree=metadata_free,
        mdasize=space.metadata_total or 0,
        mdathreshold=space.metadata_is_valid,
        mdavalid=True,
    )


async def images(domain: Domain) -> list[ImageId]:
    """Those that have a finished volume."""
    found = (await domain.store.volumes()).values()
    return sorted({stored.image for stored in found if _counts(stored)})


async def volumes(domain: Domain, image: ImageId | None) -> list[VolumeId]:
    return sorted(volume for volume, stored in (await domain.store.volumes(image)).items() if _counts(stored))


async def files(domain: Domain, pattern: str, *, case_sensitive: bool) -> dict[str, types.StorageDomainFileStats]:
    """The files of an ISO domain by name; folders below it are not looked into."""
    if domain.is_block:
        return {}
    try:
        tree = await domain.io.tree(domain.paths.image(ISO_IMAGE))
    except FileNotFoundError:
        return {}
    wanted = pattern if case_sensitive else pattern.lower()
    return {
        str(path): types.StorageDomainFileStats(size=found.size, ctime=found.modified, status=0)
        for path, found in tree.items()
        if found.kind == "file" and fnmatch.fnmatchcase(str(path) if case_sensitive else str(path).lower(), wanted)
    }


async def dump(storage: Storage, domain: Domain, *, full: bool = False) -> types.StorageDomainDump:
    """All that is on storage, broken parts too. `full`: with sanlock's records, as they lie there."""
    found: dict[str, types.VolumeDump] = {}
    slots = await _slots(domain)
    known = {volume: stored for volume, stored in (await domain.store.volumes()).items() if _counts(stored)}
    for volume, stored in known.items():
        found[volume] = await _volume(domain, volume, stored, slots.get(volume))
    told = types.StorageDomainDump(metadata=await info(storage, domain), volumes=found, xleases=await _xleases(domain))
    if not full or (await domain.read_record()).domain.type is StorageType.LOCAL:
        return told
    from ovis.node.storage.domains import lock_dump

    leases = await lock_dump.leases(domain, {volume: stored.image for volume, stored in known.items()})
    return replace(told, leases=leases, lockspace=await lock_dump.lockspace(domain))


async def _volume(domain: Domain, volume: VolumeId, stored: StoredVolume, slot: int | None) -> types.VolumeDump:
    try:
        metadata = await domain.store.read(stored.image, volume)
    except NodeError:  # whatever is wrong with it: the caller wants to see just that
        return types.VolumeDump(
            apparentsize=stored.size,
            truesize=stored.allocated,
            image=stored.image,
            mdslot=slot,
            status=types.VolumeStatus.INVALID,
        )
    return _told(metadata, stored, slot)


def _told(metadata: VolumeMetadata, stored: StoredVolume, slot: int | None) -> types.VolumeDump:
    is_illegal = metadata.legality is Legality.ILLEGAL
    return types.VolumeDump(
        apparentsize=stored.size,
        capacity=metadata.capacity,
        ctime=metadata.created,
        description=metadata.description,
        disktype=_disk_type(metadata),
        format=types.VolumeFormat(metadata.format.value),
        generation=metadata.generation,
        image=stored.image,
        legality=types.VolumeLegality(metadata.legality.value),
        mdslot=slot,
        parent=metadata.parent or NOTHING,
        status=types.VolumeStatus.ILLEGAL if is_illegal else types.VolumeStatus.OK,
        truesize=stored.allocated,
        type=types.VolumeAllocation(metadata.allocation.value),
        voltype=types.VolumeRole(metadata.role.value),
    )


def _disk_type(metadata: VolumeMetadata) -> types.DiskContentType | None:
    try:
        return types.DiskContentType(metadata.disk_type.value)
    except ValueError:  # a label of old writers, which the API has no word for
        return None


async def _xleases(domain: Domain) -> dict[str, types.XleaseDump] | None:
    record = await domain.read_record()
    if domain.version < 4 or record.domain.type is StorageType.LOCAL:
        return None
    geometry = domain.lockspace.geometry
    place = domain.special("xleases").path
    try:
        data = await domain.io.read(place, offset=geometry.index_offset, size=lease_index.SIZE, direct=True)
        index = lease_index.read(data, geometry)
    except (FormatError, OSError):
        return None
    return {
        found.lease: types.XleaseDump(offset=geometry.external_offset(number), updating=found.updating)
        for number, found in enumerate(index.records)
        if isinstance(found, lease_index.Record)
    }


async def _as_master(storage: Storage, record: DomainRecord) -> tuple[int, int, int]:
    """SPM's host id and lease version, of the master of the pool that this host is in; version of every master."""
    if record.pool is None or record.domain.role is not Role.MASTER:
        return -1, -1, 0
    pool = storage.pools.joined
    if pool is None or pool.membership.master != record.domain.id:
        return -1, -1, record.pool.master_version
    status = await pool.spm.status()
    return status.spm_id, status.spm_lver, record.pool.master_version


async def _devices(domain: Domain) -> dict[str, str]:
    """Of a block domain: which disks carry its `metadata` and LVM's own, and whether all are there."""
    if not domain.is_block:
        return {}
    from ovis.node.storage.lvm.groups import metadata_device

    group = await _block(domain).group()
    first = metadata_device(group).guid
    return {"metadata": first, "group": first, "state": "PARTIAL" if group.missing_devices else "OK"}


async def _slots(domain: Domain) -> dict[VolumeId, int]:
    if not domain.is_block:
        return {}
    slots: dict[VolumeId, int] = {}
    for name, logical in (await _block(domain).group()).volumes.items():
        try:
            tags = volume_tags.read(logical.tags)
        except FormatError:
            continue
        if not isinstance(tags, Unfinished):
            slots[VolumeId(name)] = tags.slot
    return slots


def _counts(stored: StoredVolume) -> bool:
    return not stored.is_unfinished and stored.removal is Removal.NONE


def _block(domain: Domain) -> BlockDomain:
    from ovis.node.storage.domains.block_domain import BlockDomain

    assert isinstance(domain, BlockDomain)
    return domain
