"""What a volume says of itself: at most 512 bytes of KEY=VALUE lines, sorted, and a last line EOF.

    CAP=10737418240\\n          version 5: capacity in bytes              before it: SIZE, in blocks of 512 bytes
    CTIME=1440935038\\n         when it was made, seconds since 1970      (both while a domain is converted)
    DESCRIPTION={...}\\n        free text, at most 210 characters; JSON from an engine
    DISKTYPE=DATA\\n            see DiskType
    DOMAIN=<domain id>\\n
    FORMAT=COW\\n               COW (qcow2) or RAW
    GEN=0\\n                    generation, 0-999 and around again; absent: 0
    IMAGE=<image id>\\n
    LEGALITY=LEGAL\\n           LEGAL, ILLEGAL (must not be used) or FAKE (stands for a template that is elsewhere)
    MTIME=0\\n                  before version 5: always 0
    PUUID=<volume id>\\n        the parent; none: zeros
    SEQ=1\\n                    version 5: place in the image's history; absent: 0
    TYPE=SPARSE\\n              SPARSE or PREALLOCATED
    VOLTYPE=LEAF\\n             LEAF, INTERNAL or SHARED (a template)
    EOF\\n

Where it lies:

    file domain     <volume>.meta, as long as the text
    block domain    a slot of the logical volume `metadata`; the volume's tag MD_<n> (volume_tags) says which

        version 3, 4    n x 512                  slots 0-3 held domain metadata once; first used: 4
        version 5       1 MiB + n x 8192         slot 0 is reserved; first used: 1
                        the first MiB is version 4's area, kept free; the first 17 MiB are zeroed at creation

        | text ... EOF\\n | zeros up to 512 |      the rest of a version 5 slot stays unused

Crash safety: a slot is written as 512 bytes at a multiple of 512: within one sector, so old or new. There is no seal.
On disks with sectors of 4096 bytes (version 5 only) the 512 bytes are padded to one sector. A .meta file is renamed
into place; one cut short has no EOF line and is refused.

A slot that was freed holds zeros, or the line NONE=###... of old agents: Cleared.

Assumptions: text behind EOF is passed over, as existing readers do. POOL_UUID, which old agents wrote empty, is
dropped; other unknown keys are kept. A description longer than 210 characters is cut when read, as existing agents do,
so that it can be written back. The last slot is the one whose lease still has room (sanlock_areas). CAP and SIZE
together must agree. UNKNOWN, a name that old agents have for TYPE and FORMAT, is refused: it cannot be acted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ovis.node.storage.formats.errors import Broken, Cleared, TooLong, shown
from ovis.node.storage.formats.identifiers import NOTHING, DomainId, ImageId, VolumeId, identifier
from ovis.node.storage.formats.keys import LARGEST, Keys, is_key
from ovis.node.storage.formats.sanlock_areas import BLOCK_4K, BLOCK_512, MIB

WHAT = "volume metadata"
LIMIT = 512  # bytes, on every kind of domain: a volume may move
DESCRIPTION_LIMIT = 210  # characters
MAX_GENERATION = 999
MAX_SEQUENCE = 999_999_999  # no fact; leaves the description its room
SLOTS_END = 17 * MIB  # zeroed when a block domain is made

_KNOWN_ABSENT = ("POOL_UUID", "MTIME")  # of no meaning; MTIME is written as 0 where it is expected
_LINE_ENDS = ("\n", "\r", "\0")


class VolumeFormat(Enum):
    COW = "COW"
    RAW = "RAW"


class Allocation(Enum):
    PREALLOCATED = "PREALLOCATED"
    SPARSE = "SPARSE"


class VolumeRole(Enum):
    LEAF = "LEAF"
    INTERNAL = "INTERNAL"
    SHARED = "SHARED"


class Legality(Enum):
    LEGAL = "LEGAL"
    ILLEGAL = "ILLEGAL"
    FAKE = "FAKE"


class DiskType(Enum):
    DATA = "DATA"
    ISO = "ISOF"
    MEMORY = "MEMD"
    MEMORY_DESCRIPTION = "MEMM"
    OVF_STORE = "OVFS"
    HOSTED_ENGINE_DISK = "HEVD"
    HOSTED_ENGINE_LOCKSPACE = "HESD"
    HOSTED_ENGINE_METADATA = "HEMD"
    HOSTED_ENGINE_CONFIGURATION = "HECI"
    SCRATCH = "SCRD"
    OLD_CONVERTED = "1"  # data; what virt-v2v wrote once
    OLD_DATA = "2"  # data; what engines before 4.2 wrote


@dataclass(frozen=True)
class VolumeMetadata:
    """`capacity` in bytes, `created` in seconds since 1970; `parent` None: the first of its chain."""

    domain: DomainId
    image: ImageId
    parent: VolumeId | None
    capacity: int
    format: VolumeFormat
    allocation: Allocation
    role: VolumeRole
    created: int
    disk_type: DiskType = DiskType.DATA
    description: str = ""
    legality: Legality = Legality.LEGAL
    generation: int = 0
    sequence: int = 0
    other: tuple[tuple[str, str], ...] = ()

    @property
    def next_generation(self) -> int:
        return (self.generation + 1) % (MAX_GENERATION + 1)


@dataclass(frozen=True)
class SlotLayout:
    """Where the slots of one version lie in the logical volume `metadata`. Bytes."""

    base: int
    size: int
    first: int

    def offset(self, slot: int) -> int:
        """Raises Broken for a slot that no volume can have."""
        offset = self.base + slot * self.size
        if slot < self.first or offset + self.size > SLOTS_END:
            raise Broken(WHAT, f"slot {slot}", "is not one of a volume")
        return offset


SLOTS = {
    3: SlotLayout(base=0, size=512, first=4),
    4: SlotLayout(base=0, size=512, first=4),
    5: SlotLayout(base=MIB, size=8192, first=1),
}


def read(data: bytes) -> VolumeMetadata:
    """What a .meta file or a slot holds, of any version. Raises Broken, Missing, Cleared."""
    keys = Keys(WHAT, _pairs(data))
    capacity = _capacity(keys)
    for key in _KNOWN_ABSENT:
        keys.optional(key)
    parent = keys.identifier_or_none("PUUID")
    return VolumeMetadata(
        domain=DomainId(keys.identifier("DOMAIN")),
        image=ImageId(keys.identifier("IMAGE")),
        parent=None if parent is None else VolumeId(parent),
        capacity=capacity,
        format=keys.choice("FORMAT", VolumeFormat),
        allocation=keys.choice("TYPE", Allocation),
        role=keys.choice("VOLTYPE", VolumeRole),
        created=keys.number("CTIME"),
        disk_type=keys.choice("DISKTYPE", DiskType),
        description=keys.text("DESCRIPTION")[:DESCRIPTION_LIMIT].rstrip(),
        legality=keys.choice("LEGALITY", Legality),
        generation=keys.number_or("GEN", 0, at_most=MAX_GENERATION),
        sequence=keys.number_or("SEQ", 0, at_most=MAX_SEQUENCE),
        other=keys.rest(),
    )


def write(volume: VolumeMetadata, version: int) -> bytes:
    """The text for a domain of `version`: the whole .meta file. Raises Broken, TooLong."""
    keys = dict(volume.other)
    known = _known(volume, version)
    if taken := sorted(keys.keys() & {*known, "CAP", "SIZE", "SEQ", *_KNOWN_ABSENT}):
        raise Broken(WHAT, taken[0], "is known and cannot be among the other keys")
    keys.update(known)
    for key, value in keys.items():
        if not is_key(key) or key.startswith("EOF"):
            raise Broken(WHAT, shown(key), "is not a key")
        if value != value.strip() or any(end in value for end in _LINE_ENDS):
            raise Broken(WHAT, key, f"cannot be kept in a line: {shown(value)}")
    try:
        data = "".join(f"{key}={keys[key]}\n" for key in sorted(keys)).encode() + b"EOF\n"
    except UnicodeEncodeError as error:
        raise Broken(WHAT, "DESCRIPTION", "is not text that UTF-8 can hold") from error
    if len(data) > LIMIT:
        raise TooLong(WHAT, "DESCRIPTION", f"{len(data)} bytes in all, {LIMIT} have room")
    return data


def write_slot(volume: VolumeMetadata, version: int, *, block_size: int = BLOCK_512) -> bytes:
    """One sector to be written at the slot's offset: the text and zeros. Raises Broken, TooLong."""
    return write(volume, version).ljust(_sector(version, block_size), b"\0")


