"""What a storage domain says of itself: the keys of its metadata that are about the domain.

    VERSION     3, 4 or 5                  SDUUID       the domain's id
    TYPE        see StorageType            ROLE         Master or Regular
    CLASS       Data, Iso or Backup        DESCRIPTION  its name, at most 50 characters
    POOL_UUID   ids with commas; none: empty, or the UUID of zeros
    BLOCK_SIZE, ALIGNMENT                  version 5: of its leases, bytes (sanlock_areas)
    LOCKPOLICY, LOCKRENEWALINTERVALSEC, LEASETIMESEC, IOOPTIMEOUTSEC, LEASERETRIES
                                           of the lock of versions 0 and 2; kept, of no effect
    REMOTE_PATH                            file domains: what is mounted
    VGUUID                                 block domains: LVM's id of the group
    PV0, PV1, ...                          block domains: pv:<name>,uuid:<id>,pestart:<n>,pecount:<n>,mapoffset:<n>
    LOGBLKSIZE, PHYBLKSIZE                 block domains before version 5: of its disks, bytes

They lie in one place with the pool's keys (pool_metadata, domain_record), as lines (sealed_keys) or tags (group_tags);
crash safety is said there.

Assumptions: empty or missing lock numbers mean the format's defaults and are written out. Before version 5 BLOCK_SIZE
and ALIGNMENT, when there, are 512 and 1 MiB. PV numbers have no gap and start at 0. The name of a device has no comma.
SHAREDFS, the API's name for POSIXFS, is not found on disk. A REMOTE_PATH may miss (empty is written as it was read).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ovis.node.storage.formats.errors import Broken, UnsupportedVersion, shown
from ovis.node.storage.formats.identifiers import NOTHING, DomainId, PoolId, identifier
from ovis.node.storage.formats.keys import Keys
from ovis.node.storage.formats.sanlock_areas import BLOCK_512, MIB, Geometry

WHAT = "domain metadata"
VERSIONS = (3, 4, 5)
DESCRIPTION_LIMIT = 50  # characters; checked by who takes it from a user, since longer ones may lie on disks
MAX_DEVICES = 10


class StorageType(Enum):
    UNKNOWN = "UNKNOWN"
    NFS = "NFS"
    FIBRE_CHANNEL = "FCP"
    ISCSI = "ISCSI"
    LOCAL = "LOCALFS"
    CIFS = "CIFS"
    POSIX = "POSIXFS"
    GLUSTER = "GLUSTERFS"

    @property
    def is_block(self) -> bool:
        return self in (StorageType.FIBRE_CHANNEL, StorageType.ISCSI)


class Role(Enum):
    MASTER = "Master"
    REGULAR = "Regular"


class DomainClass(Enum):
    DATA = "Data"
    ISO = "Iso"
    BACKUP = "Backup"


@dataclass(frozen=True)
class LockParameters:
    """Seconds, and a count. Of the lock that sanlock replaced; existing agents expect the keys."""

    policy: str = ""
    renewal_interval: int = 5
    lease_time: int = 60
    io_timeout: int = 10
    retries: int = 3


@dataclass(frozen=True)
class Device:
    """A disk of the group. `first_extent` and `map_offset` are counted in extents, so is `extents`."""

    name: str
    uuid: str
    first_extent: int
    extents: int
    map_offset: int


@dataclass(frozen=True)
class BlockKeys:
    group_uuid: str
    devices: tuple[Device, ...] = ()
    logical_block_size: int | None = None
    physical_block_size: int | None = None


@dataclass(frozen=True)
class DomainMetadata:
    """`remote_path` on file domains, `block` on block domains."""

    version: int
    id: DomainId
    type: StorageType
    role: Role
    domain_class: DomainClass
    description: str = ""
    pools: tuple[PoolId, ...] = ()
    geometry: Geometry = field(default_factory=Geometry)
    remote_path: str | None = None
    block: BlockKeys | None = None
    lock: LockParameters = field(default_factory=LockParameters)


def take(keys: Keys) -> DomainMetadata:
    """The domain's part of `keys`, which are left with the rest. Raises Broken, UnsupportedVersion."""
    version = keys.number("VERSION")
    if version not in VERSIONS:
        raise UnsupportedVersion(WHAT, "VERSION", f"{version} is not served, only {', '.join(map(str, VERSIONS))}")
    storage_type = keys.choice("TYPE", StorageType)
    return DomainMetadata(
        version=version,
        id=DomainId(keys.identifier("SDUUID")),
        type=storage_type,
        role=keys.choice("ROLE", Role),
        domain_class=keys.choice("CLASS", DomainClass),
        description=keys.optional("DESCRIPTION") or "",
        pools=_take_pools(keys),
        geometry=_take_geometry(keys, version),
        remote_path=None if storage_type.is_block else keys.optional("REMOTE_PATH"),
        block=_take_block(keys) if storage_type.is_block else None,
        lock=_take_lock(keys),
    )


