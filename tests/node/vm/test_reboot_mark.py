import asyncio
from pathlib import Path

from vm_host import ID, vm_host

from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm import reboot_mark
from ovis.node.vm.states import ExitReason


def test_marked_vm_ends_at_the_next_reboot_also_after_a_restart_of_the_agent(tmp_path: Path) -> None:
    async def body() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with asyncio.timeout(20):
            async with vm_host(tmp_path, hypervisor) as host:
                vm = await host.started(metadata="<ovirt-vm:clusterVersion>4.7</ovirt-vm:clusterVersion>")
                await reboot_mark.set_mark(host.vms, vm)
                await reboot_mark.set_mark(host.vms, vm)
            async with vm_host(tmp_path, hypervisor) as host:
                vm = host.vms.find(ID)
                assert vm.definition.destroys_on_reboot
                assert vm.definition.metadata["clusterVersion"] == "4.7"
                await hypervisor.reset(ID)
                await host.until(lambda: vm.is_down)
                assert vm.exit is not None
                assert vm.exit.reason is ExitReason.DESTROYED_ON_REBOOT
            await hypervisor.close()

    asyncio.run(body())
