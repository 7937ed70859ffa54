"""Backups and checkpoints in memory. `bitmaps` is what lies in the disks and outlives a domain."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lxml import etree

from ovis.node.hypervisor.errors import CheckpointBroken, DomainBusy, OperationRefused

if TYPE_CHECKING:
    from ovis.node.hypervisor.simulated.hypervisor import SimulatedHypervisor


class SimulatedBackups:
    def __init__(self, hypervisor: SimulatedHypervisor) -> None:
        self._hypervisor = hypervisor
        self._running: dict[str, etree._Element] = {}
        self._checkpoints: dict[str, dict[str, etree._Element]] = {}
        self.bitmaps: set[tuple[str, str]] = set()
        """(domain id, checkpoint)"""

    async def begin(
        self,
        domain_id: str,
        backup: str,
        checkpoint: str | None,
        *,
        reuse_scratch: bool = False,
        deadline: float | None = None,
    ) -> None:
        await self._hypervisor.on_domain("begin_backup", domain_id, deadline)
        if domain_id in self._running:
            raise DomainBusy(domain_id, "cannot acquire state change lock")
        wanted = etree.fromstring(backup)
        since = wanted.findtext("incremental")
        if since is not None and since not in self._of(domain_id):
            raise OperationRefused(f"no checkpoint {since}")
        if since is not None and (domain_id, since) not in self.bitmaps:
            raise CheckpointBroken(f"missing or broken bitmap '{since}'")
        if checkpoint is not None:
            self._add(domain_id, etree.fromstring(checkpoint))
        for disk in wanted.iterfind("disks/disk[@backup='yes']"):
            disk.set("exportname", disk.get("exportname") or disk.get("name") or "")
        self._running[domain_id] = wanted
        self._hypervisor.faults.check("begin_backup", domain_id, after=True)

    async def running(self, domain_id: str, *, deadline: float | None = None) -> str | None:
        await self._hypervisor.on_domain("running_backup", domain_id, deadline)
        found = self._running.get(domain_id)
        return None if found is None else etree.tostring(found, encoding="unicode")

    async def end(self, domain_id: str, *, deadline: float | None = None) -> None:
        await self._hypervisor.on_domain("end_backup", domain_id, deadline)
        self._running.pop(domain_id, None)
        self._hypervisor.faults.check("end_backup", domain_id, after=True)

    async def checkpoints(self, domain_id: str, *, deadline: float | None = None) -> list[str]:
        await self._hypervisor.on_domain("checkpoints", domain_id, deadline)
        return list(self._of(domain_id))

    async def checkpoint(self, domain_id: str, name: str, *, deadline: float | None = None) -> str | None:
        await self._hypervisor.on_domain("checkpoint", domain_id, deadline)
        found = self._of(domain_id).get(name)
        return None if found is None else etree.tostring(found, encoding="unicode")

    async def redefine(self, domain_id: str, checkpoint: str, *, deadline: float | None = None) -> None:
        await self._hypervisor.on_domain("redefine_checkpoint", domain_id, deadline)
        element = etree.fromstring(checkpoint)
        name = element.findtext("name") or ""
        if (domain_id, name) not in self.bitmaps:
            raise CheckpointBroken(f"missing or broken bitmap '{name}'")
        self._of(domain_id)[name] = element

    async def delete(
        self, domain_id: str, name: str, *, keeps_bitmaps: bool = False, deadline: float | None = None
    ) -> None:
        await self._hypervisor.on_domain("delete_checkpoint", domain_id, deadline)
        if self._of(domain_id).pop(name, None) is not None and not keeps_bitmaps:
            self.bitmaps.discard((domain_id, name))
        self._hypervisor.faults.check("delete_checkpoint", domain_id, after=True)

    def is_active(self, domain_id: str) -> bool:
        return domain_id in self._running

    def forget(self, domain_id: str) -> None:
        """The domain is gone; its bitmaps are not."""
        self._running.pop(domain_id, None)
        self._checkpoints.pop(domain_id, None)

    def _of(self, domain_id: str) -> dict[str, etree._Element]:
        return self._checkpoints.setdefault(domain_id, {})

    def _add(self, domain_id: str, element: etree._Element) -> None:
        name = element.findtext("name") or ""
        known = self._of(domain_id)
        if name in known:
            raise OperationRefused(f"checkpoint {name} exists already")
        if known:
            parent = etree.SubElement(element, "parent")
            etree.SubElement(parent, "name").text = list(known)[-1]
        etree.SubElement(element, "creationTime").text = str(int(time.time()))
        known[name] = element
        self.bitmaps.add((domain_id, name))
