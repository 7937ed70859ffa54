"""No image that is written to is any part of another VM's disks: neither its top layer nor what that lies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.node.vm.disks.errors import DiskBusy
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms


def require_exclusive(vms: Vms, vm: Vm, path: str) -> None:
    """Raises DiskBusy. Knows the VMs of this host; on shared storage leases keep the others away."""
    from xml.sax.saxutils import quoteattr  # loads urllib: 0.7 MB that an idle agent does without

    mentions = (f"'{path}'", quoteattr(path))
    for other in vms:
        if other is not vm and not other.is_down and any(mention in other.xml for mention in mentions):
            raise DiskBusy(vm.id, f"{path} belongs to VM {other.id} as well; nothing was changed")
