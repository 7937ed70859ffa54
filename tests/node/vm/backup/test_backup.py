"""Backups and checkpoints on the simulated hypervisor."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest
from disk_host import DiskVm, FreezingGuest, until, until_async
from vm_host import ID

from ovis.client.types import HotplugDiskParams
from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.vm.backup import backup, checkpoints
from ovis.node.vm.backup.backup import DiskWish, Wish
from ovis.node.vm.backup.checkpoints import Known
from ovis.node.vm.disks.errors import (
    BackupFailed,
    DiskBusy,
    InconsistentCheckpoint,
    NoSuchBackup,
    NoSuchCheckpoint,
)
from ovis.node.vm.hotplug import disks as hotplugged
from ovis.node.vm.hotplug.errors import UnplugDiskFailed
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms

BACKUP = str(uuid.uuid4())


def wish(vm: DiskVm, **changes: Any) -> Wish:
    return Wish(BACKUP, [DiskWish(disk.ids(), tracks=True) for disk in vm.disks], **changes)


def leftovers(vm: DiskVm) -> list[Path]:
    return [path for name in ("sockets", "scratch") for path in (vm.folder / name).glob("*")]


def touch_files(found: Vm) -> None:
    """As QEMU makes them."""
    assert found.disk_work.backup is not None
    for path in (found.disk_work.backup.socket, *found.disk_work.backup.scratch):
        Path(path).touch()


def test_backup_is_offered_until_it_is_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path, disks=2)
        await vm.start()
        first, second = str(uuid.uuid4()), str(uuid.uuid4())

        async def body(vms: Vms, found: Vm) -> None:
            running = await backup.start(vms, found, wish(vm, checkpoint=first))
            touch_files(found)
            assert set(running.addresses) == {disk.image_id for disk in vm.disks}
            assert running.addresses[vm.disk.image_id].endswith(".nbd:exportname=vda")
            assert running.checkpoint is not None
            assert (await backup.info(vms, found, BACKUP, first)) == running
            with pytest.raises(DiskBusy, match=f"backup {BACKUP}"):
                await backup.start(vms, found, wish(vm))
            await backup.stop(vms, found, str(uuid.uuid4()))  # another one: over already
            assert found.disk_work.backup is not None
            for _ in range(2):
                await backup.stop(vms, found, BACKUP)
            assert leftovers(vm) == []
            with pytest.raises(NoSuchBackup):
                await backup.info(vms, found, BACKUP, None)
            await backup.start(vms, found, wish(vm, since=first, checkpoint=second))
            text = await vms.hypervisor.backups.running(ID)
            assert text is not None
            assert text.count('backupmode="incremental"') == 2
            assert await checkpoints.names(vms, found) == [first, second]

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


@pytest.mark.parametrize("qemu_dies", [False, True])
def test_killed_at_every_step_of_a_backup(tmp_path_factory: Any, qemu_dies: bool) -> None:
    async def die_at(last: int) -> bool:
        inside = FreezingGuest()
        vm = DiskVm(tmp_path_factory.mktemp("backup"), guest=inside.guest)
        await vm.start()
        await until_async(lambda: vm.hypervisor.domain(ID).agent_connected)

        async def body(vms: Vms, found: Vm) -> None:
            await backup.start(vms, found, wish(vm))
            touch_files(found)
            await backup.stop(vms, found, BACKUP)

        died = await vm.die_at(last, body)
        if qemu_dies:
            vm.hypervisor.stop(ID, "crashed")
        await vm.live(lambda vms, found: look(vm, vms, found, f"killed at step {last}"))
        assert leftovers(vm) == []
        assert qemu_dies or not inside.is_frozen
        await vm.close()
        return died

    async def look(vm: DiskVm, vms: Vms, found: Vm, where: str) -> None:
        async def agrees() -> bool:
            return (await vms.hypervisor.backups.running(ID) is not None) is (found.disk_work.backup is not None)

        if not qemu_dies:
            await until(agrees)
        await backup.stop(vms, found, BACKUP)
        async with asyncio.timeout(10):
            while leftovers(vm) or found.disk_work.backup is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        if not qemu_dies:
            assert await vms.hypervisor.backups.running(ID) is None, where

    async def main() -> None:
        steps = 0
        while await die_at(steps):
            steps += 1
        assert steps >= 8

    asyncio.run(main())


def test_start_that_fails_leaves_no_backup(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()

        async def body(vms: Vms, found: Vm) -> None:
            for after in (False, True):
                vm.hypervisor.faults.fail("begin_backup", error=OperationFailed("no"), after=after)
                with pytest.raises(BackupFailed, match="no backup runs"):
                    await backup.start(vms, found, wish(vm))
                assert found.disk_work.backup is None
                assert await vms.hypervisor.backups.running(ID) is None
            with pytest.raises(BackupFailed, match="cannot be frozen"):
                await backup.start(vms, found, wish(vm, require_consistency=True))
            assert await vms.hypervisor.backups.running(ID) is None
            with pytest.raises(NoSuchCheckpoint):
                await backup.start(vms, found, wish(vm, since=str(uuid.uuid4())))
            with pytest.raises(BadParameter, match="is empty"):
                await backup.start(vms, found, Wish(BACKUP, []))

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_backup_ends_with_its_vm(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()

        async def body(vms: Vms, found: Vm) -> None:
            await backup.start(vms, found, wish(vm))
            touch_files(found)
            vm.hypervisor.stop(ID, "crashed")
            async with asyncio.timeout(10):
                while leftovers(vm) or found.disk_work.backup is not None:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            await backup.stop(vms, found, BACKUP)

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_checkpoints_are_defined_again_in_order_until_one_is_broken(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()
        names = [str(uuid.uuid4()) for _ in range(3)]
        vm.hypervisor.backups.bitmaps |= {(ID, names[0]), (ID, names[2])}

        def known(name: str) -> Known:
            data = checkpoints.Data([vm.disk.ids()], None, 1_700_000_000)
            return Known(name, None, data)

        async def body(vms: Vms, found: Vm) -> None:
            outcome = await checkpoints.redefine(vms, found, [known(name) for name in names])
            assert outcome.done == names[:1]
            assert isinstance(outcome.error, InconsistentCheckpoint)
            assert await checkpoints.names(vms, found) == names[:1]
            xml = await checkpoints.dump(vms, found, names[0])
            with pytest.raises(BadParameter, match="with the name"):
                await checkpoints.redefine(vms, found, [Known(names[2], xml, None)])
            with pytest.raises(BadParameter, match="refused"):
                await checkpoints.redefine(vms, found, [Known(names[2], "<!DOCTYPE x><x/>", None)])
            assert (await checkpoints.delete(vms, found, [*names])).done == names
            assert (ID, names[0]) not in vm.hypervisor.backups.bitmaps

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_files_of_backups_that_nobody_knows_are_removed_at_the_start(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()

        async def begin(vms: Vms, found: Vm) -> None:
            await backup.start(vms, found, wish(vm))
            touch_files(found)

        await vm.live(begin)
        (tmp_path / "scratch" / "old-vda.scratch").touch()
        kept = set(leftovers(vm)) - {tmp_path / "scratch" / "old-vda.scratch"}

        async def look(_: Vms, found: Vm) -> None:
            assert set(leftovers(vm)) == kept
            assert found.disk_work.backup is not None

        await vm.live(look)
        await vm.close()

    asyncio.run(main())


def test_disk_in_a_backup_is_not_unplugged(tmp_path: Path) -> None:
    async def main() -> None:
        vm = DiskVm(tmp_path)
        await vm.start()

        async def body(vms: Vms, found: Vm) -> None:
            await backup.start(vms, found, wish(vm))
            with pytest.raises(UnplugDiskFailed, match=f"backup {BACKUP} is at work"):
                await hotplugged.unplug(vms, found, HotplugDiskParams(vm_id=ID, xml=vm.disk.xml))

        await vm.live(body)
        await vm.close()

    asyncio.run(main())
