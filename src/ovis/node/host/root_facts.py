"""What an agent that is not root cannot read of its host, asked of the root helper."""

from __future__ import annotations

import logging

from ovis.node.host.kernel_files import KernelFiles
from ovis.node.privileged.client import Root
from ovis.node.privileged.errors import PrivilegedError
from ovis.node.privileged.host_facts import ReadHostFacts

log = logging.getLogger(__name__)


async def grant(files: KernelFiles, root: Root) -> bool:
    """From now on `files` has them under the names of the files. Whether the helper answered."""
    try:
        found = await root.call(ReadHostFacts())
    except (PrivilegedError, OSError) as error:
        log.info("serial number, UUID and iSCSI name of this host stay unknown: %s", error)
        return False
    files.granted = {
        "sys/class/dmi/id/product_uuid": found.product_uuid,
        "sys/class/dmi/id/product_serial": found.product_serial,
        "etc/iscsi/initiatorname.iscsi": f"InitiatorName={found.initiator}" if found.initiator else "",
        "etc/libvirt/qemu.conf": "" if found.vnc_tls is None else f"vnc_tls = {int(found.vnc_tls)}",
    }
    return True
