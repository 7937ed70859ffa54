import asyncio
import logging

import pytest

from ovis.node.hypervisor.errors import OperationRefused
from ovis.node.hypervisor.simulated import SimulatedHypervisor
from ovis.node.vm import network_filters


def test_the_filter_of_engines_is_there_and_one_of_an_administrator_stays(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor()
        await network_filters.define(hypervisor)
        assert "no-arp-mac-spoofing" in hypervisor.devices.filters[network_filters.NAME]
        hypervisor.devices.filters[network_filters.NAME] = "changed"
        await network_filters.define(hypervisor)
        assert hypervisor.devices.filters[network_filters.NAME] == "changed"
        hypervisor.faults.fail("add_filter", error=OperationRefused("no driver"))
        with caplog.at_level(logging.WARNING):
            await network_filters.define(hypervisor)
        assert "will not start" in caplog.text
        await hypervisor.close()

    asyncio.run(main())
