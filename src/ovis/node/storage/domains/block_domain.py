"""A storage domain that is an LVM volume group.

    volume group <domain id>
      tags             the domain's metadata                                          formats/group_tags
      logical volumes  its own seven (block_layout), and the volumes of its images    volumes/block_store

    on a host that has it open
      /dev/<domain id>/{metadata,ids,leases,xleases,inbox,outbox}      active
      <repository>/mnt/blockSD/<domain id>/dom_md/<name>               links to them
      <repository>/mnt/blockSD/<domain id>/{images,master}             folders; the SPM mounts the master there

Any host may read and activate; only the SPM changes the group (and with it the record), since LVM itself knows nothing
of other hosts here.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ovis.node.privileged import mount_table
from ovis.node.privileged.client import Root
from ovis.node.privileged.devices import CheckMaster, OwnDevice
from ovis.node.privileged.mounts import Mount, Unmount
from ovis.node.storage.domains import block_layout
from ovis.node.storage.domains.interface import DomainSpace
from ovis.node.storage.errors import NoSuchDomain, StorageError
from ovis.node.storage.formats import domain_record, group_tags
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.group_tags import GroupState
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.repository import DomainPaths, Repository
from ovis.node.storage.formats.sanlock_areas import MIB, Geometry
from ovis.node.storage.io.interface import FileIo
from ovis.node.storage.leases.interface import Locks, Lockspace
from ovis.node.storage.lvm import groups, logical_volumes
from ovis.node.storage.lvm.errors import LvmFailed, NoSuchGroup
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.memory import GroupMemory
from ovis.node.storage.lvm.reports import Group
from ovis.node.storage.volumes.block_store import BlockStore
from ovis.node.storage.volumes.store import LeasePlace

log = logging.getLogger(__name__)

LEAST_METADATA_FREE = MIB
"""Of the group's own metadata area. A volume takes some 600 bytes of its text: room for 1,700 more."""
FSCK_FAILED = 4


class MasterBroken(StorageError):
    wire_name = "BlockStorageDomainMasterFSCKError"

    def __init__(self, domain: str, complaint: str) -> None:
        super().__init__(f"the master file system of domain {domain} cannot be mended; it is not mounted: {complaint}")
        self.domain = domain


class MasterNotMounted(StorageError):
    wire_name = "BlockStorageDomainMasterMountError"

    def __init__(self, domain: str, complaint: str) -> None:
        super().__init__(f"the master file system of domain {domain} cannot be mounted: {complaint}")
        self.domain = domain


class MasterInUse(StorageError):
    wire_name = "StorageDomainMasterUnmountError"

    def __init__(self, domain: str, complaint: str) -> None:
        super().__init__(f"the master file system of domain {domain} is still mounted: {complaint}")
        self.domain = domain


@dataclass(frozen=True)
class BlockHost:
    """What block domains need of this host. `open_io`: the process of one domain, which may work below its folder and
    on the devices of its group and below /dev/mapper, and what ends it."""

    lvm: Lvm
    memory: GroupMemory
    root: Root
    repository: Repository
    locks: Locks
    open_io: Callable[[DomainId], tuple[FileIo, Callable[[], Awaitable[None]]]]


