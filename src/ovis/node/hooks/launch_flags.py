"""The file in which hooks find, and may change, with which flags libvirt is asked to start a VM.

It exists while the scripts before the start run. Of the flags only "start paused" counts; libvirt's others would change
who ends the VM, and are refused with a warning.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

POINTS = ("before_device_create", "before_vm_start", "before_vm_dehibernate")
START_PAUSED = 1
"""Source: libvirt, virDomainCreateFlags."""


@asynccontextmanager
async def offered(vms: Vms, vm: Vm) -> AsyncIterator[None]:
    """Nothing where no script would look. A folder that cannot be written costs the flags only."""
    if not vms.hooks.has(*POINTS):
        yield
        return
    file = vms.hooks.settings.launch_folder / vm.id / "launchflags"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(START_PAUSED if vm.launch_paused else 0), encoding="ascii")
    except OSError as error:
        log.info("hooks of VM %s have no launch flags: %s", vm.id, error)
        yield
        return
    try:
        yield
        _take(vm, file)
    finally:
        with contextlib.suppress(OSError):
            file.unlink()
        with contextlib.suppress(OSError):
            file.parent.rmdir()  # others may keep files of the VM there


def _take(vm: Vm, file: Path) -> None:
    try:
        flags = int(file.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        log.warning("the launch flags that hooks have left of VM %s cannot be read: %s", vm.id, error)
        return
    vm.launch_paused = bool(flags & START_PAUSED)
    if flags & ~START_PAUSED:
        log.warning("hooks of VM %s want launch flags %#x; only 1, start paused, counts", vm.id, flags)
