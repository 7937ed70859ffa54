"""Block domains on loop devices, through the real root helper and the real I/O process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from uuid import uuid4

from ovis.node.privileged.client import Privileged, TyingRoot, child
from ovis.node.storage.domains.block_creation import create_block_domain
from ovis.node.storage.domains.block_domain import BlockDomain, BlockHost
from ovis.node.storage.formats.domain_metadata import DomainClass, DomainMetadata, Role, StorageType
from ovis.node.storage.formats.group_tags import UNREADY
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.repository import Repository
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.leases.held import without_lease
from ovis.node.storage.leases.local import LocalLocks
from ovis.node.storage.leases.tied_root import TiedRoot
from ovis.node.storage.lvm import groups
from ovis.node.storage.lvm.isolation import Isolation
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.memory import GroupMemory
from ovis.node.storage.lvm.privileged import PrivilegedLvm

GIB = 1 << 30
LOOPS = Isolation(("^/dev/loop",))


@asynccontextmanager
async def block_host(
    folder: Path,
    isolation: Isolation = LOOPS,
    *,
    wrap: Callable[[Privileged], TyingRoot] = lambda root: root,
    owner: tuple[int, int] = (0, 0),
) -> AsyncIterator[BlockHost]:
    """`wrap`: what stands between storage and the root helper. `owner`: as whom files and devices are used.

    What works under no lease may do so here."""
    repository = Repository(PurePosixPath(folder / "data-center"), PurePosixPath(folder / "run"))
    await asyncio.to_thread(Path(repository.mounts).mkdir, parents=True, exist_ok=True)
    helper = Privileged(child(repository=repository.root, user=owner[0], group=owner[1]))
    root = TiedRoot(wrap(helper), tuple)
    lvm = Lvm(PrivilegedLvm(root), isolation)
    memory = GroupMemory(lvm)

    def open_io(domain: DomainId):
        io = IoProcess(
            [repository.block_domain(domain).folder],
            device_roots=[PurePosixPath("/dev") / domain, PurePosixPath("/dev/mapper"), PurePosixPath("/dev")],
            owner=owner,
        )
        return io, io.close

    try:
        with without_lease("of a test"):
            yield BlockHost(lvm, memory, root, repository, LocalLocks(), open_io)
    finally:
        await memory.close()
        await helper.close()


def new_domain(version: int = 5) -> DomainMetadata:
    return DomainMetadata(
        version, DomainId(str(uuid4())), StorageType.ISCSI, Role.REGULAR, DomainClass.DATA, "third floor"
    )


@asynccontextmanager
async def block_domain(host: BlockHost, devices: Sequence[Path], version: int = 5) -> AsyncIterator[BlockDomain]:
    """Open on this host; gone with its group afterwards."""
    metadata = new_domain(version)
    await groups.create(host.lvm, metadata.id, [PurePosixPath(device) for device in devices], tags=[UNREADY])
    try:
        domain = await create_block_domain(host, metadata)
        try:
            yield domain
        finally:
            await domain.close()
    finally:
        await groups.remove(host.lvm, metadata.id)


def new_image() -> ImageId:
    return ImageId(str(uuid4()))


def new_volume() -> VolumeId:
    return VolumeId(str(uuid4()))


def metadata_of(domain: DomainId, image: ImageId, parent: VolumeId | None = None, **other) -> VolumeMetadata:
    given = {"capacity": GIB, "description": "a disk", **other}
    return VolumeMetadata(
        domain=domain, image=image, parent=parent, format=VolumeFormat.RAW, allocation=Allocation.PREALLOCATED,
        role=VolumeRole.LEAF, created=1_700_000_000, **given,
    )  # fmt: skip
