from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ovis.node.hypervisor.interface import Hypervisor
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from tests.node.hypervisor.contract import Contract


class TestSimulated(Contract):
    @asynccontextmanager
    async def hypervisor(self) -> AsyncGenerator[Hypervisor, None]:
        nobody_inside = Guest(agent_after=None, acpi_shutdown_after=None, agent_shutdown_after=None)
        host = SimulatedHypervisor(guest=nobody_inside)
        try:
            yield host
        finally:
            await host.close()
