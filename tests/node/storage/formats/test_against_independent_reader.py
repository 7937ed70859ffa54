"""Two programs that share no code agree on every layout, in both directions."""

import ast
import sys
from io import BytesIO
from pathlib import Path, PurePosixPath

import plain_reader
import plain_writer
import pytest
from golden_files import BLOCK_DOMAIN, DOMAIN, IMAGE, POOL, VM, VOLUME, golden, golden_lines
from hypothesis import given, reject, settings
from values import indices, mails, records, stores, volume_tags, volumes

from ovis.node.storage.formats import (
    domain_record,
    lease_index,
    mailbox,
    ovf_store,
    repository,
    volume_metadata,
)
from ovis.node.storage.formats import volume_tags as tags_of
from ovis.node.storage.formats.domain_metadata import DomainClass, DomainMetadata, Role, StorageType
from ovis.node.storage.formats.domain_record import DomainRecord
from ovis.node.storage.formats.errors import TooLong
from ovis.node.storage.formats.lease_index import LeaseIndex, Record
from ovis.node.storage.formats.mailbox import Extend, Message
from ovis.node.storage.formats.ovf_store import OvfStore
from ovis.node.storage.formats.sanlock_areas import MIB, Geometry
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.formats.volume_tags import VolumeTags

READER = Path(plain_reader.__file__).parent
quick = settings(max_examples=50, deadline=None)


def test_the_other_program_imports_the_standard_library_alone() -> None:
    for file in READER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                imported = [node.module or ""]
            else:
                continue
            assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


def test_the_other_program_reads_the_files_written_by_hand() -> None:
    assert plain_reader.domain_file(golden("file_domain_v4.metadata"))["SDUUID"] == DOMAIN
    assert plain_reader.domain_tags(golden_lines("block_domain_v5.tags"))["SDUUID"] == BLOCK_DOMAIN
    assert plain_reader.capacity(plain_reader.volume(golden("volume_v4.meta"))) == 10 << 30
    assert plain_reader.capacity(plain_reader.volume(golden("volume_v5.meta"))) == 10 << 30
    page = BytesIO(bytes(4096) + golden("mailbox_page.hex"))
    assert plain_reader.mailbox_page(page, 1) == {0: ("extend", DOMAIN, VOLUME, 2560), 1: "clear"}
    assert plain_reader.ovf_store(golden("ovf_store.tar"))["statuses"] == {VM: 1}


@quick
@given(records)
def test_domain_metadata_in_a_file(record: DomainRecord) -> None:
    table = plain_reader.domain_file(domain_record.write_file(record))
    assert table["SDUUID"] == record.domain.id
    assert table["DESCRIPTION"] == record.domain.description
    assert table["POOL_UUID"] == ",".join(record.domain.pools)
    assert domain_record.read_file(plain_writer.domain_file(table)) == record


@quick
@given(records)
def test_domain_metadata_in_tags(record: DomainRecord) -> None:
    try:
        tags = domain_record.write_tags((), record).add
    except TooLong:
        reject()
    table = plain_reader.domain_tags(["RHAT_storage_domain", *tags])
    assert table["SDUUID"] == record.domain.id
    assert domain_record.read_tags(plain_writer.domain_tags(table)) == record


@quick
@given(volumes)
def test_volumes_in_slots(volume: VolumeMetadata) -> None:
    for version in (4, 5):
        area = BytesIO(bytes(2 * MIB))
        area.seek(volume_metadata.SLOTS[version].offset(7))
        area.write(volume_metadata.write_slot(volume, version))
        table = plain_reader.volume_in_slot(area, version, 7)
        assert plain_reader.capacity(table) == volume.capacity
        assert table["IMAGE"] == volume.image
        copy = BytesIO(bytes(2 * MIB))
        plain_writer.volume_into_slot(copy, version, 7, table)
        assert copy.getvalue() == area.getvalue()


@quick
@given(volume_tags)
def test_tags_of_volumes(tags: VolumeTags) -> None:
    table = plain_reader.volume_tags(tags_of.write(tags))
    assert (table["image"], int(table["slot"])) == (tags.image, tags.slot)
    written = plain_writer.volume_tags(
        table["image"], table["parent"], tags.slot, deleted=table["deleted"], wipe=table["wipe"]
    )
    assert tags_of.read((*written, *tags.other)) == tags


@settings(max_examples=10, deadline=None)
@given(indices)
def test_lease_index(index: LeaseIndex) -> None:
    alignment = index.geometry.alignment
    area = BytesIO(bytes(index.geometry.index_offset) + lease_index.write(index))
    table = plain_reader.lease_index(area, alignment)
    expected = {
        record.lease: (index.geometry.external_offset(number), record.updating) for number, record in index.leases()
    }
    assert table["leases"] == expected
    assert (table["lockspace"], table["time"]) == (index.header.lockspace, index.header.changed)
    copy = BytesIO()
    leases = {number: (record.lease, record.updating) for number, record in index.leases()}
    plain_writer.lease_index(copy, alignment, index.header.lockspace, index.header.changed, leases)
    found = lease_index.read(copy.getvalue()[index.geometry.index_offset :], index.geometry)
    assert found.records == index.records
    assert not found.header.updating