def put(domain: DomainMetadata) -> dict[str, str]:
    """The domain as keys. Raises Broken for values that such a domain cannot have."""
    if domain.version not in VERSIONS:
        raise UnsupportedVersion(WHAT, "VERSION", f"{domain.version} is not served")
    keys = {
        "VERSION": str(domain.version),
        "SDUUID": identifier(WHAT, "SDUUID", domain.id),
        "TYPE": domain.type.value,
        "ROLE": domain.role.value,
        "CLASS": domain.domain_class.value,
        "DESCRIPTION": domain.description,
        "POOL_UUID": ",".join(identifier(WHAT, "POOL_UUID", pool) for pool in domain.pools),
        "LOCKPOLICY": domain.lock.policy,
        "LOCKRENEWALINTERVALSEC": str(domain.lock.renewal_interval),
        "LEASETIMESEC": str(domain.lock.lease_time),
        "IOOPTIMEOUTSEC": str(domain.lock.io_timeout),
        "LEASERETRIES": str(domain.lock.retries),
    }
    _put_geometry(keys, domain)
    if (domain.block is not None) != domain.type.is_block:
        raise Broken(
            WHAT, "VGUUID", f"a {domain.type.value} domain {'has' if domain.type.is_block else 'has no'} group"
        )
    if domain.block is not None:
        _put_block(keys, domain.block)
    if domain.remote_path is not None:
        keys["REMOTE_PATH"] = domain.remote_path
    return keys


def _take_pools(keys: Keys) -> tuple[PoolId, ...]:
    listed = keys.optional("POOL_UUID") or ""
    found = [identifier(WHAT, "POOL_UUID", part) for part in listed.split(",")] if listed else []
    return tuple(PoolId(pool) for pool in found if pool != NOTHING)


def _take_geometry(keys: Keys, version: int) -> Geometry:
    geometry = Geometry(keys.number_or("BLOCK_SIZE", BLOCK_512), keys.number_or("ALIGNMENT", MIB))
    if version < 5 and geometry != Geometry():
        raise Broken(WHAT, "ALIGNMENT", f"version {version} has blocks of 512 bytes and 1 MiB for a lease")
    return geometry


def _put_geometry(keys: dict[str, str], domain: DomainMetadata) -> None:
    if domain.version >= 5:
        keys["BLOCK_SIZE"] = str(domain.geometry.block_size)
        keys["ALIGNMENT"] = str(domain.geometry.alignment)
    elif domain.geometry != Geometry():
        raise Broken(WHAT, "ALIGNMENT", f"version {domain.version} has blocks of 512 bytes and 1 MiB for a lease")


def _take_lock(keys: Keys) -> LockParameters:
    usual = LockParameters()
    return LockParameters(
        policy=keys.optional("LOCKPOLICY") or "",
        renewal_interval=keys.number_or("LOCKRENEWALINTERVALSEC", usual.renewal_interval),
        lease_time=keys.number_or("LEASETIMESEC", usual.lease_time),
        io_timeout=keys.number_or("IOOPTIMEOUTSEC", usual.io_timeout),
        retries=keys.number_or("LEASERETRIES", usual.retries),
    )


def _take_block(keys: Keys) -> BlockKeys:
    return BlockKeys(
        group_uuid=keys.text("VGUUID"),
        devices=tuple(_take_devices(keys)),
        logical_block_size=keys.number_or("LOGBLKSIZE", None),
        physical_block_size=keys.number_or("PHYBLKSIZE", None),
    )


def _take_devices(keys: Keys) -> list[Device]:
    devices: list[Device] = []
    while (value := keys.optional(f"PV{len(devices)}")) is not None:
        devices.append(_device(f"PV{len(devices)}", value))
    if len(devices) > MAX_DEVICES:
        raise Broken(WHAT, f"PV{MAX_DEVICES}", f"{len(devices)} devices, at most {MAX_DEVICES} are possible")
    return devices


def _device(key: str, value: str) -> Device:
    parts: dict[str, str] = {}
    for part in value.split(","):
        name, separator, content = part.partition(":")
        if not separator or name in parts:
            raise Broken(WHAT, key, f"cannot be read at {shown(part)}")
        parts[name] = content
    fields = Keys(f"{WHAT}: {key}", parts)
    device = Device(
        name=fields.text("pv"),
        uuid=fields.text("uuid"),
        first_extent=fields.number("pestart"),
        extents=fields.number("pecount"),
        map_offset=fields.number("mapoffset"),
    )
    if fields.rest():
        raise Broken(WHAT, key, f"has an unknown part {shown(fields.rest()[0][0])}")
    return device


def _put_block(keys: dict[str, str], block: BlockKeys) -> None:
    keys["VGUUID"] = block.group_uuid
    if len(block.devices) > MAX_DEVICES:
        raise Broken(WHAT, f"PV{MAX_DEVICES}", f"{len(block.devices)} devices, at most {MAX_DEVICES} are possible")
    for number, device in enumerate(block.devices):
        if "," in device.name or "," in device.uuid:
            raise Broken(WHAT, f"PV{number}", f"a name with a comma: {shown(device.name)}")
        place = f"pestart:{device.first_extent},pecount:{device.extents},mapoffset:{device.map_offset}"
        keys[f"PV{number}"] = f"pv:{device.name},uuid:{device.uuid},{place}"
    if block.logical_block_size is not None:
        keys["LOGBLKSIZE"] = str(block.logical_block_size)
    if block.physical_block_size is not None:
        keys["PHYBLKSIZE"] = str(block.physical_block_size)
