"""The pool's keys, which lie in the metadata of its master domain.

    POOL_DOMAINS       <domain id>:<status>,<domain id>:<status>,...     status Active or Attached
    POOL_DESCRIPTION   the pool's name, at most 50 characters
    POOL_SPM_ID        host id of the SPM; -1: none
    POOL_SPM_LVER      how often the SPM role was taken; -1: never
    MASTER_VERSION     raised at every change of the master; the highest in the pool is the true master's

A domain that was the master may keep these keys, and a domain that never was may have MASTER_VERSION=0: only with
POOL_DOMAINS and a version above 0 does one lead. On disk since the pool was made, they may be stale where an engine
keeps the pool in its own memory; who is SPM is told by the holder of the SDM lease, never by POOL_SPM_ID.
Crash safety: as for the domain's keys, with which they are written.

Assumptions: quotes around ids and statuses (an old agent's) are dropped; a status is read without regard to case;
"Inactive", an old name of Attached, is read as that. Unattached and Unknown are states of the API, not of the disk, but
are read. A domain that comes twice is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ovis.node.storage.formats.errors import Broken, shown
from ovis.node.storage.formats.identifiers import DomainId, identifier
from ovis.node.storage.formats.keys import Keys

WHAT = "pool metadata"
KEYS = ("POOL_DOMAINS", "POOL_DESCRIPTION", "POOL_SPM_ID", "POOL_SPM_LVER", "MASTER_VERSION")
DESCRIPTION_LIMIT = 50  # characters
NO_HOST = -1
MAX_DOMAINS_TEXT = 1 << 16


class DomainStatus(Enum):
    ACTIVE = "Active"
    ATTACHED = "Attached"
    UNATTACHED = "Unattached"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class PoolMetadata:
    """`spm_id` and `spm_version`: None when there is no SPM, or never was one."""

    domains: Mapping[DomainId, DomainStatus]
    master_version: int
    description: str = ""
    spm_id: int | None = None
    spm_version: int | None = None


def take(keys: Keys) -> PoolMetadata:
    """The pool's part of `keys`, which are left with the rest. Raises Broken."""
    return PoolMetadata(
        domains=_take_domains(keys.text("POOL_DOMAINS")),
        master_version=keys.number("MASTER_VERSION"),
        description=keys.optional("POOL_DESCRIPTION") or "",
        spm_id=_none_below_zero(keys.number_or("POOL_SPM_ID", None, at_least=NO_HOST)),
        spm_version=_none_below_zero(keys.number_or("POOL_SPM_LVER", None, at_least=NO_HOST)),
    )


def put(pool: PoolMetadata) -> dict[str, str]:
    domains = [
        f"{identifier(WHAT, 'POOL_DOMAINS', domain)}:{status.value}" for domain, status in sorted(pool.domains.items())
    ]
    return {
        "POOL_DOMAINS": ",".join(domains),
        "POOL_DESCRIPTION": pool.description,
        "POOL_SPM_ID": str(NO_HOST if pool.spm_id is None else pool.spm_id),
        "POOL_SPM_LVER": str(NO_HOST if pool.spm_version is None else pool.spm_version),
        "MASTER_VERSION": str(pool.master_version),
    }


def _take_domains(text: str) -> dict[DomainId, DomainStatus]:
    if len(text) > MAX_DOMAINS_TEXT:
        raise Broken(WHAT, "POOL_DOMAINS", f"{len(text)} characters are too many")
    domains: dict[DomainId, DomainStatus] = {}
    for part in text.split(",") if text else ():
        name, _, status = part.partition(":")
        domain = DomainId(identifier(WHAT, "POOL_DOMAINS", name.strip("'")))
        if domain in domains:
            raise Broken(WHAT, "POOL_DOMAINS", f"{domain} comes twice")
        domains[domain] = _status(status.strip("'"))
    return domains


def _status(text: str) -> DomainStatus:
    if text.capitalize() == "Inactive":
        return DomainStatus.ATTACHED
    try:
        return DomainStatus(text.capitalize())
    except ValueError as error:
        raise Broken(WHAT, "POOL_DOMAINS", f"{shown(text)} is no status") from error


def _none_below_zero(number: int | None) -> int | None:
    return None if number is None or number < 0 else number
