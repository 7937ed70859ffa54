"""udev leaves volumes of domains to the agent."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bed.parts.block import GIB, block_domain, block_host, metadata_of, new_image, new_volume
from tests.bed.parts.loop import loop_device
from tests.bed.parts.programs import run

RULES = Path(__file__).parents[2] / "src/ovis/node/setup/files/57-ovis-storage.rules"


@pytest.fixture
def rules() -> Iterator[None]:
    installed = Path("/etc/udev/rules.d") / RULES.name
    shutil.copy(RULES, installed)
    run("udevadm", "control", "--reload")
    yield
    installed.unlink()
    run("udevadm", "control", "--reload")


@pytest.mark.usefixtures("rules")
def test_an_event_does_not_take_a_volume_from_its_owner(tmp_path: Path) -> None:
    async def main(disk: Path) -> None:
        async with block_host(tmp_path, owner=(36, 36)) as host, block_domain(host, [disk]) as domain:
            image, volume = new_image(), new_volume()
            path = await domain.store.begin(image, volume, metadata_of(domain.id, image), size=GIB, allocate=True)
            await asyncio.to_thread(run, "udevadm", "trigger", "--action=add", "--settle", "--subsystem-match=block")
            owners = [os.stat(place) for place in (path, domain.special("ids").path)]
            assert {(owner.st_uid, owner.st_gid, owner.st_mode & 0o777) for owner in owners} == {(36, 36, 0o660)}

    (tmp_path / "disks").mkdir()
    with loop_device(tmp_path / "disks", 16 * GIB) as disk:
        asyncio.run(main(disk))
