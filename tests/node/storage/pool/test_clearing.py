"""What failed deletions have left goes when a host becomes SPM."""

import asyncio
from dataclasses import replace
from pathlib import Path

from storage_host import Cluster, connected, make_domain, make_pool, until

from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.formats.volume_tags import Removal

CUT_SHORT, WHOLE, KEPT = (ImageId(f"11111111-0000-4000-8000-{number:012}") for number in (1, 2, 3))


def base(image: ImageId) -> VolumeId:
    return VolumeId(f"2{image[1:]}")


def top(image: ImageId) -> VolumeId:
    return VolumeId(f"3{image[1:]}")


async def put(domain: Domain, image: ImageId, volume: VolumeId, parent: VolumeId | None = None) -> None:
    metadata = VolumeMetadata(
        domain=domain.id, image=image, parent=parent, capacity=1 << 20, format=VolumeFormat.RAW,
        allocation=Allocation.SPARSE, role=VolumeRole.LEAF, created=0,
    )  # fmt: skip
    await domain.store.begin(image, volume, metadata, size=1 << 20, allocate=False)
    await domain.store.publish(image, volume)


async def uncovered(domain: Domain, image: ImageId) -> None:
    metadata = await domain.store.read(image, base(image))
    await domain.store.write(image, base(image), replace(metadata, role=VolumeRole.INTERNAL))


def test_removed_volumes_go_when_the_role_is_taken(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path)
        async with cluster.host() as storage:
            master = await make_domain(cluster, storage)
            await make_pool(storage, master)
            domain = await storage.domain(master)
            for image in (CUT_SHORT, KEPT):
                await put(domain, image, base(image))
                await put(domain, image, top(image), base(image))
                await uncovered(domain, image)
            await put(domain, WHOLE, base(WHOLE))
            await domain.store.mark_removed(CUT_SHORT, [top(CUT_SHORT)], Removal.DELETE)
            await domain.store.mark_removed(WHOLE, [base(WHOLE)], Removal.WIPE)
            pool = await connected(storage, master)
            await pool.spm.take()
            folder = Path(domain.paths.images)
            await until(lambda: sorted(path.name for path in folder.iterdir()) == [CUT_SHORT, KEPT])
            await until(lambda: not list(folder.glob(f"{CUT_SHORT}/*{top(CUT_SHORT)}*")))
            await until(lambda: "VOLTYPE=LEAF" in (folder / CUT_SHORT / f"{base(CUT_SHORT)}.meta").read_text())
            assert {*await domain.store.volumes(KEPT)} == {base(KEPT), top(KEPT)}
            assert (await domain.store.read(KEPT, base(KEPT))).role is VolumeRole.INTERNAL

    asyncio.run(main())
