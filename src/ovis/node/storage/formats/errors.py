"""Why bytes are not what they should be. `where` is a key, a tag or a byte offset, as precise as the form allows.

FormatError
├── Broken                 a value makes no sense
│   ├── Missing            a key that must be there is not
│   ├── SealBroken         the checksum is wrong: torn or edited
│   └── Cleared            the place holds no volume any more
├── UnsupportedVersion     a domain of a version that is not served
├── WrongTag               a tag of a logical volume is wrong or missing
└── TooLong                a value does not fit in its place; nothing was written
"""

from __future__ import annotations

from ovis.node.errors import NodeError

SHOWN = 80  # characters of a broken value in an error text: it may be anything, of any length


class FormatError(NodeError):
    wire_name = "MetaDataGeneralError"

    def __init__(self, what: str, where: str, problem: str) -> None:
        super().__init__(f"{what}: {where}: {problem}")
        self.what = what
        self.where = where
        self.problem = problem


class Broken(FormatError):
    wire_name = "InvalidMetadata"


class Missing(Broken):
    wire_name = "MetaDataKeyError"

    def __init__(self, what: str, key: str) -> None:
        super().__init__(what, key, "is missing")


class SealBroken(Broken):
    wire_name = "MetaDataSealIsBroken"


class Cleared(Broken):
    wire_name = "MetadataCleared"


class UnsupportedVersion(FormatError):
    wire_name = "UnsupportedDomainVersion"


class WrongTag(FormatError):
    wire_name = "LogicalVolumeWrongTagError"


class TooLong(FormatError):
    wire_name = "MetadataOverflowError"


def shown(value: str | bytes) -> str:
    """`value` for an error text: bounded, without control characters."""
    text = repr(value[: SHOWN + 1])
    return text if len(value) <= SHOWN else f"{text}... ({len(value)} long)"
