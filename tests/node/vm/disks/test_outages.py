"""libvirt goes away or QEMU dies at every step of work on disks: it ends, done or undone, and no data is lost.

Steps are before, within and after the calls that the hypervisor gets. The guest writes until its last moment.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from disk_host import DiskVm, until, until_async
from disk_works import ALL, CHANGES_OVER, Work
from lxml import etree
from vm_host import ID

from ovis.node.errors import NodeError
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.vm import metadata
from ovis.node.vm.backup import backup
from ovis.node.vm.block_jobs import merge, replica
from ovis.node.vm.disks import drives, truth
from ovis.node.vm.snapshots import freezing
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms

UNDECIDED = "start from the newer one"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "AGAIN", 0.01)
    monkeypatch.setattr(merge, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(freezing, "AGAIN", 0.01)


async def made(folder: Path) -> DiskVm:
    vm = DiskVm(folder, layers=3, disks=2)
    await vm.start()
    vm.write(1, "before")
    return vm


async def worked(work: Work, vm: DiskVm, vms: Vms, found: Vm) -> None:
    try:
        async with asyncio.timeout(10):
            await work(vm, vms, found)
    except (NodeError, HypervisorError):
        pass  # it may say so, but must end


def leftovers(vm: DiskVm) -> list[Path]:
    return [path for name in ("sockets", "scratch") for path in (vm.folder / name).glob("*")]


@pytest.mark.parametrize("work", ALL)
def test_work_ends_whenever_libvirt_goes_away(tmp_path_factory: Any, work: Work) -> None:
    async def outage_at(step: int) -> bool:
        vm = await made(tmp_path_factory.mktemp("outage"))
        where = f"libvirt went away at step {step}"

        async def look(vms: Vms, found: Vm) -> None:
            await until_async(lambda: vm.hypervisor.connected)
            vm.write(1, "after")
            await until(lambda: at_rest(vm, vms, found))
            assert all(vm.read(disk) == {1: "after"} for disk in vm.disks), where
            assert leftovers(vm) == [], where
            now = await vms.drives.drives(found)
            await until_async(lambda: [d.path for d in found.definition.disks] == [d.active.path for d in now])
            await until(lambda: metadata_is_true(vms, {d.target: set(d.paths) for d in now}))

        happened = await vm.with_accident_at(step, vm.lose_libvirt, lambda *it: worked(work, vm, *it), look)
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

    run_at_every_step(outage_at)


async def metadata_is_true(vms: Vms, chains: dict[str, set[str]]) -> bool:
    """As far as it tells of chains: before the first work it does not."""
    text = await vms.hypervisor.metadata(ID, metadata.URI)
    groups = drives.device_groups(etree.fromstring(text or "<vm/>"))
    told = {group.get("name", ""): set(drives.volume_paths(group)) for group in groups}
    return told == chains or not any(told.values())


@pytest.mark.parametrize("libvirt_is_away", [False, True])
@pytest.mark.parametrize("work", ALL)
def test_disks_are_whole_whenever_qemu_dies(tmp_path_factory: Any, work: Work, libvirt_is_away: bool) -> None:
    undecided: list[int] = []

    async def death_at(step: int) -> bool:
        vm = await made(tmp_path_factory.mktemp("death"))
        where = f"QEMU died at step {step}"
        seen: list[dict[int, str]] = []

        def die() -> HypervisorError:
            vm.write(1, "last")
            seen.extend(vm.read(disk) for disk in vm.disks)
            lost = vm.lose_libvirt() if libvirt_is_away else None
            failed = vm.kill_qemu()
            return lost or failed

        async def look(vms: Vms, found: Vm) -> None:
            if not seen:
                return
            await until_async(lambda: found.is_down and vm.hypervisor.connected and not leftovers(vm))
            await until_async(lambda: found.disk_work.holder is None or said(found))
            check(vm, found)
            await vms.store.run(lambda: None)

        def check(vm: DiskVm, found: Vm) -> None:
            paths = [str(known.path) for known in found.definition.disks]
            now = [vm.images.read(path) for path in paths]
            if said(found):
                undecided.append(step)
                now[0] = seen[0]
            assert now == seen, where

        def said(found: Vm) -> bool:
            return found.exit is not None and UNDECIDED in found.exit.message

        async def later(_: Vms, found: Vm) -> None:
            assert found.is_down, where
            check(vm, found)
            assert leftovers(vm) == [], where

        happened = await vm.with_accident_at(step, die, lambda *it: worked(work, vm, *it), look)
        if seen:
            await vm.live(later)
        await vm.close()
        return happened

    run_at_every_step(death_at)
    assert len(set(undecided)) <= (3 if work in CHANGES_OVER else 0), undecided


def run_at_every_step(happens_at: Any) -> None:
    async def main() -> None:
        steps = 0
        while await happens_at(steps):
            steps += 1
        assert steps >= 4

    asyncio.run(main())
