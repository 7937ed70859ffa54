"""A storage domain in a folder of a mounted file system: NFS, a local folder, POSIX, Gluster.

    <mount>/<domain id>/
    ├── dom_md/             ids, leases           the lock; grow as used
    │   │                   xleases               version 4 and later, not local: leases of VMs, with their index
    │   │                   inbox, outbox         not local: 16 MiB
    │   └── metadata                              the domain's record; written last, removed first
    ├── images/             class Iso: with the one folder of its images, 11111111-...
    └── master/{tasks,vms}                        made when it first becomes the master

A domain is there when its `metadata` is. A folder without it is half made or half removed; it may be removed as long as
it holds no image. A local domain has a lock of its host alone, and nothing that hosts share.

The metadata are replaced whole (old or new after a crash) and read past the caches of this host, because others write
them too.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from ovis.node.storage.domains.access import access
from ovis.node.storage.domains.interface import DomainSpace
from ovis.node.storage.errors import DomainExists, NoSuchDomain, StorageError
from ovis.node.storage.formats import domain_metadata, domain_record, lease_index, sanlock_areas
from ovis.node.storage.formats.domain_metadata import DomainClass, DomainMetadata, Role, StorageType
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.errors import Broken, UnsupportedVersion
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.repository import ISO_IMAGE, MAILBOX_BYTES, METADATA_MODE, DomainPaths, domain_on
from ovis.node.storage.formats.sanlock_areas import BLOCK_4K, BLOCK_512, SDM_RESOURCE, Geometry
from ovis.node.storage.io.interface import FileIo
from ovis.node.storage.leases.interface import Locks, Lockspace, Resource
from ovis.node.storage.volumes.file_store import FileStore
from ovis.node.storage.volumes.store import LeasePlace

log = logging.getLogger(__name__)

FOLDER_MODE = 0o755
READ_BYTES = 64 << 10  # a record of ten pools' domains has 5 KiB
DEFAULT_HOSTS = 250
PROBE = "__DIRECT_IO_TEST__"
"""As existing agents name the file with which they try a file system."""

BLOCK_SIZES = {
    StorageType.NFS: (BLOCK_512,),
    StorageType.POSIX: (BLOCK_512,),
    StorageType.LOCAL: (BLOCK_512, BLOCK_4K),
    StorageType.GLUSTER: (BLOCK_512, BLOCK_4K),
}


class BlockSizeMismatch(StorageError):
    wire_name = "StorageDomainBlockSizeMismatch"

    def __init__(self, where: PurePosixPath, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where


class NoDirectIo(StorageError):
    wire_name = "StorageDomainTargetUnsupported"

    def __init__(self, where: PurePosixPath) -> None:
        super().__init__(f"the file system at {where} has no direct I/O, which locks and path checks need")
        self.where = where


class LocksOf(Protocol):
    def __call__(self, *, is_local: bool) -> Locks: ...


@dataclass(frozen=True)
class NewFileDomain:
    """`block_size` in bytes, None: that of the storage. `max_hosts` counts from version 5 on 4096 byte blocks on."""

    id: DomainId
    version: int
    type: StorageType
    remote_path: str
    domain_class: DomainClass = DomainClass.DATA
    description: str = ""
    block_size: int | None = None
    max_hosts: int = DEFAULT_HOSTS

    @property
    def is_local(self) -> bool:
        return self.type is StorageType.LOCAL


class FileDomain:
    """A Domain. Its process (`io`) is that of the mount, which other domains may share: it is not ended here."""

    is_block = False

    def __init__(self, metadata: DomainMetadata, folder: PurePosixPath, io: FileIo, locks: Locks) -> None:
        self.id = metadata.id
        self.version = metadata.version
        self.paths = DomainPaths(folder)
        self.io = io
        self.store = FileStore(io, self.paths, metadata.id, metadata.version)
        self.locks = locks
        self.lockspace = Lockspace(metadata.id, self.special("ids"), metadata.geometry)

    async def read_record(self) -> DomainRecord:
        return await _read_record(self.io, self.paths, self.id)

    async def write_record(self, record: DomainRecord) -> None:
        data = domain_record.write_file(record)
        with access(self.id, missing=NoSuchDomain(self.id), wanted=len(data)):
            await self.io.replace(self.paths.metadata, data, mode=METADATA_MODE)

    async def space(self) -> DomainSpace:
        with access(self.id, missing=NoSuchDomain(self.id)):
            found = await self.io.space(self.paths.folder)
        return DomainSpace(found.total, found.free)

    async def check_path(self) -> float:
        with access(self.id, missing=NoSuchDomain(self.id)):
            return await self.io.read_delay(self.paths.metadata)

    async def open_master(self) -> None:
        with access(self.id, missing=NoSuchDomain(self.id)):
            for folder in (self.paths.master, self.paths.tasks, self.paths.vms):
                await _make_folder(self.io, folder)

    async def close_master(self) -> None: ...

    def special(self, name: str) -> LeasePlace:
        return LeasePlace(self.paths.special(name))

    async def close(self) -> None: ...


async def open_file_domain(io: FileIo, folder: PurePosixPath, locks: LocksOf) -> FileDomain:
    """The domain in a folder named after it. Raises NoSuchDomain, Broken, UnsupportedVersion, AccessFailed."""
    record = await _read_record(io, DomainPaths(folder), DomainId(folder.name))
    is_local = record.domain.type is StorageType.LOCAL
    return FileDomain(record.domain, folder, io, locks(is_local=is_local))


async def create_file_domain(
    io: FileIo, mount: PurePosixPath, new: NewFileDomain, locks: Locks, *, now: Callable[[], float] = time.time
) -> FileDomain:
    """A domain without a pool, or nothing. Raises DomainExists, BlockSizeMismatch, NoDirectIo, UnsupportedVersion,
    NoSpace, AccessFailed and what `locks` raise."""
    paths = domain_on(mount, new.id)
    with access(new.id):
        await _clear_place(io, paths, new.id)
        metadata = _metadata(new, await choose_geometry(io, mount, new))
        data = domain_record.write_file(DomainRecord(metadata))
        domain = FileDomain(metadata, paths.folder, io, locks)
        try:
            for folder in _folders(paths, new.domain_class):
                await io.make_folder(folder, mode=FOLDER_MODE)
            await make_special_files(domain, is_local=new.is_local)
            await _format_leases(domain, now(), is_local=new.is_local)
            await io.replace(paths.metadata, data, mode=METADATA_MODE)
        except BaseException:
            with contextlib.suppress(OSError):
                await remove_file_domain(io, paths.folder)
            raise
    return domain


async def remove_file_domain(io: FileIo, folder: PurePosixPath) -> None:
    """All of a domain, or what is left of one. Safe to repeat. The caller knows that nobody uses it. Raises OSError."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        await io.remove(DomainPaths(folder).metadata, missing_ok=True)
    await io.remove_tree(folder)


