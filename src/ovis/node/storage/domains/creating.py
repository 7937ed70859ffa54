"""New domains, and the end of one."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ovis.node.storage import claims
from ovis.node.storage.domains.alone import held_alone
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.errors import DomainExists, NoSuchDomain, StorageError
from ovis.node.storage.formats.domain_metadata import (
    DESCRIPTION_LIMIT,
    VERSIONS,
    DomainClass,
    DomainMetadata,
    Role,
    StorageType,
)
from ovis.node.storage.formats.identifiers import DomainId, is_identifier
from ovis.node.storage.leases.held import without_lease
from ovis.node.storage.pool import records
from ovis.node.storage.pool.errors import ConnectedPool, StillAttached, VersionNotServed

if TYPE_CHECKING:
    from ovis.node.storage.domains.block_domain import BlockDomain
    from ovis.node.storage.storage import Storage

log = logging.getLogger(__name__)


class NotMounted(StorageError):
    wire_name = "StorageDomainFSNotMounted"

    def __init__(self, remote_path: str) -> None:
        super().__init__(f"{remote_path} is not connected on this host; nothing was made")
        self.remote_path = remote_path


class NotEmpty(StorageError):
    wire_name = "StorageDomainNotEmpty"

    def __init__(self, remote_path: str, found: str) -> None:
        super().__init__(f"{remote_path} holds storage domain {found} already: only one has its place there")


class BadRemotePath(StorageError):
    wire_name = "StorageDomainIllegalRemotePath"

    def __init__(self, remote_path: str, problem: str) -> None:
        super().__init__(f"remote path {remote_path!r}: {problem}")


class DescriptionTooLong(StorageError):
    wire_name = "StorageDomainDescriptionTooLongError"

    def __init__(self, length: int) -> None:
        super().__init__(f"a domain's name may have {DESCRIPTION_LIMIT} characters, this one has {length}")


class GroupUnknown(StorageError):
    wire_name = "VolumeGroupDoesNotExist"

    def __init__(self, uuid: str) -> None:
        super().__init__(f"no volume group with the id {uuid} can be seen from this host")


@dataclass(frozen=True)
class NewDomain:
    """`place`: the remote path of the connection, or LVM's id of the group. `block_size` None: that of the storage."""

    id: DomainId
    type: StorageType
    place: str
    name: str
    domain_class: DomainClass
    version: int
    block_size: int | None
    max_hosts: int


async def create(storage: Storage, new: NewDomain) -> None:
    """A domain in no pool, or nothing. Raises DomainExists, NotMounted, NotEmpty, GroupUnknown, and what the kind of
    storage raises."""
    check_description(new.name)
    if new.version not in VERSIONS:
        raise VersionNotServed(new.version)
    async with storage.claims.hold([claims.domain(new.id)], by=f"create domain {new.id}"):
        try:
            await storage.domain(new.id)
        except NoSuchDomain:
            pass
        else:
            raise DomainExists(new.id, "it can be seen from this host")
        domain = await (_create_on_group(storage, new) if new.type.is_block else _create_on_files(storage, new))
        await domain.close()
    log.info("storage domain %s (%s) made on %s, version %d", new.id, new.name, new.place, new.version)


async def format_domain(storage: Storage, domain_id: DomainId, *, detach: bool) -> None:
    """Destroy a domain and all that is on it. Raises StillAttached, ConnectedPool, LeaseError."""
    async with storage.claims.hold([claims.domain(domain_id)], by=f"format domain {domain_id}"):
        domain = await storage.domain(domain_id)
        record = await domain.read_record()
        joined = storage.pools.joined
        if joined is not None and (joined.id in record.domain.pools or domain_id in joined.membership.domains):
            raise ConnectedPool(domain_id, joined.id)
        if record.domain.pools and not detach:
            raise StillAttached(domain_id, record.domain.pools)
        async with held_alone(domain):  # whoever uses it has a host id there, or is not believed
            if record.domain.pools:
                await domain.write_record(records.as_free(record, None))
        await _remove(storage, domain)
        await storage.domains.forget(domain_id)
    log.warning("storage domain %s and all that was on it is gone", domain_id)


def check_description(text: str) -> None:
    if len(text) > DESCRIPTION_LIMIT:
        raise DescriptionTooLong(len(text))


async def _create_on_files(storage: Storage, new: NewDomain) -> Domain:
    from ovis.node.storage.domains.file_domain import NewFileDomain, create_file_domain

    mount = await _mount(storage, new)
    io = storage.io(mount)
    for name in await io.names(mount):
        if is_identifier(name) and name != new.id:
            raise NotEmpty(new.place, name)
    wanted = NewFileDomain(
        id=new.id,
        version=new.version,
        type=new.type,
        remote_path=new.place,
        domain_class=new.domain_class,
        description=new.name,
        block_size=new.block_size,
        max_hosts=new.max_hosts,
    )
    return await create_file_domain(io, mount, wanted, storage.locks(is_local=wanted.is_local))


async def _create_on_group(storage: Storage, new: NewDomain) -> Domain:
    from ovis.node.storage.domains.block_creation import create_block_domain

    host = storage.parts.block_host
    groups = await host.lvm.groups()
    group = next((group for group in groups.values() if group.uuid == new.place), None)
    if group is None or group.name != new.id:
        raise GroupUnknown(new.place)
    metadata = DomainMetadata(
        version=new.version,
        id=new.id,
        type=new.type,
        role=Role.REGULAR,
        domain_class=new.domain_class,
        description=new.name,
    )
    with without_lease("the group is no domain yet"):
        return await create_block_domain(host, metadata)


async def _mount(storage: Storage, new: NewDomain) -> PurePosixPath:
    """Raises BadRemotePath, NotMounted."""
    if new.type is StorageType.NFS and ":/" not in new.place:
        raise BadRemotePath(new.place, "an NFS export is written as server:/path")
    if new.type is StorageType.LOCAL and not new.place.startswith("/"):
        raise BadRemotePath(new.place, "a local folder is written as an absolute path")
    place = new.place.rstrip("/") or "/"
    in_gluster = storage.repository.gluster_mount(place)
    wanted = in_gluster if new.type is StorageType.GLUSTER else storage.repository.mount(place)
    if wanted not in await storage.domains.mounts():
        raise NotMounted(new.place)
    return wanted


async def _remove(storage: Storage, domain: Domain) -> None:
    if domain.is_block:
        from ovis.node.storage.domains.block_creation import remove_block_domain

        with without_lease("the domain is in no pool, nobody had it, and its leases go with it"):
            await remove_block_domain(storage.parts.block_host, _as_block(domain))
        return
    from ovis.node.storage.domains.file_domain import remove_file_domain

    await remove_file_domain(domain.io, domain.paths.folder)


def _as_block(domain: Domain) -> BlockDomain:
    from ovis.node.storage.domains.block_domain import BlockDomain

    assert isinstance(domain, BlockDomain)
    return domain
