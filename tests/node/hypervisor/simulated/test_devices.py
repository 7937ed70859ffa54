from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ovis.node.hypervisor.interface import Hypervisor
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from tests.node.hypervisor.devices_contract import DevicesContract


class TestSimulated(DevicesContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @asynccontextmanager
    async def hypervisor(self) -> AsyncGenerator[Hypervisor, None]:
        host = SimulatedHypervisor(guest=Guest(agent_after=None))
        try:
            yield host
        finally:
            await host.close()
