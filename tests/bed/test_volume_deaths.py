"""kill -9 of agent, root helper and `ovis-io`, and a failing disk, while volumes are extended, deleted and merged."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pytest

from ovis.client.types import TaskResult
from ovis.node.storage.domains.block_creation import create_block_domain
from ovis.node.storage.formats.group_tags import UNREADY
from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Allocation, Legality, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.images import merging
from ovis.node.storage.images.merging import Subchain
from ovis.node.storage.jobs.volume_jobs import VolumeJobs
from ovis.node.storage.leases import held
from ovis.node.storage.lvm import groups
from ovis.node.storage.pool.clearing import clear
from ovis.node.storage.storage import Storage
from ovis.node.storage.volumes import creating, deleting, extending, reading
from ovis.node.storage.volumes.creating import Wish
from ovis.node.storage.volumes.plan import Plan
from tests.bed.parts.block import GIB, new_domain, new_image
from tests.bed.parts.failing_disk import failing_disk
from tests.bed.parts.mortal_storage import Place
from tests.bed.parts.programs import run
from tests.bed.parts.volume_group import report

pytestmark = pytest.mark.timeout(600)
MIB = 1 << 20


def victims(**strides: int) -> pytest.MarkDecorator:
    """Every so many changes one is killed: a life costs seconds here. Without LVM all moments are tried
    (tests/node/storage/volumes, images)."""
    return pytest.mark.parametrize(("victim", "stride"), strides.items(), ids=strides)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("deaths")
    (folder / "disks").mkdir()
    metadata = new_domain()

    async def make(made: Place) -> None:
        async with made.storage() as storage:
            host = storage.parts.block_host
            with held.without_lease("the group is new"):
                await groups.create(host.lvm, metadata.id, [PurePosixPath(made.disk.device)], tags=[UNREADY])
                await (await create_block_domain(host, metadata)).close()

    with failing_disk(folder / "disks", 32 * GIB) as disk:
        made = Place(folder, metadata.id, disk)
        asyncio.run(make(made))
        yield made
        # not the device below it, on which LVM finds the same
        run("vgchange", "--quiet", "--devices", disk.device, "-an", metadata.id)
        run("vgremove", "--yes", "--force", "--quiet", "--devices", disk.device, metadata.id)


@dataclass(frozen=True)
class Disk:
    """An image of the domain. Its volumes are numbers; no two images have one with the same id."""

    place: Place
    storage: Storage
    image: ImageId

    def volume(self, number: int) -> VolumeId:
        return VolumeId(f"{number}{self.image[1:]}")

    async def domain(self) -> Any:
        return await self.storage.domain(self.place.domain)

    async def run(self, plan: Plan) -> TaskResult:
        task = await self.storage.tasks.start("test", plan.steps, claims=plan.claims)
        return (await self.storage.tasks.wait(task)).result

    async def create(self, number: int, *, full: bool = False) -> None:
        """A thin one on the one below, or a raw one that has its extents."""
        wish = Wish(
            domain=self.place.domain,
            image=self.image,
            volume=self.volume(number),
            capacity=128 * MIB,
            format=VolumeFormat.RAW if full else VolumeFormat.COW,
            allocation=Allocation.PREALLOCATED if full else Allocation.SPARSE,
            parent=(self.image, self.volume(number - 1)) if number > 1 else None,
            initial_size=None if full else MIB,
        )
        plan = await creating.plan(await self.domain(), wish, now=1_700_000_000)
        assert await self.run(plan) is TaskResult.SUCCESS

    async def extend(self, number: int, capacity: int) -> TaskResult:
        return await self.run(await extending.plan(await self.domain(), self.image, self.volume(number), capacity))

    async def delete(self, number: int) -> None:
        await self.run(await deleting.plan(await self.domain(), self.image, [self.volume(number)]))

    async def access(self, leaf: int, *commands: str) -> None:
        """As a guest does. `commands`: of qemu-io."""
        domain = await self.domain()
        chain = (await reading.image(domain, self.image)).chain(self.volume(leaf))
        async with self.storage.prepared.active(domain, chain) as paths:
            words = [word for command in commands for word in ("-c", command)]
            said = await asyncio.to_thread(run, "qemu-io", "-f", "qcow2", *words, paths[self.volume(leaf)])
            assert "Pattern verification failed" not in said

    async def metadata(self) -> dict[int, VolumeMetadata]:
        image = await reading.image(await self.domain(), self.image)
        return {int(volume[0]): layer.metadata for volume, layer in image.layers.items()}

    def sizes(self) -> dict[int, int]:
        """As LVM has them. No volume is half made or half removed, none is left active."""
        rows = report("lvs", "-o", "lv_name,lv_size,lv_active,lv_tags", self.place.domain)
        rows = [row for row in rows if row["lv_name"].endswith(self.image[1:])]
        for row in rows:
            assert f"IU_{self.image}" in row["lv_tags"], row
            assert "INITIALIZING" not in row["lv_tags"], row
            assert not row["lv_active"], row
        return {int(row["lv_name"][0]): int(row["lv_size"]) for row in rows}


@victims(agent=1, helper=1, disk=1)
def test_an_extended_disk_has_what_it_promises(place: Place, victim: str, stride: int) -> None:
    image = new_image()

    async def look(storage: Storage) -> None:
        disk = Disk(place, storage, image)
        if not (sizes := disk.sizes()):
            await disk.create(1, full=True)
        else:
            assert sizes[1] >= (await disk.metadata())[1].capacity

    async def extend(storage: Storage) -> None:
        disk = Disk(place, storage, image)
        goal = (await disk.metadata())[1].capacity + 128 * MIB
        if await disk.extend(1, goal) is TaskResult.SUCCESS:
            assert (await disk.metadata())[1].capacity == goal

    assert place.deaths(victim, look, extend, stride=stride) > 0


@victims(agent=3, io=2, disk=4)
def test_a_deleted_layer_is_gone_or_stays_marked(place: Place, victim: str, stride: int) -> None:
    image = new_image()

    async def look(storage: Storage) -> None:
        disk = Disk(place, storage, image)
        await clear(await disk.domain(), image)  # as the next SPM does
        for number in sorted({1, 2} - disk.sizes().keys()):
            if number == 2:
                assert (await disk.metadata())[1].role is VolumeRole.LEAF
            await disk.create(number)
        assert (await disk.metadata())[1].role is VolumeRole.INTERNAL

    async def delete(storage: Storage) -> None:
        await Disk(place, storage, image).delete(2)

    assert place.deaths(victim, look, delete, stride=stride) > 0


@victims(agent=8, helper=6)
def test_a_guest_reads_the_same_whenever_a_merge_is_cut_short(place: Place, victim: str, stride: int) -> None:
    """The layer that is merged has another content each time."""
    image = new_image()
    now = place.folder / "content"
    now.write_text("1")

    async def look(storage: Storage) -> None:
        disk = Disk(place, storage, image)
        if not (layers := disk.sizes().keys()):
            await disk.create(1)
        else:
            metadata = await disk.metadata()
            leaf = max(number for number, one in metadata.items() if one.role is VolumeRole.LEAF)
            await disk.access(leaf, f"read -P {now.read_text()} 0 4M", "read -P 0 4M 4M")
        if 2 not in layers:
            await disk.create(2)
            now.write_text(str(int(now.read_text()) + 1))
            await disk.access(2, f"write -P {now.read_text()} 0 4M")

    async def merge(storage: Storage) -> None:
        disk = Disk(place, storage, image)
        domain, metadata = await disk.domain(), await disk.metadata()
        subchain = Subchain(place.domain, image, disk.volume(1), disk.volume(2))
        if metadata[2].legality is Legality.LEGAL:
            if metadata[1].legality is Legality.LEGAL:
                await disk.run(await merging.plan_prepare(domain, subchain))
            await VolumeJobs(storage, 1, "job").merge(subchain, with_bitmaps=True, on_percent=lambda _: None)
            await disk.run(await merging.plan_finalize(domain, subchain))
        await disk.delete(2)

    assert place.deaths(victim, look, merge, stride=stride) > 0