@quick
@given(mails)
def test_mailbox(messages: dict[int, Message]) -> None:
    area = BytesIO(bytes(mailbox.page_offset(3)) + mailbox.write_page(messages))
    found = plain_reader.mailbox_page(area, 3)
    assert found == {
        slot: ("extend", message.domain, message.volume, message.size // MIB)
        if isinstance(message, Extend)
        else "clear"
        for slot, message in messages.items()
    }
    copy = BytesIO()
    plain_writer.mailbox_page(copy, 3, found)
    assert mailbox.read_requests(copy.getvalue()[mailbox.page_offset(3) :]) == messages


@quick
@given(stores)
def test_ovf_store(store: OvfStore) -> None:
    found = plain_reader.ovf_store(ovf_store.write(store, modified=0))
    assert found["ovfs"] == store.configurations
    written = plain_writer.ovf_store(found["updated"], found["domains"], found["ovfs"], found["statuses"])
    assert ovf_store.read_archive(written) == store


@pytest.mark.parametrize("slot", [1, 4, 1947])
def test_places_of_volume_leases(slot: int) -> None:
    for geometry in (Geometry(), Geometry(4096, 8 * MIB)):
        assert geometry.volume_offset(slot) == plain_reader.volume_lease_place(slot, geometry.alignment)


REMOTE = "nas.example.org:/exports/vm_disks"
LEAF = "1f2e3d4c-5b6a-4978-8695-a4b3c2d1e0f0"


def a_volume(parent: str | None) -> VolumeMetadata:
    return VolumeMetadata(
        domain=DOMAIN,
        image=IMAGE,
        parent=parent,
        capacity=10 << 30,
        format=VolumeFormat.COW if parent else VolumeFormat.RAW,
        allocation=Allocation.SPARSE,
        role=VolumeRole.LEAF if parent else VolumeRole.INTERNAL,
        created=1440935038,
    )


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_file_domain_made_here_is_read_there(tmp_path: Path, version: int) -> None:
    paths = repository.domain_on(PurePosixPath(tmp_path) / repository.mount_name(REMOTE), DOMAIN)
    domain = DomainMetadata(
        version, DOMAIN, StorageType.NFS, Role.MASTER, DomainClass.DATA, "étage 1", (POOL,), remote_path=REMOTE
    )
    Path(paths.metadata).parent.mkdir(parents=True)
    Path(paths.image(IMAGE)).mkdir(parents=True)
    Path(paths.metadata).write_bytes(domain_record.write_file(DomainRecord(domain)))
    for name, parent in ((VOLUME, None), (LEAF, VOLUME)):
        Path(paths.volume_metadata(IMAGE, name)).write_bytes(volume_metadata.write(a_volume(parent), version))
    found = plain_reader.file_domain(str(tmp_path / plain_reader.mount_folder(REMOTE) / DOMAIN))
    assert found["keys"]["DESCRIPTION"] == "étage 1"
    assert {name: table["PUUID"] for name, table in found["images"][IMAGE].items()} == {
        VOLUME: plain_reader.ZERO_ID,
        LEAF: VOLUME,
    }


@pytest.mark.parametrize("version", [4, 5])
def test_a_file_domain_made_there_is_read_here(tmp_path: Path, version: int) -> None:
    folder = tmp_path / plain_reader.mount_folder(REMOTE) / DOMAIN
    keys = plain_reader.domain_file(golden("file_domain_v4.metadata")) | {"VERSION": str(version)}
    table = plain_reader.volume(golden(f"volume_v{version}.meta"))
    plain_writer.file_domain(str(folder), keys, {IMAGE: {VOLUME: table}})
    paths = repository.domain_on(PurePosixPath(tmp_path) / repository.mount_name(REMOTE), DOMAIN)
    record = domain_record.read_file(Path(paths.metadata).read_bytes())
    assert (record.domain.version, record.domain.remote_path) == (version, REMOTE)
    (image,) = (repository.image_of(path.name) for path in Path(paths.images).iterdir())
    assert image is not None
    volume = volume_metadata.read(Path(paths.volume_metadata(image[0], VOLUME)).read_bytes())
    assert (volume.capacity, volume.generation) == (10 << 30, 7)


def test_external_leases_made_there_are_read_here() -> None:
    area = BytesIO()
    plain_writer.lease_index(area, MIB, DOMAIN, 1440935038, {0: (VM, False), 1: (IMAGE, True)})
    index = lease_index.read(area.getvalue()[MIB:], Geometry())
    assert list(index.leases()) == [(0, Record(VM)), (1, Record(IMAGE, updating=True))]
