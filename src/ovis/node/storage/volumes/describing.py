"""What callers are told of a volume."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ovis.client.types import (
    DiskContentType,
    Qcow2BitmapInfo,
    Qcow2BitmapInfoFlags,
    Qcow2Compat,
    QemuImageFormat,
    QemuImageInfo,
    VolumeAllocation,
    VolumeFormat,
    VolumeInfoResponse,
    VolumeLeaseStatus,
    VolumeLegality,
    VolumeRole,
    VolumeSizeInfo,
    VolumeStatus,
)
from ovis.node.errors import NodeError
from ovis.node.storage.errors import NoSuchVolume
from ovis.node.storage.formats.errors import FormatError
from ovis.node.storage.formats.identifiers import NOTHING, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import DiskType, Legality, VolumeMetadata
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.volumes import making, reading
from ovis.node.storage.volumes.image_info import ImageInfo

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain

log = logging.getLogger(__name__)

OLD_LABELS = {DiskType.OLD_CONVERTED: DiskType.DATA, DiskType.OLD_DATA: DiskType.DATA}


async def describe(domain: Domain, image: ImageId, volume: VolumeId) -> VolumeInfoResponse:
    """Unusable metadata are no error: status INVALID and the sizes. Raises NoSuchVolume."""
    try:
        layer = await reading.layer(domain, image, volume)
    except FormatError as error:
        log.warning("volume %s of storage domain %s: %s", volume, domain.id, error)
        size = await measure(domain, image, volume)
        return VolumeInfoResponse(
            apparentsize=size.apparentsize, truesize=size.truesize, children=[], status=VolumeStatus.INVALID
        )
    metadata, stored = layer.metadata, layer.stored
    allocation = VolumeAllocation(metadata.allocation.value)
    return VolumeInfoResponse(
        uuid=volume,
        domain=domain.id,
        image=image,
        pool="",
        parent=metadata.parent or NOTHING,
        children=[],
        capacity=metadata.capacity,
        apparentsize=stored.size,
        truesize=stored.allocated,
        ctime=metadata.created,
        mtime=0,
        description=metadata.description,
        disktype=disk_type(metadata),
        format=VolumeFormat(metadata.format.value),
        type=allocation,
        alloc_type=allocation,
        voltype=VolumeRole(metadata.role.value),
        legality=VolumeLegality(metadata.legality.value),
        generation=metadata.generation,
        status=VolumeStatus.OK if metadata.legality is not Legality.ILLEGAL else VolumeStatus.ILLEGAL,
        lease=await _lease(domain, layer.image, volume),
    )


async def measure(domain: Domain, image: ImageId, volume: VolumeId) -> VolumeSizeInfo:
    """Raises NoSuchVolume."""
    stored = (await domain.store.volumes(image)).get(volume)
    if stored is None or stored.is_unfinished or stored.removal is not Removal.NONE:
        raise NoSuchVolume(domain.id, image, volume)
    return VolumeSizeInfo(apparentsize=stored.size, truesize=stored.allocated)


def qemu_info(info: ImageInfo) -> QemuImageInfo:
    return QemuImageInfo(
        format=QemuImageFormat(info.format),
        virtualsize=info.virtual_size,
        backingfile=info.backing_filename,
        clustersize=info.cluster_size if info.format == "qcow2" else None,
        compat=Qcow2Compat(info.compat) if info.compat else None,
        bitmaps=[
            Qcow2BitmapInfo(
                name=found.name,
                granularity=found.granularity,
                flags=[Qcow2BitmapInfoFlags(flag) for flag in found.flags],
            )
            for found in info.bitmaps
        ]
        or None,
    )


def disk_type(metadata: VolumeMetadata) -> DiskContentType:
    """Labels of long ago meant data."""
    return DiskContentType(OLD_LABELS.get(metadata.disk_type, metadata.disk_type).value)


async def _lease(domain: Domain, image: ImageId, volume: VolumeId) -> VolumeLeaseStatus | None:
    """None where it cannot be read: what is known of the volume is told all the same."""
    try:
        lease = await making.lease(domain, image, volume)
        owner = await domain.locks.owner(lease)
    except (NodeError, OSError) as error:
        log.info("the lease of volume %s of storage domain %s cannot be read: %s", volume, domain.id, error)
        return None
    return VolumeLeaseStatus(
        path=str(lease.place.path),
        offset=lease.place.offset,
        owners=[] if owner is None else [owner.host_id],
        version=None if owner is None else owner.version,
    )
