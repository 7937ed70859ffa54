"""Migration, save and restore on libvirt: peer to peer, so that the two daemons carry it through without the agent.

The long calls have a pool of their own. Everything that is asked about a job under way may wait for QEMU and goes where
that harms nobody.
Source of the flags and parameters: libvirt, virDomainMigrateFlags and VIR_MIGRATE_PARAM_*.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import libvirt

from ovis.node.hypervisor.libvirt_errors import translate_create
from ovis.node.hypervisor.migration import JobKind, JobProgress, Method, Route

if TYPE_CHECKING:
    from ovis.node.hypervisor.libvirt_driver import LibvirtHypervisor

MIB = 1 << 20
# The largest that libvirt takes (what 63 bits count in bytes); it gives 0 no meaning for a migration under way.
UNLIMITED_MIB = (1 << 63) // MIB - 1
FLAGS: Mapping[str, int] = {
    "encrypted": libvirt.VIR_MIGRATE_TLS,
    "tunnelled": libvirt.VIR_MIGRATE_TUNNELLED,
    "compressed": libvirt.VIR_MIGRATE_COMPRESSED,
    "auto_converge": libvirt.VIR_MIGRATE_AUTO_CONVERGE,
    "zero_copy": libvirt.VIR_MIGRATE_ZEROCOPY,
    "post_copy": libvirt.VIR_MIGRATE_POSTCOPY,
    "abort_on_error": libvirt.VIR_MIGRATE_ABORT_ON_ERROR,
    "unsafe": libvirt.VIR_MIGRATE_UNSAFE,
}
KINDS = {
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT: JobKind.MIGRATION_OUT,
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN: JobKind.MIGRATION_IN,
    libvirt.VIR_DOMAIN_JOB_OPERATION_SAVE: JobKind.SAVE,
}
FINISHED = (libvirt.VIR_DOMAIN_JOB_COMPLETED, libvirt.VIR_DOMAIN_JOB_FAILED, libvirt.VIR_DOMAIN_JOB_CANCELLED)


class LibvirtMigration:
    """`hypervisor.migration` of the real hypervisor."""

    def __init__(self, driver: "LibvirtHypervisor") -> None:
        self._driver = driver

    async def migrate(
        self, domain_id: str, route: Route, method: Method, *, xml: str | None = None, deadline: float | None = None
    ) -> None:
        flags, parameters = flags_of(method), parameters_of(route, method, xml)

        def work(domain: libvirt.virDomain) -> None:
            domain.migrateToURI3(route.daemon, parameters, flags)

        await self._driver.on_domain("transfer", "migrate", domain_id, work, deadline)

    async def progress(self, domain_id: str, *, deadline: float | None = None) -> JobProgress | None:
        return await self._driver.on_domain("slow", "job", domain_id, lambda domain: _job(domain.jobStats()), deadline)

    async def cancel(self, domain_id: str, *, deadline: float | None = None) -> None:
        await self._driver.on_domain("power", "cancel job", domain_id, lambda domain: domain.abortJob(), deadline)

    async def set_bandwidth(self, domain_id: str, bandwidth: int, *, deadline: float | None = None) -> None:
        mib = mib_of(bandwidth)
        await self._driver.on_domain(
            "lifecycle", "set bandwidth", domain_id, lambda domain: domain.migrateSetMaxSpeed(mib, 0), deadline
        )

    async def set_downtime(self, domain_id: str, seconds: float, *, deadline: float | None = None) -> None:
        milliseconds = max(int(seconds * 1000), 1)
        await self._driver.on_domain(
            "lifecycle",
            "set downtime",
            domain_id,
            lambda domain: domain.migrateSetMaxDowntime(milliseconds, 0),
            deadline,
        )

    async def start_post_copy(self, domain_id: str, *, deadline: float | None = None) -> None:
        await self._driver.on_domain(
            "lifecycle", "start post-copy", domain_id, lambda domain: domain.migrateStartPostCopy(0), deadline
        )

    async def migratable_xml(self, domain_id: str, *, secure: bool, deadline: float | None = None) -> str:
        flags = libvirt.VIR_DOMAIN_XML_MIGRATABLE | (libvirt.VIR_DOMAIN_XML_SECURE if secure else 0)
        return await self._driver.on_domain("query", "xml", domain_id, lambda domain: domain.XMLDesc(flags), deadline)

    async def save(self, domain_id: str, path: str, *, deadline: float | None = None) -> None:
        await self._driver.on_domain(
            "transfer", "save", domain_id, lambda domain: domain.saveFlags(path, None, 0), deadline
        )

    async def restore(self, path: str, *, paused: bool, xml: str | None = None, deadline: float | None = None) -> None:
        flags = libvirt.VIR_DOMAIN_SAVE_PAUSED if paused else libvirt.VIR_DOMAIN_SAVE_RUNNING

        def work(connection: libvirt.virConnect) -> None:
            try:
                connection.restoreFlags(path, xml, flags)
            except libvirt.libvirtError as error:
                raise translate_create(error, connection, xml or "") from error

        await self._driver.call("transfer", "restore", work, deadline)

    async def saved_xml(self, path: str, *, deadline: float | None = None) -> str:
        flags = libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE
        return await self._driver.call(
            "slow", "saved xml", lambda connection: connection.saveImageGetXMLDesc(path, flags), deadline
        )


def flags_of(method: Method) -> int:
    """The domain is transient on both sides: nothing persists, nothing is to be undefined."""
    flags = libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PEER2PEER
    for name, flag in FLAGS.items():
        if getattr(method, name):
            flags |= flag
    if method.connections > 0:
        flags |= libvirt.VIR_MIGRATE_PARALLEL
    return flags


def parameters_of(route: Route, method: Method, xml: str | None) -> dict[str, str | int]:
    found: dict[str, str | int | None] = {
        libvirt.VIR_MIGRATE_PARAM_URI: None if method.tunnelled else route.memory,
        libvirt.VIR_MIGRATE_PARAM_DEST_XML: xml,
        libvirt.VIR_MIGRATE_PARAM_GRAPHICS_URI: route.consoles,
        libvirt.VIR_MIGRATE_PARAM_TLS_DESTINATION: route.certificate_name if method.encrypted else None,
        libvirt.VIR_MIGRATE_PARAM_BANDWIDTH: mib_of(method.bandwidth) if method.bandwidth else None,
        libvirt.VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS: method.connections or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def mib_of(bandwidth: int) -> int:
    """libvirt counts in MiB/s: rounded up, because 0 would mean something else."""
    return -(-bandwidth // MIB) if bandwidth > 0 else UNLIMITED_MIB


def _job(stats: Mapping[str, object]) -> JobProgress | None:
    if stats.get("type", libvirt.VIR_DOMAIN_JOB_NONE) in (libvirt.VIR_DOMAIN_JOB_NONE, *FINISHED):
        return None

    def number(name: str) -> int:
        value = stats.get(name)
        return value if isinstance(value, int) else 0

    return JobProgress(
        kind=KINDS.get(number("operation"), JobKind.OTHER),
        total=number(libvirt.VIR_DOMAIN_JOB_MEMORY_TOTAL),
        remaining=number(libvirt.VIR_DOMAIN_JOB_MEMORY_REMAINING),
        iteration=number(libvirt.VIR_DOMAIN_JOB_MEMORY_ITERATION),
    )
