"""Replication on the simulated hypervisor: change over, give up, and no death loses data."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest
from disk_host import DiskVm, until, write_qcow2
from vm_host import ID

from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.vm.block_jobs import replica
from ovis.node.vm.disks.errors import DiskBusy, DriveNotFound, NotReady, NotReplicating, ReplicaFailed
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms

THERE = str(uuid.uuid4())


def destination(vm: DiskVm, *, size: int = 10 << 30) -> VolumeIds:
    """A prepared volume of the same image on another storage domain."""
    volume_id = str(uuid.uuid4())
    write_qcow2(vm.folder / THERE / "images" / vm.disk.image_id / volume_id, size=size)
    return vm.disk.ids(volume_id, domain=THERE)


def path_of(vm: DiskVm, ids: VolumeIds) -> str:
    return str(vm.folder / THERE / "images" / vm.disk.image_id / ids.volume)


async def finish(vms: Vms, found: Vm, source: VolumeIds, target: VolumeIds) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                return await replica.finish(vms, found, source, target)
            except NotReady:
                await asyncio.sleep(0)


@pytest.mark.parametrize("changes_over", [True, False])
def test_vm_uses_what_the_caller_chose_in_the_end(tmp_path: Path, changes_over: bool) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()
        vm.write(1, "before")

        async def body(vms: Vms, found: Vm) -> None:
            source, copy = vm.disk.ids(), destination(vm)
            await replica.start(vms, found, source, copy)
            text = await vms.hypervisor.metadata(ID, "http://ovirt.org/vm/1.0")
            assert text is not None
            assert "diskReplicate" in text
            vm.write(2, "during")
            await finish(vms, found, source, copy if changes_over else source)
            (drive,) = await vms.drives.drives(found)
            assert drive.active.path == (path_of(vm, copy) if changes_over else str(vm.disk.path(-1)))
            assert vm.read() == {1: "before", 2: "during"}
            assert found.disk_work.holder is None
            with pytest.raises(NotReplicating):
                await replica.finish(vms, found, source, copy)

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_disk_that_moves_to_another_domain_keeps_its_ids(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()
        vm.write(1, "before")
        moved = vm.disk.ids(domain=THERE)
        write_qcow2(Path(path_of(vm, moved)))

        async def body(vms: Vms, found: Vm) -> None:
            await replica.start(vms, found, vm.disk.ids(), moved)
            await finish(vms, found, vm.disk.ids(), moved)
            (drive,) = await vms.drives.drives(found)
            assert drive.active.path == path_of(vm, moved)
            assert (drive.domain_id, drive.image_id, drive.active.volume_id) == (THERE, vm.disk.image_id, moved.volume)
            text = await vms.hypervisor.metadata(ID, "http://ovirt.org/vm/1.0")
            assert text is not None
            assert vm.disk.ids().domain not in text

        await vm.live(body)
        assert vm.read() == {1: "before"}
        await vm.close()

    asyncio.run(main())


@pytest.mark.parametrize("qemu_dies", [False, True])
def test_killed_at_every_step_of_a_replication(tmp_path_factory: Any, qemu_dies: bool) -> None:
    undecided: list[int] = []

    async def die_at(last: int) -> bool:
        vm = DiskVm(tmp_path_factory.mktemp("replica"))
        await vm.start()
        vm.write(1, "before")
        source, copy = vm.disk.ids(), destination(vm)

        async def body(vms: Vms, found: Vm) -> None:
            await replica.start(vms, found, source, copy)
            await finish(vms, found, source, copy)

        died = await vm.die_at(last, body)
        vm.write(1, "after")
        seen = vm.read()
        if qemu_dies:
            vm.hypervisor.stop(ID, "crashed")
        await vm.live(lambda vms, found: look(vm, vms, found, seen, last))
        await vm.close()
        return died

    async def look(vm: DiskVm, vms: Vms, found: Vm, seen: dict[int, str], last: int) -> None:
        where = f"killed at step {last}"
        if qemu_dies:
            assert found.exit is not None
            path = found.definition.disks[0].path
            assert path is not None
            if "start from the newer one" in found.exit.message:
                undecided.append(last)
            else:
                assert vm.images.read(path) == seen, where
            return

        async def agrees() -> bool:
            (drive,) = await vms.drives.drives(found)
            return (drive.mirror is not None) is (found.disk_work.holder is not None)

        await until(agrees)
        (drive,) = await vms.drives.drives(found)
        assert vm.read() == seen, where
        if drive.mirror is not None:
            ids = VolumeIds(drive.active.volume_id or "", vm.disk.image_id)
            await finish(vms, found, ids, ids)  # still the caller's to end
            assert vm.read() == seen, where

    async def main() -> None:
        steps = 0
        while await die_at(steps):
            steps += 1
        assert steps >= 10
        assert len(undecided) <= (9 if qemu_dies else 0), undecided

    asyncio.run(main())


def test_start_that_fails_leaves_no_mirror(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()

        async def body(vms: Vms, found: Vm) -> None:
            for after in (False, True):
                vm.hypervisor.faults.fail("copy", error=OperationFailed("no"), after=after)
                with pytest.raises(ReplicaFailed, match=r"uses .* only"):
                    await replica.start(vms, found, vm.disk.ids(), destination(vm))
                (drive,) = await vms.drives.drives(found)
                assert drive.mirror is None
                assert found.disk_work.holder is None

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_mirror_that_breaks_by_itself_is_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        vm.hypervisor.block_jobs.seconds = None
        await vm.start()

        async def body(vms: Vms, found: Vm) -> None:
            source, copy = vm.disk.ids(), destination(vm)
            await replica.start(vms, found, source, copy)
            with pytest.raises(NotReady):
                await replica.finish(vms, found, source, copy)
            with pytest.raises(DiskBusy):
                await replica.start(vms, found, source, destination(vm))
            vm.hypervisor.block_jobs.finish(ID, "vda", status="failed")
            async with asyncio.timeout(10):
                while found.disk_work.replicas:  # noqa: ASYNC110
                    await asyncio.sleep(0)
            with pytest.raises(NotReplicating):
                await replica.finish(vms, found, source, copy)

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_bad_destinations_are_refused(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()
        hostile = destination(vm)
        write_qcow2(Path(path_of(vm, hostile)), backing="/etc/passwd")
        remote = destination(vm)
        write_qcow2(Path(path_of(vm, remote)), backing="nbd://elsewhere/disk")

        async def body(vms: Vms, found: Vm) -> None:
            source = vm.disk.ids()
            with pytest.raises(ReplicaFailed, match="holds 512 bytes"):
                await replica.start(vms, found, source, destination(vm, size=512))
            with pytest.raises(DriveNotFound):
                await replica.start(vms, found, source, vm.disk.ids(str(uuid.uuid4()), domain=THERE))
            with pytest.raises(ReplicaFailed, match="in use"):
                await replica.start(vms, found, source, source)
            with pytest.raises(BadParameter, match="outside"):
                await replica.start(vms, found, source, hostile)
            with pytest.raises(BadParameter, match="no path"):
                await replica.start(vms, found, source, remote)
            assert found.disk_work.holder is None

        await vm.live(body)
        await vm.close()

    asyncio.run(main())
