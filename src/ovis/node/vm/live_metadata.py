"""Changing the metadata of a running VM: one change at a time, each on what the one before has left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from lxml import etree

from ovis.node.vm import metadata, safe_xml
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

FIELD = "the VM's metadata"
_locks: WeakKeyDictionary[Vm, asyncio.Lock] = WeakKeyDictionary()


async def edit(vms: Vms, vm: Vm, change: Callable[[etree._Element], None]) -> bool:
    """Let `change` work on the `vm` element; libvirt gets it when it is another one afterwards, which is the answer.

    Raises HypervisorError: libvirt has the former one.
    """
    async with _locks.setdefault(vm, asyncio.Lock()):
        text = await vms.hypervisor.metadata(vm.id, metadata.URI)
        holder = safe_xml.parse(text, FIELD) if text else etree.Element("vm")
        before = etree.tostring(holder)
        change(holder)
        if etree.tostring(holder) == before:
            return False
        await vms.hypervisor.set_metadata(vm.id, metadata.URI, metadata.PREFIX, safe_xml.text_of(holder))
        return True
