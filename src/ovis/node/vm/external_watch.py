"""Looking now and then at the TPMs and UEFI variables of all VMs, so that statistics tell when they have changed.

An engine fetches and keeps them when their digest (`tpmHash`, `nvramHash`) is another one than it knows. Files that
have not changed are not read again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.privileged.errors import PrivilegedError
from ovis.node.vm import external_data
from ovis.node.vm.external_kinds import Kind, Unreadable

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)


async def watch(vms: Vms) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(vms.settings.external_period)
        try:
            await look(vms)
        except Exception:  # must outlive one VM whose files are strange
            log.exception("the TPMs and UEFI variables of the VMs were not looked at")


async def look(vms: Vms) -> None:
    for vm in list(vms):
        if vm.has_qemu and (vm.definition.has_tpm or vm.definition.has_variables):
            for kind in Kind:
                await _look_at(vms, vm, kind)


async def _look_at(vms: Vms, vm: Vm, kind: Kind) -> None:
    place = external_data.place_of(vms, vm, kind)
    if place is None:
        return
    known = vm.external_data.get(kind)
    try:
        found = await vms.state_files.read(kind, place, rests=False, known=known.signature if known else ())
        now = known if found is None else await external_data.pack(vms, kind, found)
    except (Unreadable, OSError, HypervisorError, PrivilegedError) as error:
        log.debug("the %s data of VM %s cannot be read now: %s", kind.value, vm.id, error)
        return
    if now is not None and now != known and not vm.is_down:
        vm.external_data[kind] = now
        vm.touch()
