"""Merges on the simulated hypervisor: what they do, and that no death of agent or QEMU loses data."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from disk_host import Disk, DiskVm
from vm_host import ID

from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.vm.block_jobs import merge
from ovis.node.vm.block_jobs.merge import Wish
from ovis.node.vm.block_jobs.statistics import vm_jobs
from ovis.node.vm.disks.errors import DiskBusy, DriveNotFound, JobExists, MergeFailed
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms

JOB = "99999999-0000-4000-8000-000000000001"


def wish(disk: Disk, base: int, top: int, **changes: Any) -> Wish:
    return Wish(disk.ids(), disk.volumes[base], disk.volumes[top], job_id=JOB, **changes)


async def ended(vm: Vm) -> None:
    async with asyncio.timeout(10):
        while vm.disk_work.merges:  # noqa: ASYNC110 - what is waited for is the whole of it
            await asyncio.sleep(0)


def filled(vm: DiskVm) -> dict[int, str]:
    """Each layer has a block of its own, and one that the layer above hides."""
    for place in range(len(vm.disk.volumes)):
        vm.images.write(str(vm.disk.path(place)), place, f"layer {place}")
        vm.images.write(str(vm.disk.path(place)), 99, f"layer {place}")
    return vm.read()


@pytest.mark.parametrize(("base", "top", "left"), [(0, 1, [0, 2]), (1, 2, [0, 1]), (0, 2, [0])])
def test_merge_keeps_what_the_guest_sees_and_notes_the_chain(
    tmp_path: Path, base: int, top: int, left: list[int]
) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path, layers=3)
        await vm.start()
        before = filled(vm)

        async def body(vms: Vms, found: Vm) -> None:
            assert await merge.merge(vms, found, wish(vm.disk, base, top)) == JOB
            assert set(vm_jobs(found)) == {JOB}
            await ended(found)
            assert vm_jobs(found) == {}
            paths = [str(vm.disk.path(place)) for place in reversed(left)]
            (drive,) = await vms.drives.drives(found)
            assert list(drive.paths) == paths
            assert found.definition.disks[0].path == paths[0]
            text = await vms.hypervisor.metadata(ID, "http://ovirt.org/vm/1.0")
            assert text is not None
            assert [volume in text for volume in vm.disk.volumes] == [place in left for place in range(3)]

        await vm.live(body)
        assert vm.read() == before
        await vm.close()

    asyncio.run(main())


@pytest.mark.parametrize(("base", "top"), [(0, 1), (0, 2)])
@pytest.mark.parametrize("qemu_dies", [False, True])
def test_killed_at_every_step_of_a_merge(tmp_path_factory: Any, base: int, top: int, qemu_dies: bool) -> None:
    undecided: list[str] = []

    async def die_at(last: int) -> bool:
        vm = DiskVm(tmp_path_factory.mktemp("merge"), layers=3)
        await vm.start()
        filled(vm)

        async def body(vms: Vms, found: Vm) -> None:
            await merge.merge(vms, found, wish(vm.disk, base, top))
            await ended(found)

        died = await vm.die_at(last, body)
        vm.write(7, "new")
        vm.write(99, "changed where every layer has something")
        seen = vm.read()
        where = f"killed at step {last}"
        if qemu_dies:
            vm.hypervisor.stop(ID, "crashed")
            await check_down(vm, seen, where)
        else:
            (drive,) = await vm.settled()
            assert vm.read() == seen, where
            assert vm.images.read(drive.active.path) == seen, where
            kept = vm.disk.volumes[base] if top == 2 else vm.disk.volumes[2]
            assert drive.active.volume_id in (kept, vm.disk.volumes[2]), where
        await vm.close()
        return died

    async def check_down(vm: DiskVm, seen: dict[int, str], where: str) -> None:
        async def body(vms: Vms, found: Vm) -> None:
            assert found.exit is not None
            path = found.definition.disks[0].path
            assert path is not None
            if "start from the newer one" in found.exit.message:
                undecided.append(where)
            else:
                assert vm.images.read(path) == seen, where

        await vm.live(body)

    async def main() -> None:
        steps = 0
        while await die_at(steps):
            steps += 1
        assert steps >= 10
        assert len(undecided) <= (9 if top == 2 and qemu_dies else 0), undecided

    asyncio.run(main())


def test_merge_is_found_in_the_metadata_when_the_record_is_lost(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path, layers=2)
        vm.hypervisor.block_jobs.seconds = None
        await vm.start()
        before = filled(vm)

        async def begin(vms: Vms, found: Vm) -> None:
            await merge.merge(vms, found, wish(vm.disk, 0, 1))

        await vm.live(begin)
        (tmp_path / "vms" / f"{ID}.json").unlink()

        async def go_on(vms: Vms, found: Vm) -> None:
            assert set(vm_jobs(found)) == {JOB}
            vm.hypervisor.block_jobs.finish(ID, "vda")
            await ended(found)
            assert found.definition.disks[0].path == str(vm.disk.path(0))

        await vm.live(go_on)
        assert vm.read() == before
        await vm.close()

    asyncio.run(main())


def test_merge_whose_mirror_libvirt_does_not_show_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path, layers=2)
        await vm.start()
        before = filled(vm)
        monkeypatch.setattr(vm.hypervisor.block_jobs, "_show_mirror", lambda *_: None)

        async def body(vms: Vms, found: Vm) -> None:
            await merge.merge(vms, found, wish(vm.disk, 0, 1))
            await ended(found)
            assert found.definition.disks[0].path == str(vm.disk.path(0))

        await vm.live(body)
        assert vm.read() == before
        await vm.close()

    asyncio.run(main())


def test_failed_commit_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path, layers=2)
        await vm.start()
        before = filled(vm)
        vm.hypervisor.faults.fail("commit", error=OperationFailed("no space"))

        async def body(vms: Vms, found: Vm) -> None:
            with pytest.raises(MergeFailed, match="no space; the chain is as it was"):
                await merge.merge(vms, found, wish(vm.disk, 0, 1))
            assert found.disk_work.holder is None
            await merge.merge(vms, found, wish(vm.disk, 0, 1))
            await ended(found)

        await vm.live(body)
        assert vm.read() == before
        await vm.close()

    asyncio.run(main())


def test_commit_that_fails_on_the_way_is_given_up(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path, layers=2)
        vm.hypervisor.block_jobs.seconds = None
        await vm.start()
        before = filled(vm)

        async def body(vms: Vms, found: Vm) -> None:
            await merge.merge(vms, found, wish(vm.disk, 0, 1))
            vm.hypervisor.block_jobs.finish(ID, "vda", status="failed")
            await ended(found)

        await vm.live(body)
        assert vm.read() == before
        await vm.close()

    asyncio.run(main())


def test_what_cannot_be_merged_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path, layers=3)
        vm.hypervisor.block_jobs.seconds = None
        await vm.start()

        async def body(vms: Vms, found: Vm) -> None:
            with pytest.raises(MergeFailed, match="not below"):
                await merge.merge(vms, found, wish(vm.disk, 2, 0))
            with pytest.raises(MergeFailed, match="not in the chain"):
                await merge.merge(vms, found, Wish(vm.disk.ids(), JOB, vm.disk.volumes[2]))
            with pytest.raises(DriveNotFound):
                await merge.merge(vms, found, Wish(vm.disk.ids(JOB), vm.disk.volumes[0], vm.disk.volumes[2]))
            await merge.merge(vms, found, wish(vm.disk, 0, 1))
            with pytest.raises(JobExists):
                await merge.merge(vms, found, wish(vm.disk, 0, 2))
            with pytest.raises(DiskBusy, match="is at work on vda"):
                await merge.merge(vms, found, Wish(vm.disk.ids(), vm.disk.volumes[0], vm.disk.volumes[2]))

        await vm.live(body)
        await vm.close()

    asyncio.run(main())
