"""Making a domain of a volume group, and unmaking it.

    LVMVolumeGroup.create                 the group, empty, tagged RHAT_storage_domain_UNREADY
    create   1. lvcreate                  the domain's own volumes
             2. zeros, lockspace, SPM lease, master file system
             3. vgchange                  in one commit the tag goes, RHAT_storage_domain and the metadata come

Until step 3 nobody takes the group for a domain; a creation that was cut short is begun again, or the group is removed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from ovis.node.errors import NodeError
from ovis.node.privileged.devices import MakeMaster, OwnDevice, ReadDevice, ZeroDevice
from ovis.node.privileged.protocol import CommandResult
from ovis.node.storage.domains import block_layout
from ovis.node.storage.domains.block_domain import BlockDomain, BlockHost
from ovis.node.storage.errors import DomainExists, NoSpace, StorageError
from ovis.node.storage.formats import domain_record
from ovis.node.storage.formats.domain_metadata import BlockKeys, Device, DomainMetadata
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.group_tags import READY, UNREADY, GroupState, TagChange, state
from ovis.node.storage.formats.sanlock_areas import BLOCK_512, SDM_RESOURCE
from ovis.node.storage.formats.volume_tags import SPECIAL
from ovis.node.storage.leases.external import FIRST_VERSION, ExternalLeases
from ovis.node.storage.leases.interface import Resource
from ovis.node.storage.lvm import groups, logical_volumes
from ovis.node.storage.lvm.errors import WrongBlockSize
from ovis.node.storage.lvm.reports import Group
from ovis.node.storage.volumes.store import LeasePlace

log = logging.getLogger(__name__)

ZERO_SECONDS = 600.0


class GroupNotReady(StorageError):
    """The group is not one that was made for a domain, or it is used for something else."""

    wire_name = "VolumeGroupActionError"

    def __init__(self, group: str, problem: str) -> None:
        super().__init__(f"no domain can be made of volume group {group}: {problem}")
        self.group = group


class MasterNotMade(StorageError):
    wire_name = "MkfsError"

    def __init__(self, domain: str, what: str, complaint: str) -> None:
        super().__init__(f"domain {domain}: {what} failed: {complaint}")
        self.domain = domain


async def create_block_domain(host: BlockHost, metadata: DomainMetadata) -> BlockDomain:
    """A new domain, open on this host, with the lockspace and the SPM's lease formatted. `metadata` without `block`.

    After a failure the group is empty and unready as before. Safe to repeat after a crash.
    Raises DomainExists, GroupNotReady, NoSuchGroup, WrongBlockSize, NoSpace, LvmFailed.
    """
    group = await host.memory.read(metadata.id)
    _check(group)
    blocks = await _block_sizes(host, group)
    await _clean(host, group)
    domain = BlockDomain(host, metadata.id, metadata.version, metadata.geometry)
    try:
        await _fill(domain)
        block = BlockKeys(
            group_uuid=group.uuid,
            devices=mapping(group),
            logical_block_size=blocks[0] if metadata.version < 5 else None,
            physical_block_size=blocks[1] if metadata.version < 5 else None,
        )
        await _finish(domain, DomainRecord(replace(metadata, block=block)))
        await logical_volumes.deactivate(host.lvm, domain.id, [block_layout.MASTER])
        await domain.link()
    except BaseException:
        await _undo(domain)
        raise
    return domain


async def remove_block_domain(host: BlockHost, domain: BlockDomain) -> None:
    """The group with all that is in it. First it stops being a domain, so that a removal cut short is seen as one."""
    async with host.lvm.changing(domain.id):
        tags = (await domain.group()).tags
        change = TagChange(remove=(READY,) if READY in tags else (), add=() if UNREADY in tags else (UNREADY,))
        await groups.change_tags(host.lvm, domain.id, change)
    await domain.close()
    await groups.remove(host.lvm, domain.id)


def mapping(group: Group, before: Sequence[Device] = ()) -> tuple[Device, ...]:
    """The disks as the record lists them: those of `before` in their order, then the others; `first_extent` is of the
    disk and always 0, `map_offset` counts through all of them."""
    order = {device.uuid: place for place, device in enumerate(before)}
    mapped: list[Device] = []
    offset = 0
    first = groups.metadata_device(group).uuid
    for member in sorted(group.devices, key=lambda d: (order.get(d.uuid, len(order)), d.uuid != first)):
        mapped.append(Device(member.guid, member.uuid, 0, member.extents, offset))
        offset += member.extents
    return tuple(mapped)


def _check(group: Group) -> None:
    match state(group.tags):
        case GroupState.READY:
            raise DomainExists(group.name, "its volume group is a finished domain")
        case GroupState.FOREIGN:
            raise GroupNotReady(group.name, f"it has no tag {UNREADY}")
    if strange := sorted(group.volumes.keys() - SPECIAL):
        raise GroupNotReady(group.name, f"it has volumes that are no domain's: {', '.join(strange[:5])}")
    if group.missing_devices:
        raise GroupNotReady(group.name, f"{group.missing_devices} of its disks are missing")


async def _block_sizes(host: BlockHost, group: Group) -> tuple[int, int]:
    """Logical and physical, of the first disk. Raises WrongBlockSize."""
    facts = [await host.root.call(ReadDevice(path=device.name)) for device in group.devices]
    for device, fact in zip(group.devices, facts, strict=True):
        if fact.logical_block != BLOCK_512:
            raise WrongBlockSize(device.name, fact.logical_block, fact.physical_block)
    return facts[0].logical_block, facts[0].physical_block


async def _clean(host: BlockHost, group: Group) -> None:
    """What an earlier try left."""
    if group.volumes:
        async with host.lvm.changing(group.name):
            await logical_volumes.remove(host.lvm, group.name, sorted(group.volumes))


async def _fill(domain: BlockDomain) -> None:
    lvm, root, geometry = domain.host.lvm, domain.host.root, domain.lockspace.geometry
    for special in block_layout.specials(domain.version, geometry):
        async with lvm.changing(domain.id):
            try:
                path = await logical_volumes.create(lvm, domain.id, special.name, special.size)
            except logical_volumes.GroupFull as error:
                raise NoSpace(domain.id, special.size) from error
        if special.zeroed:
            zeroed = await root.call(ZeroDevice(path=str(path), length=special.zeroed), seconds=ZERO_SECONDS)
            _check_done(domain, f"zeroing {special.name}", zeroed)
        await root.call(OwnDevice(path=str(path)))
    master = logical_volumes.path(lvm, domain.id, block_layout.MASTER)
    _check_done(domain, "making its master file system", await root.call(MakeMaster(path=str(master))))
    await domain.locks.format_lockspace(domain.lockspace)
    place = LeasePlace(domain.special("leases").path, geometry.sdm_offset)
    await domain.locks.format_resource(Resource(domain.lockspace, SDM_RESOURCE, place))
    if domain.version >= FIRST_VERSION:
        await ExternalLeases(domain).format(0)


def _check_done(domain: BlockDomain, what: str, result: CommandResult) -> None:
    if not result.ok:
        raise MasterNotMade(domain.id, what, result.complaint)


async def _finish(domain: BlockDomain, record: DomainRecord) -> None:
    async with domain.host.lvm.changing(domain.id):
        change = domain_record.write_tags((await domain.group()).tags, record)
        change = TagChange(remove=(*change.remove, UNREADY), add=(*change.add, READY))
        await groups.change_tags(domain.host.lvm, domain.id, change)


async def _undo(domain: BlockDomain) -> None:
    """Back to an empty, unready group; once it is a domain, it stays one."""
    await domain.close()
    try:
        group = await domain.host.memory.read(domain.id)
        if state(group.tags) is GroupState.UNREADY:
            await _clean(domain.host, group)
    except NodeError as error:
        log.warning("what was made of domain %s stays in its volume group: %s", domain.id, error)


def device_path(name: str) -> PurePosixPath:
    """Of a disk as the API names it: the identifier of a multipath map, or a path."""
    return PurePosixPath("/dev/mapper") / name
