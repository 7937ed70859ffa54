"""Sizes, alignments and offsets of what sanlock keeps on a domain.

    ids      lockspace, named after the domain; host h renews the block (h - 1) x block size

    leases   slot 0       lock of versions 0 and 2, unused
             slot 1       "SDM": who holds it is the SPM
             slots 2-99   reserved
             slot 100+s   the volume whose metadata lie in slot s (volume_metadata); block domains only

    xleases  slot 0       lockspace, unused
             slot 1       index (lease_index)
             slot 2       reserved for sanlock's own lock of the index
             slot 3+n     the lease of index record n

    <volume>.lease        offset 0: the volume's lease on a file domain

A slot is one alignment long; a lockspace takes one, too. A slot holds a leader block and a block for each possible
host, so alignment and block size limit the hosts:

    block    alignment      hosts
      512        1 MiB       2000
     4096        1 MiB        250
     4096        2 MiB        500
     4096        4 MiB       1000
     4096        8 MiB       2000

LV sizes: ids 8 MiB, leases 2048 alignments, xleases 1024 alignments; on file domains the files grow as used.

Crash safety is sanlock's: it writes single blocks, in an order that its own readers understand.

Assumptions: volume slots stop where the `leases` volume does, so a domain converted from version 4 with slots up to
1950 needs a longer one. The place of a host's block in `ids` is sanlock's and is given for reading only.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovis.node.storage.formats.errors import Broken

WHAT = "sanlock area"
MIB = 1 << 20
BLOCK_512 = 512
BLOCK_4K = 4096
MAX_HOSTS = 2000
MAX_HOSTS_IN_MAILBOX = 250  # existing agents use host ids up to this one

IDS_BYTES = 8 * MIB
LEASES_SLOTS = 2048
XLEASES_SLOTS = 1024

SDM_RESOURCE = "SDM"
SDM_SLOT = 1
RESERVED_SLOTS = 100
INDEX_SLOT = 1
FIRST_USER_SLOT = 3
VOLUME_LEASE_FILE_OFFSET = 0

_HOSTS = {
    (BLOCK_512, 1 * MIB): 2000,
    (BLOCK_4K, 1 * MIB): 250,
    (BLOCK_4K, 2 * MIB): 500,
    (BLOCK_4K, 4 * MIB): 1000,
    (BLOCK_4K, 8 * MIB): 2000,
}


@dataclass(frozen=True)
class Geometry:
    """How leases lie on one domain. Bytes. Raises Broken for a pair that sanlock does not know."""

    block_size: int = BLOCK_512
    alignment: int = MIB

    def __post_init__(self) -> None:
        if (self.block_size, self.alignment) not in _HOSTS:
            pair = f"block size {self.block_size}, alignment {self.alignment}"
            raise Broken(WHAT, "ALIGNMENT", f"{pair}: not a pair that leases can have")

    @property
    def max_hosts(self) -> int:
        return _HOSTS[self.block_size, self.alignment]

    @property
    def note_offset(self) -> int:
        """Within a slot, of the bytes that sanlock keeps for the lease's users: behind the blocks of all hosts."""
        return (self.max_hosts + 2) * self.block_size

    @property
    def leases_bytes(self) -> int:
        """Of the logical volume `leases` when it is made."""
        return LEASES_SLOTS * self.alignment

    @property
    def xleases_bytes(self) -> int:
        """Of the logical volume `xleases` when it is made."""
        return XLEASES_SLOTS * self.alignment

    @property
    def sdm_offset(self) -> int:
        """Of the SPM's lease in `leases`."""
        return SDM_SLOT * self.alignment

    def volume_offset(self, slot: int, *, leases_bytes: int | None = None) -> int:
        """Of the lease in `leases` of the volume with metadata in `slot`. `leases_bytes`: how long `leases` is now."""
        return self._inside("metadata slot", slot, RESERVED_SLOTS, leases_bytes or self.leases_bytes)

    @property
    def index_offset(self) -> int:
        """Of the index in `xleases`."""
        return INDEX_SLOT * self.alignment

    def external_offset(self, record: int, *, xleases_bytes: int | None = None) -> int:
        """Of the lease in `xleases` that index record `record` names."""
        return self._inside("record", record, FIRST_USER_SLOT, xleases_bytes or self.xleases_bytes)

    def external_leases(self, xleases_bytes: int) -> int:
        """How many leases have room in an `xleases` of this size."""
        return max(0, xleases_bytes // self.alignment - FIRST_USER_SLOT)

    def host_offset(self, host_id: int) -> int:
        """Of the block in `ids` that the host renews."""
        if not 1 <= host_id <= self.max_hosts:
            raise Broken(WHAT, "host id", f"{host_id} is not between 1 and {self.max_hosts}")
        return (host_id - 1) * self.block_size

    def _inside(self, where: str, number: int, first: int, area: int) -> int:
        offset = (first + number) * self.alignment
        if number < 0 or offset + self.alignment > area:
            raise Broken(WHAT, f"{where} {number}", f"its lease is not within {area} bytes")
        return offset


def geometry(block_size: int, hosts: int) -> Geometry:
    """The smallest alignment that lets `hosts` hosts in. Raises Broken."""
    fitting = [align for (block, align), most in _HOSTS.items() if block == block_size and most >= hosts]
    if not fitting or hosts < 1:
        raise Broken(WHAT, "hosts", f"{hosts} with blocks of {block_size} bytes are not possible")
    return Geometry(block_size, min(fitting))
