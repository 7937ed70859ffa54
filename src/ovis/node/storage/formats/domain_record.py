"""All that lies in a domain's metadata: the domain, the pool that it leads (or led), and keys that are not ours.

    file domain     dom_md/metadata            sealed_keys
    block domain    tags of the group          group_tags

Keys that no module knows are kept as they are: another program's (or a newer agent's) notes survive our writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ovis.node.storage.formats import domain_metadata, group_tags, pool_metadata, sealed_keys
from ovis.node.storage.formats.domain_metadata import DomainMetadata
from ovis.node.storage.formats.errors import Broken
from ovis.node.storage.formats.group_tags import TagChange
from ovis.node.storage.formats.keys import Keys
from ovis.node.storage.formats.pool_metadata import PoolMetadata


@dataclass(frozen=True)
class DomainRecord:
    domain: DomainMetadata
    pool: PoolMetadata | None = None
    other: tuple[tuple[str, str], ...] = ()


def read_file(data: bytes) -> DomainRecord:
    """Raises Broken, SealBroken, UnsupportedVersion."""
    return _from_keys(sealed_keys.read(data))


def write_file(record: DomainRecord) -> bytes:
    """Raises Broken, TooLong."""
    return sealed_keys.write(_to_keys(record))


def read_tags(tags: Iterable[str]) -> DomainRecord:
    """Raises Broken, SealBroken, UnsupportedVersion."""
    return _from_keys(group_tags.read(tags))


def write_tags(current: Iterable[str], record: DomainRecord) -> TagChange:
    """What one LVM command must do to the group's `current` tags. Raises Broken, TooLong."""
    return group_tags.change(current, _to_keys(record))


def _from_keys(keys: Mapping[str, str]) -> DomainRecord:
    unread = Keys(domain_metadata.WHAT, keys)
    domain = domain_metadata.take(unread)
    # other keys of a pool may lie around alone: MASTER_VERSION=0 on domains that never led, POOL_DESCRIPTION
    pool = pool_metadata.take(unread) if "POOL_DOMAINS" in keys else None
    return DomainRecord(domain, pool, unread.rest())


def _to_keys(record: DomainRecord) -> dict[str, str]:
    keys = domain_metadata.put(record.domain)
    if record.pool is not None:
        keys.update(pool_metadata.put(record.pool))
    for key, value in record.other:
        if key in keys and key not in pool_metadata.KEYS:
            raise Broken(domain_metadata.WHAT, key, "is known and cannot be among the other keys")
        keys.setdefault(key, value)
    return keys
