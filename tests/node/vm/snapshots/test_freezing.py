"""A guest is thawed in the end, whatever its agent does meanwhile."""

import asyncio
from pathlib import Path

import pytest
from disk_host import DiskVm, FreezingGuest, until_async
from vm_host import ID

from ovis.node.guest import freezing as by_client
from ovis.node.hypervisor.errors import AgentUnavailable, DeadlineExceeded
from ovis.node.vm.snapshots import freezing
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms


async def started(folder: Path, inside: FreezingGuest) -> DiskVm:
    vm = DiskVm(folder, guest=inside.guest)
    await vm.start()
    await until_async(lambda: vm.hypervisor.domain(ID).agent_connected)
    return vm


def test_guest_that_does_not_answer_is_thawed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezing, "AGAIN", 0.01)

    async def main() -> None:
        inside = FreezingGuest()
        vm = await started(tmp_path, inside)

        async def body(vms: Vms, found: Vm) -> None:
            async with freezing.frozen(vms, found) as freeze:
                assert (freeze.file_systems, inside.is_frozen) == (2, True)
                vm.hypervisor.faults.fail("agent", times=3, error=AgentUnavailable(ID, "is not responding"))
            assert inside.is_frozen
            await until_async(lambda: not inside.is_frozen)

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_freeze_whose_answer_is_lost_is_thawed(tmp_path: Path) -> None:
    async def main() -> None:
        inside = FreezingGuest()
        vm = await started(tmp_path, inside)

        async def body(vms: Vms, found: Vm) -> None:
            late = DeadlineExceeded("agent", 60, started=True, domain_id=ID)
            vm.hypervisor.faults.fail("agent", error=late)
            inside.is_frozen = True
            async with freezing.frozen(vms, found) as freeze:
                assert freeze.file_systems is None
            assert not inside.is_frozen

        await vm.live(body)
        await vm.close()

    asyncio.run(main())


def test_guest_that_its_client_has_frozen_stays_so(tmp_path: Path) -> None:
    async def main() -> None:
        inside = FreezingGuest()
        vm = await started(tmp_path, inside)

        async def body(vms: Vms, found: Vm) -> None:
            await by_client.freeze(vms, found)
            async with freezing.frozen(vms, found) as freeze:
                assert freeze.file_systems is not None
            assert inside.is_frozen
            await by_client.thaw(vms, found)
            assert inside.trace == ["freeze", "thaw"]

        await vm.live(body)
        await vm.close()

    asyncio.run(main())
