"""libvirt is away for a moment, at every step of every kind of work: it ends, done or undone, and no data is lost."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from disk_host import DiskVm, until, until_async, write_qcow2
from vm_host import ID

from ovis.node.errors import NodeError
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.vm.backup import backup
from ovis.node.vm.block_jobs import merge, replica
from ovis.node.vm.disks import truth
from ovis.node.vm.disks.errors import NotReady
from ovis.node.vm.snapshots import snapshot
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms

Work = Callable[[DiskVm, Vms, Vm], Awaitable[None]]
THERE = str(uuid.uuid4())


async def snapshots(vm: DiskVm, vms: Vms, found: Vm) -> None:
    wish = snapshot.Wish([snapshot.DiskWish(disk.ids(), disk.ids(disk.prepare())) for disk in vm.disks])
    await snapshot.take(vms, found, wish)


async def inner_merges(vm: DiskVm, vms: Vms, found: Vm) -> None:
    await merge.merge(vms, found, merge.Wish(vm.disk.ids(), vm.disk.volumes[0], vm.disk.volumes[1]))
    await until_async(lambda: not found.disk_work.merges)


async def active_merges(vm: DiskVm, vms: Vms, found: Vm) -> None:
    await merge.merge(vms, found, merge.Wish(vm.disk.ids(), vm.disk.volumes[0], vm.disk.volumes[2]))
    await until_async(lambda: not found.disk_work.merges)


async def replications(vm: DiskVm, vms: Vms, found: Vm) -> None:
    volume_id = str(uuid.uuid4())
    write_qcow2(vm.folder / THERE / "images" / vm.disk.image_id / volume_id)
    copy = vm.disk.ids(volume_id, domain=THERE)
    await replica.start(vms, found, vm.disk.ids(), copy)
    while True:
        try:
            return await replica.finish(vms, found, vm.disk.ids(), copy)
        except NotReady:
            await asyncio.sleep(0.001)


async def backups(vm: DiskVm, vms: Vms, found: Vm) -> None:
    backup_id = str(uuid.uuid4())
    await backup.start(vms, found, backup.Wish(backup_id, [backup.DiskWish(vm.disk.ids(), tracks=True)]))
    await backup.stop(vms, found, backup_id)


@pytest.mark.parametrize("work", [snapshots, inner_merges, active_merges, replications, backups])
def test_work_ends_whenever_libvirt_goes_away(
    tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch, work: Work
) -> None:
    monkeypatch.setattr(truth, "AGAIN", 0.01)
    monkeypatch.setattr(merge, "LOOK_EVERY", 0.01)

    async def outage_at(step: int) -> bool:
        vm = DiskVm(tmp_path_factory.mktemp("outage"), layers=3, disks=2)
        await vm.start()
        vm.write(1, "before")
        where = f"libvirt went away at step {step}"

        async def body(vms: Vms, found: Vm) -> None:
            try:
                async with asyncio.timeout(10):
                    await work(vm, vms, found)
            except (NodeError, HypervisorError):
                pass  # it may say so, but must end
            await until_async(lambda: vm.hypervisor.connected)
            vm.write(1, "after")
            await until(lambda: at_rest(vm, vms, found))
            assert all(vm.read(disk) == {1: "after"} for disk in vm.disks), where
            drives = await vms.drives.drives(found)
            await until_async(lambda: [d.path for d in found.definition.disks] == [d.active.path for d in drives])

        happened = await vm.with_outage_at(step, body)
        await vm.close()
        return happened

    async def at_rest(vm: DiskVm, vms: Vms, found: Vm) -> bool:
        """Nothing is noted, and nothing goes on; what is still the caller's to end is ended."""
        try:
            for running in found.disk_work.replicas:
                ids = vm.disk.ids((await vms.drives.drives(found))[0].active.volume_id)
                await replica.finish(vms, found, ids, ids)
                assert found.disk_work.replica(running.disk) is None
            if found.disk_work.backup is not None:
                await backup.stop(vms, found, found.disk_work.backup.id)
            mirrors = [drive for drive in await vms.drives.drives(found) if drive.mirror is not None]
            running_backup = await vms.hypervisor.backups.running(ID)
        except (NodeError, HypervisorError):
            return False
        return found.disk_work.holder is None and not mirrors and running_backup is None

    async def main() -> None:
        steps = 0
        while await outage_at(steps):
            steps += 1
        assert steps >= 4

    asyncio.run(main())
