"""Snapshots on the simulated hypervisor: all disks or none, thawed in the end, and no death loses data."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest
from disk_host import DiskVm, FreezingGuest, write_qcow2
from vm_host import ID

from ovis.node.hypervisor.errors import DeadlineExceeded, OperationFailed
from ovis.node.vm.block_jobs import merge
from ovis.node.vm.disks.errors import DiskBusy, DriveNotFound, SnapshotFailed
from ovis.node.vm.snapshots import snapshot
from ovis.node.vm.snapshots.snapshot import DiskWish, Wish
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms


def wish(vm: DiskVm, **changes: Any) -> Wish:
    """Prepares a new layer for every disk."""
    return Wish([DiskWish(disk.ids(), disk.ids(disk.prepare())) for disk in vm.disks], **changes)


async def ready(vm: DiskVm) -> None:
    async with asyncio.timeout(10):
        while not vm.hypervisor.domain(ID).agent_connected:  # noqa: ASYNC110
            await asyncio.sleep(0)


def test_every_disk_begins_with_its_new_layer_and_the_guest_was_frozen(tmp_path: Path) -> None:
    async def main() -> None:
        inside = FreezingGuest()
        vm = DiskVm(tmp_path, disks=2, guest=inside.guest)
        await vm.start()
        await ready(vm)
        vm.write(1, "before")

        async def body(vms: Vms, found: Vm) -> None:
            wanted = wish(vm)
            await snapshot.take(vms, found, wanted)
            drives = await vms.drives.drives(found)
            assert [drive.active.volume_id for drive in drives] == [disk.then.volume for disk in wanted.disks]
            assert inside.trace == ["freeze", "thaw"]
            assert found.disk_work.holder is None
            assert found.definition.disks[1].path == drives[1].active.path
            vm.write(1, "after")
            for disk in vm.disks:
                assert vm.images.read(str(disk.path(-1))) == {1: "before"}
                assert vm.read(disk) == {1: "after"}

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


@pytest.mark.parametrize("qemu_dies", [False, True])
def test_killed_at_every_step_of_a_snapshot(tmp_path_factory: Any, qemu_dies: bool) -> None:
    async def die_at(last: int) -> bool:
        inside = FreezingGuest()
        vm = DiskVm(tmp_path_factory.mktemp("snapshot"), disks=2, guest=inside.guest)
        await vm.start()
        await ready(vm)
        vm.write(1, "before")
        wanted = wish(vm)
        died = await vm.die_at(last, lambda vms, found: snapshot.take(vms, found, wanted))
        vm.write(1, "after")
        where = f"killed at step {last}"
        if qemu_dies:
            vm.hypervisor.stop(ID, "crashed")
            await vm.live(lambda _, found: check_down(vm, found, where))
        else:
            drives = await vm.settled()
            new = [drive.active.volume_id for drive in drives] == [disk.then.volume for disk in wanted.disks]
            old = [drive.active.volume_id for drive in drives] == [disk.now.volume for disk in wanted.disks]
            assert new or old, f"{where}: some disks have switched and others not"
            assert not inside.is_frozen, where
            assert all(vm.read(disk) == {1: "after"} for disk in vm.disks), where
        await vm.close()
        return died

    async def check_down(vm: DiskVm, found: Vm, where: str) -> None:
        for known in found.definition.disks:
            assert known.path is not None
            if known.path not in map(str, [disk.path(-1) for disk in vm.disks]):
                vm.images[known.path].backing = vm.images[known.path].backing or str(
                    next(disk for disk in vm.disks if disk.target == known.target).path(-1)
                )
            assert vm.images.read(known.path) == {1: "after"}, where

    async def main() -> None:
        steps = 0
        while await die_at(steps):
            steps += 1
        assert steps >= 10

    asyncio.run(main())


def test_snapshot_that_fails_leaves_the_old_layers_and_a_thawed_guest(tmp_path: Path) -> None:
    async def main() -> None:
        inside = FreezingGuest()
        vm = DiskVm(tmp_path, disks=2, guest=inside.guest)
        await vm.start()
        await ready(vm)
        vm.hypervisor.faults.fail("snapshot", error=OperationFailed("no"))

        async def body(vms: Vms, found: Vm) -> None:
            with pytest.raises(SnapshotFailed, match="it uses its old layers"):
                await snapshot.take(vms, found, wish(vm))
            assert not inside.is_frozen
            assert [d.active.volume_id for d in await vms.drives.drives(found)] == [d.volumes[-1] for d in vm.disks]
            await snapshot.take(vms, found, wish(vm))

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_snapshot_whose_answer_is_lost_counts_by_what_libvirt_has(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()
        late = DeadlineExceeded("snapshot", 60, started=True, domain_id=ID)
        vm.hypervisor.faults.fail("snapshot", error=late, after=True)

        async def body(vms: Vms, found: Vm) -> None:
            wanted = wish(vm)
            await snapshot.take(vms, found, wanted)
            (drive,) = await vms.drives.drives(found)
            assert drive.active.volume_id == wanted.disks[0].then.volume

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_guest_that_cannot_freeze_gets_a_snapshot_even_so(tmp_path: Path) -> None:
    async def main() -> None:
        inside = FreezingGuest(fails=True)
        vm = DiskVm(tmp_path, guest=inside.guest)
        await vm.start()
        await ready(vm)
        await vm.live(lambda vms, found: snapshot.take(vms, found, wish(vm)))
        assert not inside.is_frozen
        inside.trace.clear()
        vm.disk.volumes.append(Path(vm.hypervisor.domain(ID).root.find("devices/disk/source").get("file")).name)
        await vm.live(lambda vms, found: snapshot.take(vms, found, wish(vm, is_frozen=True)))
        assert inside.trace == []
        await vm.close()

    asyncio.run(main())


def test_layers_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path, disks=2)
        await vm.start()
        disk = vm.disk

        def one(then: str, *, now: str | None = None) -> Wish:
            return Wish([DiskWish(disk.ids(now), disk.ids(then))])

        raw = str(uuid.uuid4())
        (disk.folder / raw).write_bytes(bytes(1024))
        elsewhere = disk.prepare()
        write_qcow2(disk.folder / elsewhere, backing="/etc/passwd")

        async def body(vms: Vms, found: Vm) -> None:
            for then, words in (
                (raw, "no plain qcow2"),
                (elsewhere, "lies on /etc/passwd"),
                (disk.volumes[-1], "already"),
            ):
                with pytest.raises(SnapshotFailed, match=words):
                    await snapshot.take(vms, found, one(then))
            with pytest.raises(SnapshotFailed, match="neither a disk nor memory"):
                await snapshot.take(vms, found, Wish([]))
            with pytest.raises(DriveNotFound):
                await snapshot.take(vms, found, one(disk.prepare(), now=str(uuid.uuid4())))
            with pytest.raises(DriveNotFound):
                await snapshot.take(vms, found, one(str(uuid.uuid4())))
            assert found.disk_work.holder is None

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_disk_that_is_being_merged_takes_no_snapshot(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path, layers=2)
        vm.hypervisor.block_jobs.seconds = None
        await vm.start()

        async def body(vms: Vms, found: Vm) -> None:
            await merge.merge(vms, found, merge.Wish(vm.disk.ids(), vm.disk.volumes[0], vm.disk.volumes[1]))
            with pytest.raises(DiskBusy, match=r"merge .* is at work on vda"):
                await snapshot.take(vms, found, wish(vm))

        await vm.live(body)
        await vm.close()

    asyncio.run(main())
