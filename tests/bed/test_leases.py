"""Leases of VMs on logical volumes, under sanlock with its watchdog."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats.identifiers import LeaseId
from ovis.node.storage.formats.sanlock_areas import MIB
from ovis.node.storage.leases.errors import NoSuchLease
from ovis.node.storage.leases.external import ExternalLeases
from ovis.node.storage.leases.held import held, inherited, volume_lease
from ovis.node.storage.leases.interface import Owner, Resource
from ovis.node.storage.leases.sanlock import SanlockLocks
from tests.bed.parts.block import GIB, block_domain, block_host, metadata_of, new_image, new_volume
from tests.bed.parts.loop import loop_device
from tests.bed.parts.programs import run

pytestmark = pytest.mark.bed(services=["sanlock"])
VM, OTHER = (LeaseId(f"{digit * 8}-0000-4000-8000-000000000001") for digit in "12")


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[list[Path]]:
    folder = tmp_path / "disks"
    folder.mkdir()
    with loop_device(folder, 16 * GIB) as first:
        yield [first]


def open_to_sanlock(domain: Domain) -> None:
    """Its user is in the group of the agent's devices, where that is not root's."""
    for name in ("ids", "leases", "xleases"):
        run("chgrp", "sanlock", str(domain.special(name).path))


@asynccontextmanager
async def joined(domain: Domain) -> AsyncIterator[SanlockLocks]:
    locks = SanlockLocks(io_timeout=1)
    domain.locks = locks
    open_to_sanlock(domain)
    await locks.format_lockspace(domain.lockspace)
    await locks.join(domain.lockspace, 1)
    try:
        yield locks
    finally:
        await locks.leave(domain.lockspace, 1)
        await locks.close()


def test_leases_on_logical_volumes(tmp_path: Path, disks: list[Path]) -> None:
    async def main() -> None:
        async with block_host(tmp_path) as host, block_domain(host, disks) as domain, joined(domain) as locks:
            leases = ExternalLeases(domain)
            for lease in (VM, OTHER):
                await leases.make(await leases.reserve(lease), lease)
            await leases.remove(await leases.number(OTHER), OTHER)
            found = await leases.find(VM)
            assert (found.place.path, found.place.offset) == (domain.special("xleases").path, 3 * MIB)
            async with held(locks, found, 1):
                assert await locks.owner(found) == Owner(1, 1)
                assert len(inherited()) == 1
                await locks.write_note(found, b"{}")
            assert await leases.read_note(found) == b"{}"
            await leases.rebuild(1_700_000_000)
            assert await leases.find(VM) == found
            with pytest.raises(NoSuchLease):
                await leases.find(OTHER)

    asyncio.run(main())


def test_a_volume_s_lease_in_its_slot(tmp_path: Path, disks: list[Path]) -> None:
    async def main() -> None:
        async with block_host(tmp_path) as host, block_domain(host, disks) as domain, joined(domain) as locks:
            image, volume = new_image(), new_volume()
            await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
            place = await domain.store.lease(image, volume)
            await locks.format_resource(Resource(domain.lockspace, volume, place))
            await domain.store.publish(image, volume)
            async with volume_lease(domain, 1, image, volume, generation=0) as metadata:
                assert metadata.image == image

    asyncio.run(main())
