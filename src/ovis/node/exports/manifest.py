"""The checksums of an archive that was just written, as `imports.manifest` reads them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ovis.node.exports.archive import DESCRIPTION
from ovis.node.imports.manifest import SLICE, SLICE_SECONDS

if TYPE_CHECKING:
    from ovis.node.hypervisor.pools import Pool

NAME = "vm.mf"
PIECE = 1 << 20


@dataclass(frozen=True)
class Member:
    """`offset`: of its content in the archive."""

    name: str
    offset: int
    size: int


async def write(descriptor: int, description: bytes, members: Sequence[Member], pool: Pool) -> bytes:
    """The members are read in slices, so that it can be cancelled. Raises OSError."""
    lines = [f"SHA256({DESCRIPTION})= {hashlib.sha256(description).hexdigest()}\n"]
    for member in members:
        digest = hashlib.sha256()

        def feed(at: int, until: int, digest: hashlib._Hash = digest) -> None:
            for start in range(at, until, PIECE):
                digest.update(os.pread(descriptor, min(PIECE, until - start), start))

        end = member.offset + member.size
        for at in range(member.offset, end, SLICE):
            await pool.run("make a checksum", partial(feed, at, min(at + SLICE, end)), deadline=SLICE_SECONDS)
        lines.append(f"SHA256({member.name})= {digest.hexdigest()}\n")
    return "".join(lines).encode()