def cleared_slot(version: int, *, block_size: int = BLOCK_512) -> bytes:
    """One sector to be written over the slot of a volume that is gone."""
    return bytes(_sector(version, block_size))


def _sector(version: int, block_size: int) -> int:
    _check_version(version)
    if block_size != BLOCK_512 and (version < 5 or block_size != BLOCK_4K):
        raise Broken(WHAT, "BLOCK_SIZE", f"version {version} cannot lie on blocks of {block_size} bytes")
    return block_size


def _check_version(version: int) -> None:
    if version not in SLOTS:
        raise Broken(WHAT, "version", f"{version} is not served")


def _known(volume: VolumeMetadata, version: int) -> dict[str, str]:
    _check_version(version)
    keys = {
        "CTIME": _number("CTIME", volume.created, LARGEST),
        "DESCRIPTION": volume.description,
        "DISKTYPE": volume.disk_type.value,
        "DOMAIN": identifier(WHAT, "DOMAIN", volume.domain),
        "FORMAT": volume.format.value,
        "GEN": _number("GEN", volume.generation, MAX_GENERATION),
        "IMAGE": identifier(WHAT, "IMAGE", volume.image),
        "LEGALITY": volume.legality.value,
        "PUUID": NOTHING if volume.parent is None else identifier(WHAT, "PUUID", volume.parent),
        "TYPE": volume.allocation.value,
        "VOLTYPE": volume.role.value,
    }
    if len(volume.description) > DESCRIPTION_LIMIT:
        raise TooLong(WHAT, "DESCRIPTION", f"{len(volume.description)} characters, {DESCRIPTION_LIMIT} are possible")
    if version >= 5:
        keys["CAP"] = _number("CAP", volume.capacity, LARGEST)
        keys["SEQ"] = _number("SEQ", volume.sequence, MAX_SEQUENCE)
        return keys
    if volume.capacity % BLOCK_512:
        raise Broken(WHAT, "SIZE", f"{volume.capacity} bytes are not whole blocks of {BLOCK_512}")
    keys["SIZE"] = _number("SIZE", volume.capacity // BLOCK_512, LARGEST)
    keys["MTIME"] = "0"
    return keys


def _number(key: str, number: int, at_most: int) -> str:
    if not 0 <= number <= at_most:
        raise Broken(WHAT, key, f"{number} is not between 0 and {at_most}")
    return str(number)


def _capacity(keys: Keys) -> int:
    capacity = keys.number_or("CAP", None)
    blocks = keys.number_or("SIZE", None, at_most=LARGEST // BLOCK_512)
    if capacity is None:
        return blocks * BLOCK_512 if blocks is not None else keys.number("CAP")
    if blocks is not None and blocks != capacity // BLOCK_512:
        raise Broken(WHAT, "SIZE", f"{blocks} blocks, but CAP is {capacity} bytes")
    return capacity


def _pairs(data: bytes) -> dict[str, str]:
    pairs: dict[str, str] = {}
    if not data.strip(b"\0"):
        raise Cleared(WHAT, "byte 0", "no volume is described here")
    if data.startswith(b"NONE="):
        raise Cleared(WHAT, "NONE", "the volume was deleted")
    at = 0
    # only the first 512 bytes can be metadata; a slot may be read with its whole sector
    for raw in data[:LIMIT].split(b"\n"):
        if raw.startswith(b"EOF"):
            return pairs
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            raise Broken(WHAT, f"byte {at + error.start}", "is not UTF-8") from error
        key, separator, value = line.partition("=")
        if "\0" in line or not separator or not is_key(key):
            raise Broken(WHAT, f"byte {at}", f"not KEY=VALUE: {shown(line)}")
        if key in pairs:
            raise Broken(WHAT, key, "comes twice")
        pairs[key] = value.strip()
        if "\r" in pairs[key]:
            raise Broken(WHAT, key, f"has a line end inside: {shown(pairs[key])}")
        at += len(raw) + 1
    raise Broken(WHAT, f"byte {min(len(data), LIMIT)}", "ends without EOF: cut short")
