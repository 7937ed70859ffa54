"""Descriptions of VMs that an engine keeps on the master domain, or on a backup domain.

    master/vms/<vm>/<vm>.ovf        OVF, XML text

Each file is replaced whole. On block domains the master's file system has to be mounted for that: the SPM's own master
is; a backup domain is opened for the moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.errors import DomainNotActive, NoSpace
from ovis.node.storage.formats.domain_metadata import DomainClass
from ovis.node.storage.formats.identifiers import DomainId, is_identifier
from ovis.node.storage.formats.pool_metadata import DomainStatus
from ovis.node.storage.io.interface import IoFailure
from ovis.node.storage.pool.errors import NotBackup, VmsNotStored
from ovis.node.storage.pool.pool import Pool

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

LONGEST_OVF = 4 << 20


async def store(storage: Storage, pool: Pool, descriptions: Mapping[str, str], domain_id: DomainId | None) -> None:
    """Raises NotSpm, VmsNotStored: some may have been."""
    pool.spm.check()
    stored = 0
    async with _opened(storage, pool, domain_id) as domain:
        for vm, text in descriptions.items():
            try:
                with suppress(FileExistsError):
                    await domain.io.make_folder(_folder(domain, vm))
                await domain.io.replace(_file(domain, vm), text.encode())
            except (OSError, IoFailure, NoSpace) as error:
                raise VmsNotStored(vm, stored, str(error)) from error
            stored += 1


async def remove(storage: Storage, pool: Pool, vm: str, domain_id: DomainId | None) -> None:
    """None there: nothing to do. Raises NotSpm."""
    pool.spm.check()
    async with _opened(storage, pool, domain_id) as domain:
        await domain.io.remove_tree(_folder(domain, vm))


async def listed(storage: Storage, pool: Pool, domain_id: DomainId | None) -> list[str]:
    async with _opened(storage, pool, domain_id) as domain:
        return [vm for vm in await _names(domain) if await _has_description(domain, vm)]


async def read(storage: Storage, pool: Pool, wanted: Collection[str], domain_id: DomainId | None) -> dict[str, str]:
    """Of `wanted`, or of all; those without a readable description are left out."""
    async with _opened(storage, pool, domain_id) as domain:
        names = await _names(domain)
        chosen = [vm for vm in names if not wanted or vm in wanted]
        texts = await asyncio.gather(*(_read(domain, vm) for vm in chosen))
        return {vm: text for vm, text in zip(chosen, texts, strict=True) if text is not None}


@asynccontextmanager
async def _opened(storage: Storage, pool: Pool, domain_id: DomainId | None) -> AsyncIterator[Domain]:
    """Raises DomainNotInPool, DomainNotActive, NotBackup."""
    if domain_id is None or domain_id == pool.membership.master:
        yield await pool.master()
        return
    if pool.status(domain_id) is not DomainStatus.ACTIVE:
        raise DomainNotActive(domain_id)
    domain = await storage.domain(domain_id)
    if (await domain.read_record()).domain.domain_class is not DomainClass.BACKUP:
        raise NotBackup(domain_id)
    await domain.open_master()
    try:
        yield domain
    finally:
        await domain.close_master()


async def _names(domain: Domain) -> list[str]:
    try:
        return sorted(name for name in await domain.io.names(domain.paths.vms) if is_identifier(name))
    except FileNotFoundError:
        return []


async def _has_description(domain: Domain, vm: str) -> bool:
    try:
        return (await domain.io.facts(_file(domain, vm))).kind == "file"
    except OSError:
        return False


async def _read(domain: Domain, vm: str) -> str | None:
    try:
        return (await domain.io.read(_file(domain, vm), size=LONGEST_OVF)).decode()
    except (OSError, UnicodeDecodeError):
        return None


def _folder(domain: Domain, vm: str) -> PurePosixPath:
    return domain.paths.vms / vm


def _file(domain: Domain, vm: str) -> PurePosixPath:
    return _folder(domain, vm) / f"{vm}.ovf"
