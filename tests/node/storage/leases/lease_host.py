"""A domain as leases see it, over simulated locks and a file in memory."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, cast

from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.sanlock_areas import MIB, Geometry
from ovis.node.storage.leases.interface import Locks, Lockspace
from ovis.node.storage.leases.simulated import SharedLeases, SimulatedLocks
from ovis.node.storage.volumes.store import LeasePlace

DOMAIN = DomainId("6a4b4e3c-0000-4000-8000-00000000c0de")
IMAGE = ImageId("11110000-0000-4000-8000-000000000001")
VOLUME = VolumeId("22220000-0000-4000-8000-000000000001")
FOLDER = PurePosixPath("/mnt/nas:_export") / DOMAIN
LOCKSPACE = Lockspace(DOMAIN, LeasePlace(FOLDER / "dom_md/ids"), Geometry())


class Crash(Exception):
    """The process died here."""


class MemoryFile:
    """The part of FileIo that leases use, on one file. `crash_after`: so many writes are done, then the process is
    dead."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)
        self.crash_after: int | None = None
        self.writes = 0

    async def read(self, path: PurePosixPath, *, offset: int = 0, size: int, direct: bool = False, **_: Any) -> bytes:
        assert path.name == "xleases"
        assert not direct or (offset % 4096, size % 4096) == (0, 0)
        return bytes(self.data[offset : offset + size])

    async def write(self, path: PurePosixPath, data: bytes, *, offset: int = 0, direct: bool = False, **_: Any) -> None:
        assert path.name == "xleases"
        assert not direct or (offset % 4096, len(data) % 4096) == (0, 0)
        self.step()
        self.data[offset : offset + len(data)] = data

    async def resize(self, path: PurePosixPath, size: int, **_: Any) -> None:
        self.step()
        self.data.extend(bytes(size - len(self.data)))

    async def facts(self, path: PurePosixPath, **_: Any) -> Any:
        return cast("Any", type("Facts", (), {"size": len(self.data)}))

    def step(self) -> None:
        if self.crash_after is not None and self.writes >= self.crash_after:
            raise Crash
        self.writes += 1


@dataclass
class Metadata:
    generation: int = 0


class OneVolume:
    def __init__(self) -> None:
        self.metadata = Metadata()

    async def lease(self, image: ImageId, volume: VolumeId) -> LeasePlace:
        return LeasePlace(FOLDER / f"images/{image}/{volume}.lease")

    async def read(self, image: ImageId, volume: VolumeId) -> Metadata:
        return self.metadata


@dataclass
class LeaseDomain:
    locks: Locks
    io: MemoryFile = field(default_factory=lambda: MemoryFile(4 * MIB))
    store: OneVolume = field(default_factory=OneVolume)
    id: DomainId = DOMAIN
    version: int = 5
    lockspace: Lockspace = LOCKSPACE
    is_block: bool = False

    def special(self, name: str) -> LeasePlace:
        return LeasePlace(FOLDER / "dom_md" / name)

    @property
    def as_domain(self) -> Domain:
        return cast("Domain", self)


async def joined(host: str = "one", host_id: int = 1, *, storage: SharedLeases | None = None) -> SimulatedLocks:
    """A host with its id in the lockspace; a new shared storage if none is given."""
    if storage is None:
        storage = SharedLeases()
        await storage.host("formatting").format_lockspace(LOCKSPACE)
    locks = storage.host(host)
    await locks.join(LOCKSPACE, host_id)
    return locks
