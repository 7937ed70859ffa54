"""Where the memory of a snapshot goes.

Engines send six ids separated by commas: DOMAIN,POOL,IMAGE,VOLUME,PARAMETERS IMAGE,PARAMETERS VOLUME. Two paths do as
well, as for a VM that is saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.prepare import canonical_id
from ovis.node.vm.saved_memory import Place, place_of
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

FIELD = "snapMemory"


async def place(vms: Vms, vm: Vm, handle: str) -> Place:
    """Two files that exist in the allowed places. Raises BadParameter, DriveNotFound."""
    parts = [part.strip() for part in handle.split(",")]
    if len(parts) == 6:
        domain, pool, image, volume, other_image, other_volume = (canonical_id(part, FIELD) for part in parts)
        memory = await vms.drives.volume(vm.id, VolumeIds(volume, image, domain, pool))
        parameters = await vms.drives.volume(vm.id, VolumeIds(other_volume, other_image, domain, pool))
        return Place(memory.path, parameters.path)
    found = place_of(handle, FIELD)
    for path in (found.memory, found.parameters):
        await vms.preparer.check_file(path, FIELD)
    return found
