"""Leases apart from volumes, for VMs and jobs: which there are, where they lie, and how they come and go.

They lie in `xleases` (formats/sanlock_areas), found through an index (formats/lease_index). The lock manager's areas
are the truth and the index follows them:

    make      area extended ─> record marked ─> lease written ─> record settled
    remove    record marked ─> lease cleared ─> record free
    rebuild   index marked ─> all areas looked at ─> all records ─> index settled

Each arrow is one write that is old or new after a crash. A record that a crash left marked is settled by the next
change, by what lies in its area; until then its lease counts as there if its area says so. An index left marked
refuses everything but rebuilding.

Changes are for the SPM alone, one at a time in a domain (the claim `external_leases`): no lock of the index itself is
taken, existing agents know none. Looking things up is for everybody at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ovis.node.storage.domains.access import access
from ovis.node.storage.errors import NoSpace, StorageError
from ovis.node.storage.formats import lease_index
from ovis.node.storage.formats.errors import Broken
from ovis.node.storage.formats.identifiers import LeaseId
from ovis.node.storage.formats.lease_index import (
    FREE,
    RECORDS,
    SIZE,
    AnyRecord,
    FreeRecord,
    Header,
    LeaseIndex,
    Record,
    Write,
)
from ovis.node.storage.formats.sanlock_areas import FIRST_USER_SLOT
from ovis.node.storage.leases.errors import IndexUnusable, LeaseExists, NoSuchLease, NotALease
from ovis.node.storage.leases.interface import NOTE_BYTES, Found, Resource
from ovis.node.storage.volumes.store import LeasePlace

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain

log = logging.getLogger(__name__)

FIRST_VERSION = 4
PAGE = 4096  # what is written past every cache; other sectors of the page are written as they are
Progress = Callable[[int, int], None]


class NoLeases(StorageError):
    wire_name = "UnsupportedDomainVersion"

    def __init__(self, domain: Domain) -> None:
        super().__init__(f"storage domain {domain.id} of version {domain.version} has no place for leases")


class ExternalLeases:
    def __init__(self, domain: Domain) -> None:
        """Raises NoLeases."""
        if domain.version < FIRST_VERSION:
            raise NoLeases(domain)
        self._domain = domain
        self._geometry = domain.lockspace.geometry
        self._place = domain.special("xleases")
        self._most = self._geometry.alignment * (FIRST_USER_SLOT + RECORDS)  # bytes; where it can grow

    def place(self, number: int) -> LeasePlace:
        """Of the lease that record `number` names."""
        offset = self._geometry.external_offset(number, xleases_bytes=self._most)
        return LeasePlace(self._place.path, self._place.offset + offset)

    def resource(self, number: int, lease: LeaseId) -> Resource:
        return Resource(self._domain.lockspace, lease, self.place(number))

    async def find(self, lease: LeaseId) -> Resource:
        """Raises NoSuchLease, IndexUnusable."""
        _, index = await self._read()
        number = self._number(index, lease)
        if number is None:
            raise NoSuchLease(self._domain.id, lease)
        record = index.records[number]
        if isinstance(record, Record) and record.updating and not await self._is_there(number, lease):
            raise NoSuchLease(self._domain.id, lease)
        return self.resource(number, lease)

    async def read_note(self, resource: Resource) -> bytes:
        """The note of a lease, whoever holds it: as of its last release. Source: sanlock keeps it behind the blocks
        of the hosts."""
        offset = resource.place.offset + self._geometry.note_offset
        start = offset - offset % PAGE
        page = await self._domain.io.read(resource.place.path, offset=start, size=PAGE, direct=True)
        return page[offset - start : offset - start + NOTE_BYTES].rstrip(b"\0")

    async def format(self, now: float) -> None:
        """A new index without leases. What lay in the areas is not cleared."""
        await self._mark(now)
        await self._write_all([FREE] * RECORDS, now)

    async def reserve(self, lease: LeaseId) -> int:
        """Number of the record that a new lease will have; nothing is written. Raises LeaseExists, NoSpace."""
        data, index = await self._read()
        data, index = await self._settled(data, index)
        if self._number(index, lease) is not None:
            raise LeaseExists(self._domain.id, lease)
        room = self._geometry.xleases_bytes if self._domain.is_block else self._most
        number = index.first_free(room)
        if number is None:
            raise NoSpace(self._domain.id, self._geometry.alignment)
        return number

    async def make(self, number: int, lease: LeaseId) -> Resource:
        """Safe to repeat. Raises IndexUnusable when the record has become another's."""
        data, index = await self._read()
        record = index.records[number]
        if record == Record(lease):
            return self.resource(number, lease)
        if record not in (FREE, Record(lease, updating=True)):
            raise IndexUnusable(self._domain.id, f"record {number} was to be free for {lease}")
        resource = self.resource(number, lease)
        await self._extend(resource.place.offset + self._geometry.alignment)
        data = await self._set(data, number, Record(lease, updating=True))
        await self._domain.locks.format_resource(resource)
        await self._set(data, number, Record(lease))
        return resource

    async def number(self, lease: LeaseId) -> int:
        """Of the record of a lease. Raises NoSuchLease, IndexUnusable."""
        _, index = await self._read()
        found = self._number(index, lease)
        if found is None:
            raise NoSuchLease(self._domain.id, lease)
        return found

    async def remove(self, number: int, lease: LeaseId) -> None:
        """Safe to repeat; nothing is done when the record is not that lease's. Who holds the lease is not asked."""
        data, index = await self._read()
        record = index.records[number]
        if not isinstance(record, Record) or record.lease != lease:
            return
        if not record.updating:
            data = await self._set(data, number, Record(lease, updating=True))
        await self._domain.locks.clear(self._domain.lockspace, self.place(number))
        await self._set(data, number, FREE)

    async def rebuild(self, now: float, progress: Progress = lambda done, total: None) -> None:
        """Make the index anew from what lies in all areas. Safe to repeat."""
        await self._mark(now)
        areas = await self._areas()
        records: list[AnyRecord] = [FREE] * RECORDS
        seen: dict[LeaseId, int] = {}
        for number in range(areas):
            lease = await self._lease_at(number)
            progress(number + 1, areas)
            if lease is None:
                continue
            if lease in seen:
                number = await self._one_of(lease, seen[lease], number)
                records[seen[lease]] = FREE
            seen[lease] = number
            records[number] = Record(lease)
        await self._write_all(records, now)

    async def _read(self) -> tuple[bytes, LeaseIndex]:
        offset = self._place.offset + self._geometry.index_offset
        with access(self._domain.id, missing=NoLeases(self._domain)):  # local domains have no such file
            data = await self._domain.io.read(self._place.path, offset=offset, size=SIZE, direct=True)
        try:
            index = lease_index.read(data, self._geometry)
        except Broken as error:
            raise IndexUnusable(self._domain.id, str(error)) from error
        if index.header.updating:
            raise IndexUnusable(self._domain.id, "it is being rebuilt, or that was cut short")
        if index.header.lockspace != self._domain.id:
            raise IndexUnusable(self._domain.id, f"it is that of domain {index.header.lockspace}")
        return data, index

    def _number(self, index: LeaseIndex, lease: LeaseId) -> int | None:
        try:
            return index.find(lease)
        except Broken as error:
            raise IndexUnusable(self._domain.id, str(error)) from error

    async def _settled(self, data: bytes, index: LeaseIndex) -> tuple[bytes, LeaseIndex]:
        """What a crash left marked, settled by what lies there."""
        for number, record in list(index.leases()):
            if record.updating:
                is_there = await self._is_there(number, record.lease)
                settled = Record(record.lease) if is_there else FREE
                log.warning(
                    "storage domain %s: lease %s was being made or removed: it %s",
                    self._domain.id, record.lease, "is there" if is_there else "is gone",
                )  # fmt: skip
                data = await self._set(data, number, settled)
                index = index.with_record(number, settled)
        return data, index

    async def _is_there(self, number: int, lease: LeaseId) -> bool:
        return await self._lease_at(number) == lease

    async def _lease_at(self, number: int) -> LeaseId | None:
        lockspace = self._domain.lockspace
        try:
            found = await self._domain.locks.found(lockspace, self.place(number))
        except NotALease:  # torn while it was written, or never one
            return None
        if found is None or found.lockspace != self._domain.id:
            return None
        return LeaseId(found.name) if found == Found(lockspace.domain, found.name) else None

    async def _one_of(self, lease: LeaseId, one: int, other: int) -> int:
        """Which of two areas with one name is kept: the one that is held, else the first."""
        held = await self._domain.locks.owner(self.resource(other, lease))
        kept = other if held else one
        log.error("storage domain %s: lease %s lies in two areas, %d is kept", self._domain.id, lease, kept)
        return kept

    async def _areas(self) -> int:
        if self._domain.is_block:
            return min(RECORDS, self._geometry.external_leases(self._geometry.xleases_bytes))
        size = (await self._domain.io.facts(self._place.path)).size
        return min(RECORDS, self._geometry.external_leases(size))

    async def _extend(self, size: int) -> None:
        """On file domains the areas come as they are used."""
        if self._domain.is_block:
            return
        if (await self._domain.io.facts(self._place.path)).size < size:
            await self._domain.io.resize(self._place.path, size)

    async def _set(self, data: bytes, number: int, record: Record | FreeRecord) -> bytes:
        return await self._put(data, lease_index.record_sector(data, number, record, self._geometry))

    async def _put(self, data: bytes, write: Write) -> bytes:
        changed = data[: write.offset] + write.data + data[write.offset + len(write.data) :]
        start = write.offset - write.offset % PAGE
        await self._write(start, changed[start : start + PAGE])
        return changed

    async def _mark(self, now: float) -> None:
        """From here on, and after a crash, the index is not believed."""
        offset = self._place.offset + self._geometry.index_offset
        header = Header(self._domain.id, int(now), updating=True)
        page = await self._domain.io.read(self._place.path, offset=offset, size=PAGE, direct=True)
        written = lease_index.write_header(header)
        await self._write(0, written + page.ljust(PAGE, b"\0")[len(written) :])

    async def _write_all(self, records: list[AnyRecord], now: float) -> None:
        header = Header(self._domain.id, int(now), updating=True)
        index = LeaseIndex(header, tuple(records), self._geometry)
        await self._write(0, lease_index.write(index))
        settled = lease_index.write(replace(index, header=replace(header, updating=False)))
        await self._write(0, settled[:PAGE])

    async def _write(self, offset: int, data: bytes) -> None:
        at = self._place.offset + self._geometry.index_offset + offset
        await self._domain.io.write(self._place.path, data, offset=at, direct=True)
