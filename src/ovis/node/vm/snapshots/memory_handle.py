"""Where the memory of a snapshot goes: the text that engines send, six ids separated by commas.

DOMAIN,POOL,IMAGE,VOLUME,CONFIGURATION IMAGE,CONFIGURATION VOLUME
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.node.errors import BadParameter
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.prepare import canonical_id
from ovis.node.vm.snapshots.snapshot import MemoryWish
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

FIELD = "snapMemory"


async def memory_wish(vms: Vms, vm: Vm, handle: str) -> MemoryWish:
    """The files of both volumes, which exist. Raises BadParameter, DriveNotFound."""
    parts = [part.strip() for part in handle.split(",")]
    if len(parts) != 6:
        raise BadParameter(FIELD, f"{handle[:200]!r} is not domain,pool,image,volume,image,volume")
    domain, pool, image, volume, conf_image, conf_volume = (canonical_id(part, FIELD) for part in parts)
    memory = await vms.drives.volume(vm.id, VolumeIds(volume, image, domain, pool))
    configuration = await vms.drives.volume(vm.id, VolumeIds(conf_volume, conf_image, domain, pool))
    return MemoryWish(memory.path, configuration.path)