class BlockDomain:
    """See Domain (interface.py)."""

    def __init__(self, host: BlockHost, domain: DomainId, version: int, geometry: Geometry) -> None:
        self.id = domain
        self.version = version
        self.paths: DomainPaths = host.repository.block_domain(domain)
        self.locks = host.locks
        self.io, self._close_io = host.open_io(domain)
        self.host = host
        self.lockspace = Lockspace(domain, self.special("ids"), geometry)
        self.store = BlockStore(
            domain, version, lvm=host.lvm, memory=host.memory, io=self.io, root=host.root, geometry=geometry
        )

    @property
    def is_block(self) -> bool:
        return True

    async def group(self) -> Group:
        return await self.store.group()

    async def read_record(self) -> DomainRecord:
        return domain_record.read_tags((await self.group()).tags)

    async def write_record(self, record: DomainRecord) -> None:
        async with self.host.lvm.changing(self.id):
            change = domain_record.write_tags((await self.group()).tags, record)
            await groups.change_tags(self.host.lvm, self.id, change)

    async def space(self) -> DomainSpace:
        group = await self.group()
        return DomainSpace(
            total=group.size,
            free=group.free,
            metadata_total=group.metadata_size,
            metadata_free=group.metadata_free,
            metadata_is_valid=group.metadata_free >= LEAST_METADATA_FREE,
        )

    async def check_path(self) -> float:
        return await self.io.read_delay(self._device(block_layout.METADATA))

    async def open_master(self) -> None:
        if not any(mounted.target == self.paths.master for mounted in mount_table.read()):
            await self._mount_master()
        for folder in (self.paths.tasks, self.paths.vms):
            try:
                await self.io.make_folder(folder)
            except FileExistsError:
                continue

    async def close_master(self) -> None:
        result = await self.host.root.call(Unmount(target=str(self.paths.master)))
        if not result.ok:
            raise MasterInUse(self.id, result.complaint)
        await logical_volumes.deactivate(self.host.lvm, self.id, [block_layout.MASTER])

    def special(self, name: str) -> LeasePlace:
        self.paths.special(name)  # refuses other names
        return LeasePlace(self._device(name))

    async def close(self) -> None:
        """Volumes that something still has open (sanlock its lockspace, a VM its disk) stay active, and are told."""
        await self.host.memory.settle(self.id)
        await self._deactivate([*block_layout.names_in_use(self.version), block_layout.MASTER])
        await self._close_io()
        await asyncio.to_thread(_remove_links, Path(self.paths.folder))

    async def activate(self) -> None:
        """Make the domain's own volumes reachable, and the links to them. Repeatable."""
        names = block_layout.names_in_use(self.version)
        await logical_volumes.activate(self.host.lvm, self.id, names)
        for name in names:
            await self.host.root.call(OwnDevice(path=str(self._device(name))))
        await self.link()

    async def link(self) -> None:
        """Make the domain's folder, with links to its own volumes. Repeatable."""
        targets = {name: self._device(name) for name in block_layout.names_in_use(self.version)}
        await asyncio.to_thread(_make_links, Path(self.paths.folder), targets)

    def _device(self, name: str) -> PurePosixPath:
        return logical_volumes.path(self.host.lvm, self.id, name)

    async def _deactivate(self, names: Sequence[str]) -> None:
        try:
            await logical_volumes.deactivate(self.host.lvm, self.id, names)
        except LvmFailed:
            for name in names:  # LVM has let go of the others; which ones are open?
                try:
                    await logical_volumes.deactivate(self.host.lvm, self.id, [name])
                except LvmFailed as error:
                    log.warning("domain %s: %s stays active on this host: %s", self.id, name, error)

    async def _mount_master(self) -> None:
        await logical_volumes.activate(self.host.lvm, self.id, [block_layout.MASTER])
        device = str(self._device(block_layout.MASTER))
        checked = await self.host.root.call(CheckMaster(path=device))
        if checked.status >= FSCK_FAILED or checked.status < 0:
            raise MasterBroken(self.id, checked.complaint)
        done = await self.host.root.call(Mount(source=device, target=str(self.paths.master), type="ext3"))
        if not done.ok:
            raise MasterNotMounted(self.id, done.complaint)


async def open_block_domain(host: BlockHost, domain: DomainId) -> BlockDomain:
    """Raises NoSuchDomain, also for a group whose creation did not end; LvmFailed."""
    try:
        group = await host.memory.read(domain)
    except NoSuchGroup as error:
        raise NoSuchDomain(domain, "and no volume group of this name either") from error
    state = group_tags.state(group.tags)
    if state is not GroupState.READY:
        raise NoSuchDomain(domain, f"the volume group of this name is {state.value}")
    metadata = domain_record.read_tags(group.tags).domain
    opened = BlockDomain(host, domain, metadata.version, metadata.geometry)
    try:
        await opened.activate()
    except BaseException:
        await opened.close()
        raise
    return opened


async def block_domains(lvm: Lvm) -> list[DomainId]:
    """Ids of the groups that are finished domains."""
    found = await lvm.groups()
    return [DomainId(name) for name, group in found.items() if group_tags.state(group.tags) is GroupState.READY]


def _make_links(folder: Path, targets: dict[str, PurePosixPath]) -> None:
    for name in ("dom_md", "images", "master"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, target in targets.items():
        link = folder / "dom_md" / name
        if link.is_symlink() and os.readlink(link) == str(target):
            continue
        fresh = link.with_name(f".{name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.replace(link)


def _remove_links(folder: Path) -> None:
    """Links alone: a folder that has more in it, or something mounted on it, is left."""
    for link in (folder / "dom_md").glob("*"):
        if link.is_symlink():
            link.unlink()
    for name in ("dom_md", "images", "master", "."):
        try:
            (folder / name).rmdir()
        except OSError:
            continue
