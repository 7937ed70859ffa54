"""Cards that are no tap in a bridge: given through, or on top of a device of the host."""

import asyncio
from pathlib import Path

import pytest
from device_host import device_host

CARDS = {
    "a virtual function": "<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:09'/><source>"
    "<address type='pci' domain='0x0000' bus='0x05' slot='0x10' function='0x0'/></source><vlan><tag id='7'/></vlan>"
    "</interface>",
    "macvtap that has a virtual function for itself": "<interface type='direct'><mac address='52:54:00:00:00:09'/>"
    "<source dev='eth0v1' mode='passthrough'/><model type='virtio'/></interface>",
    "VEPA": "<interface type='direct'><mac address='52:54:00:00:00:09'/><source dev='eth0' mode='vepa'/>"
    "<virtualport type='802.1Qbg'><parameters managerid='11' typeid='1193047' typeidversion='2'/></virtualport>"
    "<model type='virtio'/></interface>",
    "isolated": "<interface type='bridge'><mac address='52:54:00:00:00:09'/><source bridge='red'/>"
    "<model type='virtio'/><port isolated='yes'/></interface>",
}


@pytest.mark.parametrize("card", CARDS)
def test_the_description_reaches_libvirt_as_it_was_given(tmp_path: Path, card: str) -> None:
    async def main() -> None:
        async with device_host(tmp_path, devices=CARDS[card]) as host:
            xml = (await host.hypervisor.xml(host.vm.id)).replace('"', "'")
            for part in CARDS[card].split("<"):
                if not part.startswith(("/", "interface")):
                    assert part.rstrip("/>") in xml

    asyncio.run(main())
