"""What an upgrade changes on a block domain (upgrading.py has the order)."""

from __future__ import annotations

from ovis.node.privileged.devices import OwnDevice, ZeroDevice
from ovis.node.storage.domains import block_layout
from ovis.node.storage.domains.block_domain import BlockDomain
from ovis.node.storage.errors import NoSpace
from ovis.node.storage.formats import lease_index, volume_metadata, volume_tags
from ovis.node.storage.formats.identifiers import VolumeId
from ovis.node.storage.formats.volume_metadata import SLOTS, VolumeMetadata
from ovis.node.storage.formats.volume_tags import Unfinished
from ovis.node.storage.lvm import logical_volumes

XLEASES = "xleases"


async def make_xleases(domain: BlockDomain) -> None:
    """With an empty index. What an earlier try left is made again: nothing uses it before the domain is upgraded."""
    host, geometry = domain.host, domain.lockspace.geometry
    special = next(found for found in block_layout.specials(4, geometry) if found.name == XLEASES)
    async with host.lvm.changing(domain.id):
        if XLEASES in (await domain.group()).volumes:
            await logical_volumes.activate(host.lvm, domain.id, [XLEASES])
        else:
            try:
                await logical_volumes.create(host.lvm, domain.id, XLEASES, special.size)
            except logical_volumes.GroupFull as error:
                raise NoSpace(domain.id, special.size) from error
    path = logical_volumes.path(host.lvm, domain.id, XLEASES)
    await host.root.call(ZeroDevice(path=str(path), length=special.zeroed))
    await host.root.call(OwnDevice(path=str(path)))
    index = lease_index.write(lease_index.new(domain.id, 0, geometry, updating=False))
    await domain.io.write(path, index, offset=geometry.index_offset, direct=True)


async def write_new_slot(domain: BlockDomain, volume: VolumeId, metadata: VolumeMetadata) -> None:
    """Where version 5 looks for it. The slots of version 4 lie elsewhere and stay."""
    tags = volume_tags.read((await domain.group()).volumes[volume].tags)
    assert not isinstance(tags, Unfinished)
    data = volume_metadata.write_slot(metadata, 5).ljust(SLOTS[5].size, b"\0")
    place = domain.special(block_layout.METADATA)
    await domain.io.write(place.path, data, offset=SLOTS[5].offset(tags.slot), direct=True)
