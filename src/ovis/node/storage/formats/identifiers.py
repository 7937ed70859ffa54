"""Identifiers as they stand in names, keys and tags: UUIDs in lower case with hyphens.

No parent, no pool and the like are written as the UUID of zeros (NOTHING); inside it is None.
"""

from __future__ import annotations

import re
from typing import NewType

from ovis.node.storage.formats.errors import Broken, shown

DomainId = NewType("DomainId", str)
PoolId = NewType("PoolId", str)
ImageId = NewType("ImageId", str)
VolumeId = NewType("VolumeId", str)
LeaseId = NewType("LeaseId", str)

NOTHING = "00000000-0000-0000-0000-000000000000"

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def is_identifier(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def identifier(what: str, where: str, text: str) -> str:
    """`text` when it is an identifier. Raises Broken."""
    if not is_identifier(text):
        raise Broken(what, where, f"not a UUID: {shown(text)}")
    return text
