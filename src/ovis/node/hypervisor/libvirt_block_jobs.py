"""Block jobs on libvirt. Indexes and paths are those of the live description.

Source: libvirt virDomainSnapshotCreateXML, virDomainBlockCommit, virDomainBlockCopy, virDomainBlockJobAbort.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import libvirt
from lxml import etree

from ovis.node.hypervisor.block_jobs import BlockJobState, DiskSize, NewLayer
from ovis.node.hypervisor.errors import DomainBusy

if TYPE_CHECKING:
    from ovis.node.hypervisor.libvirt_driver import LibvirtHypervisor

POOL = "slow"
KINDS = {
    libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_PULL: "pull",
    libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_COPY: "copy",
    libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT: "commit",
    libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT: "active_commit",
    libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP: "backup",
}
# The snapshot's own description is not wanted: the chain is the truth, and libvirt would refuse to change it later.
SNAPSHOT = (
    libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT
    | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
    | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC
)
NO_JOB = {libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_OPERATION_INVALID}


class LibvirtBlockJobs:
    def __init__(self, driver: LibvirtHypervisor) -> None:
        self._driver = driver

    async def snapshot(
        self, domain_id: str, layers: Sequence[NewLayer], *, memory: str | None = None, deadline: float | None = None
    ) -> None:
        flags = SNAPSHOT | (
            libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY if memory is None else libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_LIVE
        )

        def work(domain: libvirt.virDomain) -> None:
            domain.snapshotCreateXML(_snapshot_xml(domain.XMLDesc(0), layers, memory), flags)

        # Memory takes as long as it takes, and must not hold up what others want of QEMU meanwhile.
        pool = POOL if memory is None else "transfer"
        await self._driver.on_domain(pool, "snapshot", domain_id, work, deadline)

    async def cancel_snapshot(self, domain_id: str, *, deadline: float | None = None) -> None:
        def work(domain: libvirt.virDomain) -> None:
            running = domain.jobStats(0).get("operation")
            if running == libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT:
                domain.abortJob()

        # `query`: the snapshot itself holds the place of the domain in its pool.
        await self._driver.on_domain("query", "cancel snapshot", domain_id, work, deadline)

    async def commit(
        self,
        domain_id: str,
        disk: str,
        *,
        base: int,
        top: int,
        is_active: bool,
        bandwidth: int = 0,
        relative: bool = False,
        deadline: float | None = None,
    ) -> None:
        flags = libvirt.VIR_DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES
        flags |= libvirt.VIR_DOMAIN_BLOCK_COMMIT_ACTIVE if is_active else 0
        flags |= libvirt.VIR_DOMAIN_BLOCK_COMMIT_RELATIVE if relative else 0

        def work(domain: libvirt.virDomain) -> None:
            # The layer in use is named by absence: its index is of no use once other jobs have come and gone.
            domain.blockCommit(disk, f"{disk}[{base}]", None if is_active else f"{disk}[{top}]", bandwidth, flags)

        await self._driver.on_domain(POOL, "block commit", domain_id, work, deadline)

    async def copy(
        self,
        domain_id: str,
        disk: str,
        to: NewLayer,
        *,
        is_shallow: bool,
        bandwidth: int = 0,
        deadline: float | None = None,
    ) -> None:
        # A persistent domain would need the job to be marked as one that ends with the process.
        flags = libvirt.VIR_DOMAIN_BLOCK_COPY_REUSE_EXT | libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB
        flags |= libvirt.VIR_DOMAIN_BLOCK_COPY_SHALLOW if is_shallow else 0
        parameters = {libvirt.VIR_DOMAIN_BLOCK_COPY_BANDWIDTH: bandwidth} if bandwidth else {}
        xml = etree.tostring(_destination(etree.Element("disk"), to), encoding="unicode")
        await self._driver.on_domain(
            POOL, "block copy", domain_id, lambda domain: domain.blockCopy(disk, xml, parameters, flags), deadline
        )

    async def job(self, domain_id: str, disk: str, *, deadline: float | None = None) -> BlockJobState | None:
        def work(domain: libvirt.virDomain) -> BlockJobState | None:
            found = domain.blockJobInfo(disk, libvirt.VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES)
            if not found:
                return None
            kind = KINDS.get(found["type"], "unknown")
            return BlockJobState(kind, cur=found["cur"], end=found["end"], bandwidth=found["bandwidth"])

        return await self._driver.on_domain(POOL, "block job", domain_id, work, deadline)

    async def pivot(self, domain_id: str, disk: str, *, deadline: float | None = None) -> None:
        def work(domain: libvirt.virDomain) -> None:
            try:
                domain.blockJobAbort(disk, libvirt.VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_BLOCK_COPY_ACTIVE:
                    raise DomainBusy(domain_id, error.get_error_message() or "the job is not ready") from error
                raise

        await self._driver.on_domain(POOL, "block pivot", domain_id, work, deadline)

    async def cancel(self, domain_id: str, disk: str, *, deadline: float | None = None) -> None:
        def work(domain: libvirt.virDomain) -> None:
            try:
                domain.blockJobAbort(disk, 0)
            except libvirt.libvirtError as error:
                if error.get_error_code() not in NO_JOB or domain.blockJobInfo(disk, 0):
                    raise

        await self._driver.on_domain(POOL, "block cancel", domain_id, work, deadline)

    async def resize(self, domain_id: str, disk: str, size: int, *, deadline: float | None = None) -> None:
        await self._driver.on_domain(
            POOL,
            "block resize",
            domain_id,
            lambda domain: domain.blockResize(disk, size, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES),
            deadline,
        )

    async def size(self, domain_id: str, disk: str, *, deadline: float | None = None) -> DiskSize:
        return await self._driver.on_domain(
            POOL, "block size", domain_id, lambda domain: DiskSize(*domain.blockInfo(disk, 0)), deadline
        )

    async def watch(self, domain_id: str, disk: str, threshold: int, *, deadline: float | None = None) -> None:
        await self._driver.on_domain(
            POOL, "block threshold", domain_id, lambda domain: domain.setBlockThreshold(disk, threshold, 0), deadline
        )


def _snapshot_xml(live: str, layers: Sequence[NewLayer], memory: str | None) -> str:
    """Disks that are not named would be taken along: each says that it stays out."""
    root = etree.Element("domainsnapshot")
    if memory is None:
        etree.SubElement(root, "memory", snapshot="no")
    else:
        etree.SubElement(root, "memory", snapshot="external", file=memory)
    disks = etree.SubElement(root, "disks")
    named = {layer.disk: layer for layer in layers}
    for target in etree.fromstring(live).iterfind("devices/disk/target"):
        name = target.get("dev", "")
        if name in named:
            _destination(etree.SubElement(disks, "disk", name=name, snapshot="external"), named[name])
        else:
            etree.SubElement(disks, "disk", name=name, snapshot="no")
    return etree.tostring(root, encoding="unicode")


def _destination(disk: etree._Element, layer: NewLayer) -> etree._Element:
    disk.set("type", "block" if layer.is_block else "file")
    etree.SubElement(disk, "source", {"dev" if layer.is_block else "file": layer.path})
    etree.SubElement(disk, "driver", type=layer.format)
    return disk