async def make_special_files(domain: FileDomain, *, is_local: bool) -> None:
    """Those that a domain of its version has and that are not there yet: at its creation, or for an upgrade."""
    sizes = {"ids": 0, "leases": 0}
    if not is_local:
        sizes |= {"inbox": MAILBOX_BYTES, "outbox": MAILBOX_BYTES}
        if domain.version >= 4:
            sizes["xleases"] = 0
    for name, size in sizes.items():
        with contextlib.suppress(FileExistsError):
            await domain.io.create(domain.paths.special(name), size=size, mode=METADATA_MODE)


async def choose_geometry(io: FileIo, mount: PurePosixPath, new: NewFileDomain) -> Geometry:
    """Raises BlockSizeMismatch, NoDirectIo, UnsupportedVersion."""
    if new.version not in domain_metadata.VERSIONS:
        raise UnsupportedVersion(domain_metadata.WHAT, "VERSION", f"{new.version} cannot be made")
    found = await detect_block_size(io, mount)
    if new.block_size is not None and new.block_size != found:
        raise BlockSizeMismatch(mount, f"blocks of {new.block_size} bytes were asked for, the storage has {found}")
    if found not in BLOCK_SIZES.get(new.type, ()):
        raise BlockSizeMismatch(mount, f"a domain of type {new.type.value} cannot lie on blocks of {found} bytes")
    if new.version < 5:
        if found != BLOCK_512:
            raise BlockSizeMismatch(mount, f"version {new.version} needs blocks of 512 bytes, the storage has {found}")
        return Geometry()
    return sanlock_areas.geometry(found, new.max_hosts)


