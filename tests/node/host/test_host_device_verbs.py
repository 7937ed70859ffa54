import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from ovis.client.verbs import HostHostdevChangeNumvfsArgs, HostHostdevListByCapsArgs, HostHostdevReattachArgs
from ovis.node.errors import BadParameter
from ovis.node.host import host_device_verbs as verbs
from ovis.node.hypervisor.simulated import SimulatedHypervisor

CARD = "pci_0000_05_00_0"
PLACE = "<domain>0</domain><bus>5</bus><slot>0</slot><function>0</function>"
FUNCTIONS = "<capability type='virt_functions' maxCount='7'/>"
XML = f"<device><name>{CARD}</name><capability type='pci'>{PLACE}{FUNCTIONS}</capability></device>"
PLAIN = f"<device><name>pci_0000_05_00_1</name><capability type='pci'>{PLACE}</capability></device>"


@dataclass
class Host:
    """`left`: what a script makes of the list; None without one. `set`: calls of the root helper."""

    hypervisor: SimulatedHypervisor = field(default_factory=SimulatedHypervisor)
    left: Any = None
    set: list[tuple[str, int]] = field(default_factory=list)

    @property
    def hooks(self) -> "Host":
        return self

    @property
    def networks(self) -> "Host":
        return self

    def has(self, point: str) -> bool:
        return self.left is not None

    async def run_json(self, point: str, value: Any) -> Any:
        assert value[CARD]["params"]["totalvfs"] == 7
        return self.left

    async def set_virtual_functions(self, card: str, count: int) -> None:
        self.set.append((card, count))

    def call(self, verb: Any, args: Any) -> Any:
        self.hypervisor.devices.host_devices = {CARD: XML, "pci_0000_05_00_1": PLAIN, "usb_1_4": "<device/>"}

        async def main() -> Any:
            try:
                return await verb(self, args)
            finally:
                await self.hypervisor.close()

        return asyncio.run(main())


def test_devices_are_listed_and_a_script_may_change_the_list() -> None:
    assert Host().call(verbs.hostdev_list_by_caps, HostHostdevListByCapsArgs(caps=["pci"]))[CARD].params.totalvfs == 7
    raw = Host(left={"x": 1}).call(verbs.hostdev_list_by_caps, HostHostdevListByCapsArgs(caps=["pci"]))
    assert json.loads(bytes(raw)) == {"x": 1}


def test_virtual_functions_are_asked_for_by_the_address_of_the_card() -> None:
    host = Host()
    host.call(verbs.hostdev_change_numvfs, HostHostdevChangeNumvfsArgs(device_name=CARD, numvfs=4))
    assert host.set == [("0000:05:00.0", 4)]


@pytest.mark.parametrize(
    ("name", "count", "field"),
    [(CARD, 8, "numvfs"), ("pci_0000_05_00_1", 1, "deviceName"), ("usb_1_4", 1, "deviceName"), ("no", 1, "deviceName")],
)
def test_what_cannot_be_is_refused_before_anything_changes(name: str, count: int, field: str) -> None:
    host = Host()
    with pytest.raises(BadParameter, match=field):
        host.call(verbs.hostdev_change_numvfs, HostHostdevChangeNumvfsArgs(device_name=name, numvfs=count))
    assert host.set == []


def test_a_device_left_over_is_given_back() -> None:
    host = Host()
    host.hypervisor.devices.taken.add(CARD)
    host.call(verbs.hostdev_reattach, HostHostdevReattachArgs(device_name=CARD))
    assert host.hypervisor.devices.taken == set()


@pytest.mark.parametrize("name", ["pci_0000_99_00_0", "usb_1_4"])
def test_only_a_pci_device_of_this_host_can_be_given_back(name: str) -> None:
    with pytest.raises(BadParameter, match="deviceName"):
        Host().call(verbs.hostdev_reattach, HostHostdevReattachArgs(device_name=name))
