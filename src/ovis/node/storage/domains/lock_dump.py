"""What lies on a domain of sanlock: the leases of the SPM and of volumes, and the hosts in the lockspace.

Read past sanlock, so it is told also where sanlock does not run; a record that cannot be read is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from ovis.client.types import LeaseDump
from ovis.node.errors import NodeError
from ovis.node.storage.domains.alone import sdm
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats import sanlock_records
from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.sanlock_records import SanlockRecord
from ovis.node.storage.volumes.store import LeasePlace

READ_BYTES = 4096
"""Of one record: a direct read needs a whole block of any size that sanlock uses."""
MOST_HOSTS = 2000


async def leases(domain: Domain, volumes: Mapping[VolumeId, ImageId]) -> list[LeaseDump]:
    """The SPM's first, then those of `volumes`."""
    places = [sdm(domain).place]
    for volume, image in volumes.items():
        try:
            places.append(await domain.store.lease(image, volume))
        except (NodeError, OSError):
            continue  # its metadata are broken, or it went away meanwhile
    found = [(place, await _record(domain, place)) for place in places]
    return [_told(record, place.offset) for place, record in found if record is not None]


async def lockspace(domain: Domain) -> list[LeaseDump]:
    """Of hosts that were ever in it."""
    place, block = domain.lockspace.place, domain.lockspace.geometry.block_size
    hosts = min(domain.lockspace.geometry.max_hosts, MOST_HOSTS)
    data = await _read(domain, place, hosts * block)
    told = []
    for offset in range(0, len(data), block):
        record = sanlock_records.read(data[offset : offset + block])
        if record is not None and (record.timestamp or record.generation):
            told.append(_told(record, offset))
    return told


async def _record(domain: Domain, place: LeasePlace) -> SanlockRecord | None:
    return sanlock_records.read(await _read(domain, place, READ_BYTES))


async def _read(domain: Domain, place: LeasePlace, size: int) -> bytes:
    whole = -(-size // READ_BYTES) * READ_BYTES
    try:
        data = await domain.io.read(place.path, offset=place.offset, size=whole, direct=True)
    except (NodeError, OSError):
        return b""
    return data[:size]


def _told(record: SanlockRecord, offset: int) -> LeaseDump:
    return LeaseDump(
        gen=record.generation,
        lockspace=record.lockspace,
        lver=record.version,
        offset=offset,
        own=record.owner,
        resource=record.name,
        timestamp=record.timestamp,
    )