async def detect_block_size(io: FileIo, folder: PurePosixPath) -> int:
    """The smallest direct write that the storage takes. Raises NoDirectIo, OSError."""
    probe = folder / PROBE
    await io.remove(probe, missing_ok=True)
    await io.create(probe, mode=METADATA_MODE)
    try:
        for size in (BLOCK_512, BLOCK_4K):
            try:
                await io.write(probe, bytes(size), direct=True)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
            else:
                return size
        raise NoDirectIo(folder)
    finally:
        await io.remove(probe, missing_ok=True)


async def _read_record(io: FileIo, paths: DomainPaths, domain: DomainId) -> DomainRecord:
    with access(domain, missing=NoSuchDomain(domain, f"{paths.folder} has no metadata")):
        data = await io.read(paths.metadata, size=READ_BYTES, direct=True)
    record = domain_record.read_file(data)
    if record.domain.id != domain:
        raise Broken(domain_metadata.WHAT, "SDUUID", f"{paths.folder} holds the metadata of {record.domain.id}")
    return record


async def _clear_place(io: FileIo, paths: DomainPaths, domain: DomainId) -> None:
    try:
        names = await io.names(paths.folder)
    except FileNotFoundError:
        return
    if "dom_md" in names and "metadata" in await io.names(paths.metadata.parent):
        raise DomainExists(domain, str(paths.folder))
    if "images" in names and await _holds_images(io, paths):
        raise DomainExists(domain, f"{paths.folder} has lost its metadata and still holds images")
    log.info("removing %s, which was left half made", paths.folder)
    await remove_file_domain(io, paths.folder)


async def _holds_images(io: FileIo, paths: DomainPaths) -> bool:
    names = set(await io.names(paths.images))
    if ISO_IMAGE in names and not await io.names(paths.image(ISO_IMAGE)):
        names.discard(ISO_IMAGE)
    return bool(names)


def _folders(paths: DomainPaths, domain_class: DomainClass) -> list[PurePosixPath]:
    always = [paths.folder, paths.metadata.parent, paths.images]
    return [*always, paths.image(ISO_IMAGE)] if domain_class is DomainClass.ISO else always


async def _format_leases(domain: FileDomain, now: float, *, is_local: bool) -> None:
    geometry = domain.lockspace.geometry
    await domain.locks.format_lockspace(domain.lockspace)
    sdm = LeasePlace(domain.paths.special("leases"), geometry.sdm_offset)
    await domain.locks.format_resource(Resource(domain.lockspace, SDM_RESOURCE, sdm))
    if not is_local and domain.version >= 4:
        index = lease_index.write(lease_index.new(domain.id, int(now), geometry, updating=False))
        await domain.io.write(domain.paths.special("xleases"), index, offset=geometry.index_offset, direct=True)


async def _make_folder(io: FileIo, folder: PurePosixPath) -> None:
    with contextlib.suppress(FileExistsError):
        await io.make_folder(folder, mode=FOLDER_MODE)


def _metadata(new: NewFileDomain, geometry: Geometry) -> DomainMetadata:
    return DomainMetadata(
        version=new.version,
        id=new.id,
        type=new.type,
        role=Role.REGULAR,
        domain_class=new.domain_class,
        description=new.description,
        geometry=geometry,
        remote_path=new.remote_path,
    )
