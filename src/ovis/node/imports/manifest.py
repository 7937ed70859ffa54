"""The checksums of an OVA: a file beside the description, with the same name and the ending `.mf`.

    SHA256(guest.ovf)= 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

They tell damage, not intent: who changes a disk can change them as well. Source: DSP0243 (OVF), section 6.2.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ovis.node.imports.errors import BadArchive, BadDisk
from ovis.node.imports.ova import Content, Ova

if TYPE_CHECKING:
    from ovis.node.hypervisor.pools import Pool

LIMIT = 1 << 20
SLICE = 64 << 20  # a tenth of a second of hashing, and of a slow line a few seconds
SLICE_SECONDS = 120.0
ALGORITHMS = {"SHA1": 40, "SHA256": 64, "SHA512": 128}
_LINE = re.compile(
    r"(?P<algorithm>[A-Za-z0-9-]{1,16}) ?\((?P<name>[^()\0]{1,4096})\) ?= ?(?P<digest>[0-9A-Fa-f]{1,128})"
)


@dataclass(frozen=True)
class Checksum:
    algorithm: str
    digest: str


def read(archive: Ova) -> dict[str, Checksum]:
    """Checksums by file name; of an archive without a manifest none. Blocks. Raises BadArchive, OSError."""
    name = f"{archive.description_name.rpartition('.')[0]}.mf"
    if not archive.has(name):
        return {}
    content = archive.content(name)
    if content.size > LIMIT:
        raise BadArchive(archive.path, f"it has {content.size} bytes, at most {LIMIT} are read", member=name)
    text = content.read(0, content.size).decode("utf-8-sig", "replace")
    found: dict[str, Checksum] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        match = _LINE.fullmatch(line)
        if match is None or ALGORITHMS.get(match["algorithm"].upper().replace("-", "")) != len(match["digest"]):
            raise BadArchive(archive.path, f"a line is no checksum: {line[:120]!r}", member=name)
        algorithm = match["algorithm"].upper().replace("-", "")
        found[match["name"]] = Checksum(algorithm, match["digest"].lower())
    return found


def check_description(archive: Ova, known: Mapping[str, Checksum]) -> None:
    """Blocks. Raises BadArchive, OSError."""
    wanted = known.get(archive.description_name)
    if wanted is None:
        return
    content = archive.content(archive.description_name)
    told = hashlib.new(wanted.algorithm, content.read(0, content.size), usedforsecurity=False).hexdigest()
    if told != wanted.digest:
        raise BadArchive(archive.path, _differs(wanted), member=archive.description_name)


async def check(content: Content, wanted: Checksum, pool: Pool) -> None:
    """All of the file is read, in slices, so that it can be cancelled. Raises BadDisk, OSError."""
    digest = hashlib.new(wanted.algorithm, usedforsecurity=False)

    def feed(at: int) -> None:
        for start in range(at, min(at + SLICE, content.size), 1 << 20):
            digest.update(content.read(start, 1 << 20))

    for at in range(0, content.size, SLICE):
        await pool.run("compare a checksum", partial(feed, at), deadline=SLICE_SECONDS)
    if digest.hexdigest() != wanted.digest:
        raise BadDisk(content.name, _differs(wanted))


def _differs(wanted: Checksum) -> str:
    return f"its {wanted.algorithm} is not the one in the manifest: it is damaged, or was changed afterwards"
