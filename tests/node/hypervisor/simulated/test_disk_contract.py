from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ovis.node.hypervisor.interface import Hypervisor
from ovis.node.hypervisor.simulated import SimulatedHypervisor
from tests.node.hypervisor.disk_contract import DiskContract


class TestSimulatedDisks(DiskContract):
    @asynccontextmanager
    async def hypervisor(self) -> AsyncGenerator[Hypervisor, None]:
        host = SimulatedHypervisor()
        try:
            yield host
        finally:
            await host.close()
