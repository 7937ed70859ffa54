"""kill -9 of the root helper, in each step that changes a group: what is found afterwards is what the model says."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from ovis.node.privileged.client import Privileged
from ovis.node.privileged.errors import PrivilegedError
from ovis.node.privileged.lvm import READING, RunLvm
from ovis.node.storage.domains.block_creation import create_block_domain
from ovis.node.storage.domains.block_domain import BlockDomain, block_domains
from ovis.node.storage.errors import NoSuchVolume
from ovis.node.storage.formats.group_tags import UNREADY
from ovis.node.storage.formats.identifiers import ImageId, VolumeId
from ovis.node.storage.formats.volume_tags import INITIALIZING, SPECIAL, Removal
from ovis.node.storage.lvm import groups
from ovis.node.storage.lvm.errors import LvmFailed
from tests.bed.parts.block import GIB, block_domain, block_host, metadata_of, new_domain, new_image, new_volume
from tests.bed.parts.loop import loop_device
from tests.bed.parts.programs import until

HOW = ("during", "after")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "disks").mkdir()
    with loop_device(tmp_path / "disks", 16 * GIB) as made:
        yield made


class Killer:
    """A root helper that dies of its `number`th changing LVM command: while it runs, or before it can answer."""

    def __init__(self, helper: Privileged) -> None:
        self._helper = helper
        self.left = 0
        self.how = ""

    async def call(self, request: Any, **more: Any) -> Any:
        is_change = isinstance(request, RunLvm) and request.arguments[0] not in READING
        self.left -= is_change
        if not is_change or self.left != 0:
            return await self._helper.call(request, **more)
        doing = asyncio.create_task(self._helper.call(request, **more))
        if self.how == "after":
            await doing
        else:
            await asyncio.to_thread(until, "LVM runs", lambda: has_child(self._helper.process))
        assert self._helper.process is not None
        os.kill(self._helper.process, signal.SIGKILL)
        await asyncio.wait([doing])
        if doing.exception() is None:
            raise PrivilegedError("the helper was killed")
        return doing.result()

    async def close(self) -> None:
        await self._helper.close()


def has_child(process: int | None) -> bool:
    return process is not None and bool(Path(f"/proc/{process}/task/{process}/children").read_text())


async def create(domain: BlockDomain, image: ImageId, volume: VolumeId) -> None:
    await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
    await domain.store.publish(image, volume)


async def remove(domain: BlockDomain, image: ImageId, volume: VolumeId) -> None:
    await domain.store.mark_removed(image, [volume], Removal.DELETE)
    await domain.store.purge(image, [volume])


def test_creating_and_removing_a_volume_survives_the_helper(tmp_path: Path, disk: Path) -> None:
    async def main() -> None:
        killers: list[Killer] = []

        def killed(root: Privileged) -> Killer:
            killers.append(Killer(root))
            return killers[-1]

        async with block_host(tmp_path, wrap=killed) as host, block_domain(host, [disk]) as domain:
            (killer,) = killers
            for how in HOW:
                for step in (1, 2):
                    image, volume = new_image(), new_volume()
                    killer.how, killer.left = how, step
                    with pytest.raises(PrivilegedError):
                        await create(domain, image, volume)
                    found = (await domain.store.volumes(image)).get(volume)
                    if found is None or found.is_unfinished:
                        await domain.store.discard(image, volume)
                        assert not await domain.store.volumes(image)
                        await create(domain, image, volume)
                    assert await domain.store.read(image, volume) == metadata_of(domain.id, image)

                    killer.how, killer.left = how, step
                    with pytest.raises(PrivilegedError):
                        await remove(domain, image, volume)
                    try:
                        await remove(domain, image, volume)
                    except NoSuchVolume:
                        assert step == 2  # LVM had ended its work
                    group = await domain.group()
                    assert group.volumes.keys() == SPECIAL
                    assert not any(INITIALIZING in logical.tags for logical in group.volumes.values())

    asyncio.run(main())


def test_a_domain_is_there_or_not_whenever_the_helper_dies(tmp_path: Path, disk: Path) -> None:
    """The last command makes it one; any of those before leaves a group that is begun with again."""

    async def main() -> None:
        killers: list[Killer] = []

        def killed(root: Privileged) -> Killer:
            killers.append(Killer(root))
            return killers[-1]

        async with block_host(tmp_path, wrap=killed) as host:
            (killer,) = killers
            metadata = new_domain()
            await groups.create(host.lvm, metadata.id, [PurePosixPath(disk)], tags=[UNREADY])
            for how, step in (("during", 1), ("after", 7), ("during", 8)):
                killer.how, killer.left = how, step
                with pytest.raises((PrivilegedError, LvmFailed)):
                    await create_block_domain(host, metadata)
                assert await block_domains(host.lvm) == []
            killer.left = 0
            domain = await create_block_domain(host, metadata)
            assert await block_domains(host.lvm) == [metadata.id]
            await domain.close()
            await groups.remove(host.lvm, metadata.id)

    asyncio.run(main())
