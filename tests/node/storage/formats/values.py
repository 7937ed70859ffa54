"""Any value that each format can hold, for hypothesis; and what a cut write leaves."""

from collections.abc import Iterator

from hypothesis import strategies as st

from ovis.node.storage.formats import lease_index, mailbox
from ovis.node.storage.formats.domain_metadata import (
    BlockKeys,
    Device,
    DomainClass,
    DomainMetadata,
    LockParameters,
    Role,
    StorageType,
)
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.ovf_store import OvfStore
from ovis.node.storage.formats.pool_metadata import DomainStatus, PoolMetadata
from ovis.node.storage.formats.sanlock_areas import MIB, Geometry
from ovis.node.storage.formats.volume_metadata import (
    Allocation,
    DiskType,
    Legality,
    VolumeFormat,
    VolumeMetadata,
    VolumeRole,
)
from ovis.node.storage.formats.volume_tags import Removal, VolumeTags

ids = st.uuids(version=4).map(str)
counts = st.integers(0, 2**40)


def texts(most: int) -> st.SearchStrategy[str]:
    """What a line can hold: any characters but control ones and line ends, none blank at the ends."""
    letters = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\x85")
    return st.text(letters, max_size=most).map(str.strip)


words = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.:/", min_size=1, max_size=40)
GEOMETRIES = [Geometry(), *(Geometry(4096, count * MIB) for count in (1, 2, 4, 8))]
geometries = st.sampled_from(GEOMETRIES)
devices = st.builds(Device, words, words, counts, counts, counts)
pools = st.builds(
    PoolMetadata,
    domains=st.dictionaries(ids, st.sampled_from(DomainStatus), max_size=5),
    master_version=counts,
    description=texts(50),
    spm_id=st.none() | st.integers(0, 2000),
    spm_version=st.none() | counts,
)


@st.composite
def domains(draw: st.DrawFn) -> DomainMetadata:
    version = draw(st.sampled_from((3, 4, 5)))
    storage_type = draw(st.sampled_from(StorageType))
    return DomainMetadata(
        version=version,
        id=draw(ids),
        type=storage_type,
        role=draw(st.sampled_from(Role)),
        domain_class=draw(st.sampled_from(DomainClass)),
        description=draw(texts(50)),
        pools=tuple(draw(st.lists(ids, max_size=2))),
        geometry=draw(geometries) if version == 5 else Geometry(),
        remote_path=None if storage_type.is_block else draw(st.none() | texts(60)),
        block=draw(blocks(version)) if storage_type.is_block else None,
        lock=draw(st.builds(LockParameters, st.sampled_from(("", "ON")), *(st.integers(1, 999),) * 4)),
    )


def blocks(version: int) -> st.SearchStrategy[BlockKeys]:
    sizes = st.none() if version == 5 else st.sampled_from((512, 4096))
    return st.builds(BlockKeys, words, st.lists(devices, max_size=10).map(tuple), sizes, sizes)


others = st.dictionaries(st.from_regex(r"X[A-Z_]{1,8}", fullmatch=True), texts(20), max_size=2)
records = st.builds(DomainRecord, domains(), st.none() | pools, others.map(lambda keys: tuple(sorted(keys.items()))))

volumes = st.builds(
    VolumeMetadata,
    domain=ids,
    image=ids,
    parent=st.none() | ids,
    capacity=st.integers(0, 2**53).map(lambda blocks: blocks * 512),
    format=st.sampled_from(VolumeFormat),
    allocation=st.sampled_from(Allocation),
    role=st.sampled_from(VolumeRole),
    created=st.integers(0, 2**33),
    disk_type=st.sampled_from(DiskType),
    description=texts(50),
    legality=st.sampled_from(Legality),
    generation=st.integers(0, 999),
    sequence=st.integers(0, 99999),
)
volume_tags = st.builds(
    VolumeTags, ids, st.none() | ids, st.integers(0, 1947), st.sampled_from(Removal), st.just(("mine",)) | st.just(())
)

lease_records = st.just(lease_index.FREE) | st.builds(lease_index.Record, ids, st.booleans())
headers = st.builds(lease_index.Header, ids, st.integers(0, 2**33), st.booleans())
indices = st.builds(
    lambda header, few, geometry: lease_index.LeaseIndex(
        header, (*few, *(lease_index.FREE,) * (lease_index.RECORDS - len(few))), geometry
    ),
    headers,
    st.lists(lease_records, max_size=5, unique_by=lambda record: getattr(record, "lease", object())),
    geometries,
)
messages = st.just(mailbox.Clear()) | st.builds(mailbox.Extend, ids, ids, st.integers(0, 2**32 - 1).map(MIB.__mul__))
mails = st.dictionaries(st.integers(0, mailbox.SLOTS - 1), messages, max_size=mailbox.SLOTS)
stores = st.builds(
    OvfStore,
    domains=st.lists(ids, max_size=2).map(tuple),
    last_updated=texts(30),
    configurations=st.dictionaries(ids, st.binary(max_size=1500), max_size=4),
    statuses=st.dictionaries(ids, st.integers(0, 99), max_size=3),
)


def torn(old: bytes, new: bytes, *, unit: int = 1) -> Iterator[bytes]:
    """What may lie there when a write of `new` over `old` stopped after some units; also in a file cut to 0 before."""
    for cut in range(0, max(len(old), len(new)) + unit, unit):
        yield new[:cut] + old[cut:]
        yield new[:cut]
