"""That this host is in a pool: kept on its own disk, so that it is joined again after a restart.

    <state>/pool.json    {"pool": ..., "host_id": 1, "master": ..., "master_version": 1,
                          "domains": {"<domain id>": "Active", ...}, "is_told": true}

Written before `connect` is answered, removed before `disconnect` is.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ovis.node import durable_files
from ovis.node.storage.formats.identifiers import DomainId, PoolId
from ovis.node.storage.formats.pool_metadata import DomainStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Membership:
    """`domains`: as the last connect, or a change by this host as SPM, left them. `is_told`: a caller named them, who
    keeps the list himself; otherwise they are what the master says, and may be older than that."""

    pool: PoolId
    host_id: int
    master: DomainId
    master_version: int
    domains: Mapping[DomainId, DomainStatus]
    is_told: bool = False

    @property
    def active(self) -> list[DomainId]:
        return [domain for domain, status in self.domains.items() if status is DomainStatus.ACTIVE]


class _Stored(msgspec.Struct):
    pool: str
    host_id: int
    master: str
    master_version: int
    domains: dict[str, DomainStatus]
    is_told: bool = False


def save(file: Path, membership: Membership) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stored = _Stored(
        membership.pool,
        membership.host_id,
        membership.master,
        membership.master_version,
        {str(domain): status for domain, status in membership.domains.items()},
        membership.is_told,
    )
    durable_files.replace(file, msgspec.json.encode(stored) + b"\n")


def forget(file: Path) -> None:
    if file.exists():
        file.unlink()
        durable_files.flush(file.parent)


def load(file: Path) -> Membership | None:
    """None: in no pool, or the file cannot be read (then the engine connects this host again)."""
    try:
        stored = msgspec.json.decode(file.read_bytes(), type=_Stored)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError):
        log.exception("%s cannot be used: this host is in no pool", file)
        return None
    return Membership(
        PoolId(stored.pool),
        stored.host_id,
        DomainId(stored.master),
        stored.master_version,
        MappingProxyType({DomainId(domain): status for domain, status in stored.domains.items()}),
        stored.is_told,
    )
