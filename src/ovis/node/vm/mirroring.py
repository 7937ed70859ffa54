"""Networks whose traffic is copied to cards of VMs.

What the cards shall get stands in the VMs' metadata (portMirroring), so it comes along with a migration and survives
the agent. Each look compares that with what the root helper was told last, and tells it anew when they differ: when a
VM has come or gone, when a card was plugged in or changed. A card's device is known once its VM runs.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.vm import metadata, metadata_devices, safe_xml
from ovis.node.vm.devices import kinds
from ovis.node.vm.devices.interface import Interface
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

ROWS = "portMirroring"
LIVE = "the live description"
Mirrors = Mapping[str, list[str]]
"""{network: devices of cards (vnet7) that get a copy}"""


class NotMirrored(NodeError):
    def __init__(self, problem: str) -> None:
        super().__init__(f"networks are not mirrored to VMs as they should be: {problem}")


class Mirroring:
    """`tell` gives the root helper what shall be, whole, and raises NodeError or OSError; without it nobody is told."""

    def __init__(self, vms: Vms) -> None:
        self._vms = vms
        self.tell: Callable[[Mirrors], Awaitable[None]] | None = None
        self._told: Mirrors = {}
        self._read: dict[str, tuple[str, Mirrors]] = {}
        self._is_busy = False
        self._fails = False

    def look(self) -> None:
        """Cheap where nothing is mirrored."""
        if self.tell is not None and not self._is_busy and self._wanted() != self._told:
            self._is_busy = True
            self._vms.own(self._follow(), "mirror networks")

    async def bring(self) -> None:
        """At once. Raises NotMirrored; it is tried again later."""
        wanted = self._wanted()
        if self.tell is None or wanted == self._told:
            return
        try:
            await self.tell(wanted)
        except (NodeError, OSError) as error:
            raise NotMirrored(str(error)) from error
        self._told = wanted

    async def _follow(self) -> None:
        try:
            await self.bring()
            self._fails = False
        except NotMirrored as error:
            if not self._fails:
                log.warning("%s; it is tried again", error)
            self._fails = True
        finally:
            self._is_busy = False

    def _wanted(self) -> Mirrors:
        """Each VM's description is read once."""
        running = {vm.id: vm for vm in self._vms if vm.has_qemu and ROWS in vm.xml}
        self._read = {vm_id: read for vm_id, read in self._read.items() if vm_id in running}
        found: dict[str, list[str]] = {}
        for vm_id, vm in running.items():
            if vm_id not in self._read or self._read[vm_id][0] is not vm.xml:
                self._read[vm_id] = (vm.xml, mirrors(vm))
            for network, cards in self._read[vm_id][1].items():
                found[network] = sorted({*found.get(network, []), *cards})
        return found


def mirrors(vm: Vm) -> Mirrors:
    root = safe_xml.parse_own(vm.xml, LIVE)
    holder = metadata.element(root)
    found: dict[str, list[str]] = {}
    for device in kinds.read_all(root):
        if isinstance(device, Interface) and device.host_name:
            note = metadata_devices.find(holder, device)
            rows = note.data.get(ROWS) if note is not None else None
            for network in rows if isinstance(rows, list) else ():
                found.setdefault(str(network), []).append(device.host_name)
    return found
