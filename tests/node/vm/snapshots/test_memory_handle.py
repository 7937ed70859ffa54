"""Both ways to say where the memory of a snapshot goes."""

import asyncio
import uuid
from pathlib import Path

import pytest
from disk_host import DiskVm

from ovis.node.errors import BadParameter
from ovis.node.vm.disks.errors import DriveNotFound
from ovis.node.vm.saved_memory import Place
from ovis.node.vm.snapshots import memory_handle
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms


def test_ids_and_paths_lead_to_files_that_exist_in_allowed_places(tmp_path: Path) -> None:
    domain, pool, image, volume, other_image, other_volume = (str(uuid.uuid4()) for _ in range(6))
    memory = tmp_path / domain / "images" / image / volume
    parameters = tmp_path / domain / "images" / other_image / other_volume
    for path in (memory, parameters):
        path.parent.mkdir(parents=True)
        path.touch()

    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()

        async def body(vms: Vms, found: Vm) -> None:
            expected = Place(str(memory), str(parameters))
            ids = ",".join((domain, pool, image, volume, other_image, other_volume))
            assert await memory_handle.place(vms, found, ids) == expected
            assert await memory_handle.place(vms, found, f"{memory},{parameters}") == expected
            with pytest.raises(DriveNotFound):
                await memory_handle.place(vms, found, ids.replace(volume, str(uuid.uuid4())))
            for wrong in ("", "a,b", f"{memory}", f"/etc/passwd,{parameters}", ids.replace(pool, "x")):
                with pytest.raises(BadParameter):
                    await memory_handle.place(vms, found, wrong)

        await vm.live(body)
        await vm.close()

    asyncio.run(main())
