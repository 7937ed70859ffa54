"""The network filter that engines give to cards of VMs, beside those that libvirt brings along.

It lets out only frames with the card's own MAC address, also within ARP, so no VM can pass for another one.
"""

from __future__ import annotations

import logging

from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import Hypervisor

log = logging.getLogger(__name__)

NAME = "vdsm-no-mac-spoofing"
PARTS = ("no-mac-spoofing", "no-arp-mac-spoofing")
"""Of the package libvirt-daemon-config-nwfilter."""
XML = "<filter name='{}' chain='root'>{}</filter>".format(NAME, "".join(f"<filterref filter='{p}'/>" for p in PARTS))


async def define(hypervisor: Hypervisor) -> None:
    """One that an administrator has changed stays. VMs without filters run without it."""
    try:
        if await hypervisor.devices.add_filter(NAME, XML):
            log.info("the network filter %s was defined", NAME)
    except HypervisorError as error:
        log.warning("VMs with the network filter %s will not start: %s", NAME, error)
