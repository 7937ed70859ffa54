"""Configurations of the VMs that have disks on a domain, kept on it: what another engine needs to take them over.

    a volume of disk type OVFS, raw; in it a tar (tar_archive):

        info.json          {"Last Updated": "Fri Nov 20 11:04:04 UTC 2026", "Storage Domains": [{"uuid": "<domain>"}]}
        <vm id>.ovf        one for each VM and template
        metadata.json      {"VM Status": {"<vm id>": <number>}} of VMs that were not down; may miss

    its DESCRIPTION in the volume's metadata, JSON:

        {"Updated": true, "Size": 20480, "Last Updated": "...", "Storage Domains": [...],
         "Disk Description": "OVF_STORE"}

Crash safety: the archive is written in place and cannot tell that it is torn. So: DESCRIPTION with "Updated" false; the
archive; DESCRIPTION with "Updated" true and its size. `read` wants the description and refuses a store that is not
updated. A domain has two stores, written one after the other, so one of them is always whole.

Assumptions: the time is text, as Java's Date writes it; with a zone other than UTC or GMT it is not a moment for us,
since such short names are ambiguous. A domain in a list is an object with "uuid", or the plain id. Members of other
names are refused; so is an archive without info.json. Ids of members are UUIDs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from ovis.node.storage.formats import tar_archive
from ovis.node.storage.formats.errors import Broken, shown
from ovis.node.storage.formats.identifiers import DomainId, identifier, is_identifier

WHAT = "OVF store"
INFO = "info.json"
STATUSES = "metadata.json"
SUFFIX = ".ovf"
LABEL = "OVF_STORE"

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{2}):(\d{2}):(\d{2}) (?:UTC|GMT) (\d{4})", re.ASCII)


@dataclass(frozen=True)
class OvfStore:
    """`configurations`: OVF documents by id of VM or template; `statuses`: as an engine numbers them."""

    domains: tuple[DomainId, ...]
    last_updated: str
    configurations: Mapping[str, bytes]
    statuses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class StoreDescription:
    """`updated` False: the content is being written, or a write did not end. `size` of the archive in bytes."""

    domains: tuple[DomainId, ...]
    updated: bool
    last_updated: str | None = None
    size: int | None = None


class _Domain(msgspec.Struct):
    uuid: str


class _Info(msgspec.Struct):
    last_updated: str = msgspec.field(name="Last Updated")
    domains: list[_Domain | str] = msgspec.field(name="Storage Domains")


class _Statuses(msgspec.Struct):
    statuses: dict[str, int] = msgspec.field(name="VM Status")


class _Description(msgspec.Struct):
    updated: bool = msgspec.field(name="Updated")
    domains: list[_Domain | str] = msgspec.field(name="Storage Domains")
    last_updated: str | None = msgspec.field(name="Last Updated", default=None)
    size: int | msgspec.UnsetType | None = msgspec.field(name="Size", default=msgspec.UNSET)
    label: str = msgspec.field(name="Disk Description", default=LABEL)


def read(description: StoreDescription, data: bytes) -> OvfStore:
    """What the volume's bytes hold. Raises Broken, also when the last write of it did not end."""
    if not description.updated:
        raise Broken(WHAT, "Updated", "is false: the last write did not end; use the domain's other store")
    if description.size is not None and description.size > len(data):
        raise Broken(WHAT, f"byte {len(data)}", f"ends, the archive has {description.size} bytes")
    return read_archive(data if description.size is None else data[: description.size])


def read_archive(data: bytes) -> OvfStore:
    """An archive that is known to be whole. Raises Broken."""
    files = tar_archive.read(data)
    try:
        info = msgspec.json.decode(files.pop(INFO), type=_Info)
        statuses = msgspec.json.decode(files.pop(STATUSES, b'{"VM Status": {}}'), type=_Statuses)
    except KeyError as error:
        raise Broken(WHAT, INFO, "is missing") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(WHAT, f"{INFO} or {STATUSES}", str(error)) from error
    return OvfStore(
        domains=_ids(INFO, info.domains),
        last_updated=info.last_updated,
        configurations={_id_of(name): content for name, content in files.items()},
        statuses={identifier(WHAT, STATUSES, key): value for key, value in statuses.statuses.items()},
    )


def write(store: OvfStore, *, modified: int) -> bytes:
    """The archive; `modified` in seconds since 1970, for its headers. Raises Broken, TooLong."""
    info = _Info(store.last_updated, _listed(INFO, store.domains))
    files = {INFO: msgspec.json.format(msgspec.json.encode(info), indent=2)}
    for key, content in store.configurations.items():
        files[identifier(WHAT, "member", key) + SUFFIX] = content
    if store.statuses:
        for key in store.statuses:
            identifier(WHAT, STATUSES, key)
        files[STATUSES] = msgspec.json.format(msgspec.json.encode(_Statuses(dict(store.statuses))), indent=2)
    return tar_archive.write(files, modified=modified)


def read_description(text: str) -> StoreDescription:
    """Raises Broken."""
    try:
        found = msgspec.json.decode(text.encode(errors="replace"), type=_Description)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Broken(WHAT, "DESCRIPTION", str(error)) from error
    if found.label != LABEL:
        raise Broken(WHAT, "Disk Description", f"{shown(found.label)} is not {LABEL}")
    size = None if found.size is msgspec.UNSET else found.size
    if size is not None and size < 0:
        raise Broken(WHAT, "Size", f"{size} is below 0")
    return StoreDescription(_ids("DESCRIPTION", found.domains), found.updated, found.last_updated, size)


def write_description(description: StoreDescription) -> str:
    """For the volume's DESCRIPTION. Raises Broken."""
    domains = _listed("DESCRIPTION", description.domains)
    size = msgspec.UNSET if description.size is None else description.size
    content = _Description(description.updated, domains, description.last_updated, size)
    return msgspec.json.encode(content).decode()


def time_text(moment: int) -> str:
    """`moment` (seconds since 1970) as "Last Updated"."""
    when = datetime.fromtimestamp(moment, UTC)
    day, month = _DAYS[when.weekday()], _MONTHS[when.month - 1]
    return f"{day} {month} {when:%d %H:%M:%S} UTC {when:%Y}"


def moment_of(last_updated: str) -> int | None:
    """Seconds since 1970; None when the text does not tell."""
    found = _DATE.fullmatch(last_updated)
    if not found or found.group(1) not in _MONTHS:
        return None
    day, hour, minute, second, year = (int(part) for part in found.groups()[1:])
    try:
        when = datetime(year, _MONTHS.index(found.group(1)) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(when.timestamp())


def _ids(where: str, domains: list[_Domain | str]) -> tuple[DomainId, ...]:
    texts = (domain if isinstance(domain, str) else domain.uuid for domain in domains)
    return tuple(DomainId(identifier(WHAT, where, text)) for text in texts)


def _listed(where: str, domains: tuple[DomainId, ...]) -> list[_Domain | str]:
    return [_Domain(identifier(WHAT, where, domain)) for domain in domains]


def _id_of(name: str) -> str:
    key = name.removesuffix(SUFFIX)
    if not name.endswith(SUFFIX) or not is_identifier(key):
        raise Broken(WHAT, shown(name), "is neither a configuration nor known")
    return key
