"""Block domains over the simulated LVM, with the real I/O process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from simulated_lvm import SimulatedRoot

from ovis.node.storage.domains.block_domain import BlockHost
from ovis.node.storage.formats.domain_metadata import DomainClass, DomainMetadata, Role, StorageType
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.repository import Repository
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.leases.local import LocalLocks
from ovis.node.storage.lvm.isolation import Isolation
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.memory import GroupMemory
from ovis.node.storage.lvm.privileged import PrivilegedLvm

GIB = 1 << 30
DISKS = {"/dev/mapper/first": 16 * GIB, "/dev/mapper/second": 8 * GIB}
FIRST, SECOND = (PurePosixPath(disk) for disk in DISKS)


async def no_pause(seconds: float) -> None:
    pass


@asynccontextmanager
async def station(folder: Path) -> AsyncIterator[tuple[BlockHost, SimulatedRoot]]:
    root = SimulatedRoot(folder, dict(DISKS))
    repository = Repository(PurePosixPath(folder / "data-center"), PurePosixPath(folder / "run"))
    lvm = Lvm(PrivilegedLvm(root), Isolation(), devices=PurePosixPath(root.devices), pause=no_pause)
    memory = GroupMemory(lvm)
    opened: list[IoProcess] = []

    def open_io(domain: DomainId):
        io = IoProcess([repository.block_domain(domain).folder, PurePosixPath(root.devices / domain)])
        opened.append(io)
        return io, io.close

    try:
        yield BlockHost(lvm, memory, root, repository, LocalLocks(), open_io), root
    finally:
        await memory.close()
        for io in opened:
            await io.close()


def new_domain(version: int = 5) -> DomainMetadata:
    return DomainMetadata(
        version, DomainId(str(uuid4())), StorageType.ISCSI, Role.REGULAR, DomainClass.DATA, "third floor"
    )


def new_image() -> ImageId:
    return ImageId(str(uuid4()))


def new_volume() -> VolumeId:
    return VolumeId(str(uuid4()))


def metadata_of(domain: DomainId, image: ImageId, parent: VolumeId | None = None, **other: Any) -> VolumeMetadata:
    given = {"capacity": GIB, "description": "a disk", **other}
    return VolumeMetadata(
        domain=domain, image=image, parent=parent, format=VolumeFormat.RAW, allocation=Allocation.PREALLOCATED,
        role=VolumeRole.LEAF, created=1_700_000_000, **given,
    )  # fmt: skip
