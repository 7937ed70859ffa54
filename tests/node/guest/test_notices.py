"""What the guest's oVirt agent is told around its time on disk."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from desktop_agent import DEVICE, DesktopAgent, desktop_agent
from vm_host import ID, VmHost, vm_host

from ovis.client.types import VmParameters, VmStatus
from ovis.node.guest import desktop
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm import ending, hibernation, running


def run(folder: Path, body: Callable[[VmHost, DesktopAgent], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(30), vm_host(folder) as host, desktop_agent(host.hypervisor) as agent:
            await host.started(devices=DEVICE)
            await host.until(lambda: host.vms.desktops.answers(ID))
            await body(host, agent)

    asyncio.run(whole())


def handle(folder: Path) -> str:
    found = [folder / "memory", folder / "parameters"]
    for path in found:
        path.touch()
    return ",".join(map(str, found))


async def save(host: VmHost, folder: Path) -> None:
    await hibernation.begin(host.vms, host.vms.find(ID), handle(folder), "hibernationVolHandle")


async def wait(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - any claim, not an event
            await asyncio.sleep(0.001)


def test_the_guest_hears_of_its_sleep(tmp_path: Path) -> None:
    async def body(host: VmHost, agent: DesktopAgent) -> None:
        vm = host.vms.find(ID)
        await save(host, tmp_path)
        await wait(lambda: vm.is_down)
        await ending.destroy(host.vms, vm, graceful_attempts=0)
        await host.vms.create(ID, VmParameters(hiber_vol_handle=f"{tmp_path}/memory,{tmp_path}/parameters"))
        await wait(lambda: agent.told == ["before_hibernation", "after_hibernation"])

    run(tmp_path, body)


def test_a_desktop_in_use_is_locked_before(tmp_path: Path) -> None:
    async def body(host: VmHost, agent: DesktopAgent) -> None:
        vm = host.vms.find(ID)
        await desktop.log_in(host.vms, vm, user="me", domain="", password="secret")
        await wait(lambda: vm.guest is not None and vm.guest.session == "UserLoggedOn")
        await save(host, tmp_path)
        await wait(lambda: vm.is_down)
        assert agent.told == ["locked", "before_hibernation"]

    run(tmp_path, body)


def test_a_save_that_fails_is_told(tmp_path: Path) -> None:
    async def body(host: VmHost, agent: DesktopAgent) -> None:
        host.hypervisor.faults.fail("write", error=OperationFailed("No space left on device"))
        await save(host, tmp_path)
        await wait(lambda: agent.told == ["before_hibernation", "after_hibernation!"])
        await wait(lambda: host.vms.find(ID).notice is None)

    run(tmp_path, body)


def test_a_save_is_cancelled_while_the_guest_gets_ready(tmp_path: Path) -> None:
    async def body(host: VmHost, agent: DesktopAgent) -> None:
        agent.is_ready = False
        vm = host.vms.find(ID)
        await save(host, tmp_path)
        await wait(lambda: agent.told)
        await hibernation.cancel(host.vms, vm)
        assert vm.status in (VmStatus.UP, VmStatus.POWERING_UP)
        await wait(lambda: agent.told == ["before_hibernation", "after_hibernation!"])

    run(tmp_path, body)


def test_a_paused_guest_is_saved_unasked(tmp_path: Path) -> None:
    async def body(host: VmHost, agent: DesktopAgent) -> None:
        vm = host.vms.find(ID)
        await running.pause(host.vms, vm)
        await save(host, tmp_path)
        await wait(lambda: vm.is_down)
        assert (agent.told, vm.notice) == ([], None)

    run(tmp_path, body)


def test_what_is_owed_is_told_by_the_next_life_of_the_agent(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with asyncio.timeout(30), desktop_agent(hypervisor) as agent:
            agent.is_ready = False
            async with vm_host(tmp_path, hypervisor) as host:
                await host.started(devices=DEVICE)
                await wait(lambda: host.vms.desktops.answers(ID))
                await save(host, tmp_path)
                await wait(lambda: agent.told)
            async with vm_host(tmp_path, hypervisor):
                await wait(lambda: agent.told == ["before_hibernation", "after_hibernation!"])
        await hypervisor.close()

    asyncio.run(main())
