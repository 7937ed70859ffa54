"""Where the leases lie that a VM holds while it runs; storage says so, whatever the description that came says.

A lease is one made for the VM (`Lease.create`), or that of a volume which one of its disks uses. libvirt's lock manager
is told path and offset: a path of a caller's choice would be written to by it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from lxml import etree

from ovis.node.errors import BadParameter, NodeError
from ovis.node.vm import metadata, safe_xml
from ovis.node.vm.devices.lease import Lease
from ovis.node.vm.disks import drives

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeasePlace:
    """`offset` in bytes into `path`."""

    path: str
    offset: int


class NoLease(Exception):
    """The storage domain, or the lease in it, is not known, or this host cannot hold it."""


class Leases(Protocol):
    async def find(self, domain_id: str, lease_id: str) -> LeasePlace:
        """Raises NoLease."""
        ...

    async def of_volume(self, domain_id: str, image_id: str, volume_id: str) -> LeasePlace:
        """Raises NoLease."""
        ...

    async def is_held(self, domain_id: str, lease_id: str, place: LeasePlace) -> bool:
        """Whether this host has the lease, as storage says. Raises NoLease: nobody can tell."""
        ...


class NoStorage:
    """A host without storage domains."""

    async def find(self, domain_id: str, lease_id: str) -> LeasePlace:
        raise NoLease(f"storage domain {domain_id} is not connected")

    async def of_volume(self, domain_id: str, image_id: str, volume_id: str) -> LeasePlace:
        raise NoLease(f"storage domain {domain_id} is not connected")

    async def is_held(self, domain_id: str, lease_id: str, place: LeasePlace) -> bool:
        raise NoLease(f"storage domain {domain_id} is not connected")


class StorageLeases:
    """Of the storage domains of this host; their modules are loaded for the first VM that has a lease."""

    def __init__(self, storage: Callable[[], Storage]) -> None:
        self._storage = storage

    async def find(self, domain_id: str, lease_id: str) -> LeasePlace:
        return LeasePlace(*await self._ask("of_vm", domain_id, lease_id))

    async def of_volume(self, domain_id: str, image_id: str, volume_id: str) -> LeasePlace:
        return LeasePlace(*await self._ask("of_volume", domain_id, image_id, volume_id))

    async def is_held(self, domain_id: str, lease_id: str, place: LeasePlace) -> bool:
        return bool(await self._ask("is_held", domain_id, lease_id, place.path, place.offset))

    async def _ask(self, question: str, *arguments: Any) -> Any:
        module: Any = await asyncio.to_thread(import_module, "ovis.node.storage.leases.of_vms")
        try:
            return await getattr(module, question)(self._storage(), *arguments)
        except (NodeError, OSError, TimeoutError) as error:
            raise NoLease(str(error)) from error


async def in_description(leases: Leases, root: etree._Element, field: str) -> None:
    """Write where they lie into the leases of a description. Raises BadParameter."""
    volumes = _volumes(root)
    for element in root.iterfind("devices/lease"):
        where = f"{field}: devices/lease"
        lease, domain = (element.findtext("key") or "").strip(), (element.findtext("lockspace") or "").strip()
        if not lease or not domain:
            raise BadParameter(where, "needs key and lockspace, which is the storage domain")
        try:
            if image := volumes.get((domain, lease)):
                place = await leases.of_volume(domain, image, lease)
            else:
                place = await leases.find(domain, lease)
        except NoLease as error:
            raise BadParameter(where, f"lease {lease}: {error}") from error
        target = element.find("target")
        if target is None:
            target = etree.SubElement(element, "target")
        target.set("path", place.path)
        target.set("offset", str(place.offset))


async def missing(leases: Leases, text: str) -> str:
    """Which lease of a VM that runs its host does not have; empty: it has them all.

    libvirt holds leases only where its lock manager is sanlock, and says nothing where it is not.
    """
    if "<lease>" not in text:
        return ""
    for element in safe_xml.parse_own(text, "libvirt's domain XML").iterfind("devices/lease"):
        lease = Lease.read(element)
        try:
            if not await leases.is_held(lease.lockspace or "", lease.key, LeasePlace(lease.path, lease.offset or 0)):
                return lease.key
        except NoLease as error:
            log.warning("whether lease %s is held cannot be told: %s", lease.key, error)
    return ""


def _volumes(root: etree._Element) -> dict[tuple[str, str], str]:
    """{(domain, volume): image} of the disks."""
    found = {}
    for group in drives.device_groups(metadata.element(root)):
        domain, image, volume = (drives.text_of(group, name) for name in ("domainID", "imageID", "volumeID"))
        if domain and image and volume:
            found[domain, volume] = image
    return found
