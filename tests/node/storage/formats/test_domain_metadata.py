from dataclasses import replace

import pytest
from golden_files import BLOCK_DOMAIN, DOMAIN, POOL, golden, golden_lines
from hypothesis import given
from values import domains

from ovis.node.storage.formats import domain_metadata, group_tags, sealed_keys
from ovis.node.storage.formats.domain_metadata import (
    BlockKeys,
    Device,
    DomainClass,
    DomainMetadata,
    LockParameters,
    Role,
    StorageType,
    put,
    take,
)
from ovis.node.storage.formats.errors import Broken, Missing, UnsupportedVersion
from ovis.node.storage.formats.keys import Keys
from ovis.node.storage.formats.sanlock_areas import MIB, Geometry


def file_keys(**changes: str | None) -> Keys:
    return changed(sealed_keys.read(golden("file_domain_v4.metadata")), changes)


def block_keys(**changes: str | None) -> Keys:
    return changed(group_tags.read(golden_lines("block_domain_v5.tags")), changes)


def changed(keys: dict[str, str], changes: dict[str, str | None]) -> Keys:
    merged = keys | changes
    return Keys("test", {key: value for key, value in merged.items() if value is not None})


def test_a_file_domain() -> None:
    assert take(file_keys()) == DomainMetadata(
        version=4,
        id=DOMAIN,
        type=StorageType.NFS,
        role=Role.MASTER,
        domain_class=DomainClass.DATA,
        description="étage 1",
        pools=(POOL,),
        geometry=Geometry(512, MIB),
        remote_path="nas.example.org:/exports/vm_disks",
        lock=LockParameters("", 5, 60, 10, 3),
    )


def test_a_block_domain() -> None:
    domain = take(block_keys())
    assert domain.id == BLOCK_DOMAIN
    assert domain.pools == ()
    assert domain.remote_path is None
    assert domain.block == BlockKeys(
        "JmQ2wE-r5Ty-7uIo-9pAs-1dFg-3hJk-4lZxCv",
        (
            Device("3600140500000000000000000000000aa", "Xkq3Vc-T0aD-2zUF-5k1B-mPnO-w8Lh-9cYrEf", 0, 797, 0),
            Device("3600140500000000000000000000000bb", "b7WnHz-R4sQ-8gJt-6xCv-KdLe-y1Pm-3uAiZo", 0, 397, 797),
        ),
    )


@given(domains())
def test_what_is_put_is_taken(domain: DomainMetadata) -> None:
    assert take(Keys("test", put(domain))) == domain


def test_lock_numbers_that_are_empty_or_missing_are_the_usual_ones() -> None:
    keys = file_keys(LOCKRENEWALINTERVALSEC="", LEASETIMESEC=None, IOOPTIMEOUTSEC=None, LEASERETRIES="")
    assert take(keys).lock == LockParameters()


def test_a_pool_of_zeros_is_none() -> None:
    assert take(file_keys(POOL_UUID="00000000-0000-0000-0000-000000000000")).pools == ()


def test_4k_blocks_with_an_alignment_for_500_hosts() -> None:
    assert take(block_keys(BLOCK_SIZE="4096", ALIGNMENT=str(2 * MIB))).geometry.max_hosts == 500


@pytest.mark.parametrize("version", ["0", "2", "6"])
def test_versions_that_are_not_served_are_refused(version: str) -> None:
    with pytest.raises(UnsupportedVersion):
        take(file_keys(VERSION=version))


@pytest.mark.parametrize("key", ["VERSION", "SDUUID", "TYPE", "ROLE", "CLASS"])
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(Missing) as refusal:
        take(file_keys(**{key: None}))
    assert refusal.value.where == key


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [
        ("VERSION", "four", "VERSION"),
        ("VERSION", "٤", "VERSION"),
        ("SDUUID", "../../etc", "SDUUID"),
        ("SDUUID", BLOCK_DOMAIN.upper(), "SDUUID"),
        ("TYPE", "FLOPPY", "TYPE"),
        ("ROLE", "master", "ROLE"),
        ("CLASS", "", "CLASS"),
        ("POOL_UUID", "one,two", "POOL_UUID"),
        ("BLOCK_SIZE", "1024", "ALIGNMENT"),
        ("ALIGNMENT", str(8 * MIB), "ALIGNMENT"),
        ("LEASETIMESEC", "-1", "LEASETIMESEC"),
        ("VGUUID", None, "VGUUID"),
        ("PV1", "pv:a,uuid:b", "pestart"),
        ("PV1", "pv:a,uuid:b,pestart:0,pecount:x,mapoffset:0", "pecount"),
        ("PV1", "pv:a,pv:b,uuid:b,pestart:0,pecount:1,mapoffset:0", "PV1"),
        ("PV1", "pv:a,uuid:b,pestart:0,pecount:1,mapoffset:0,more:1", "PV1"),
        ("PV1", "nothing", "PV1"),
    ],
)
def test_a_broken_value_is_refused_and_its_key_named(key: str, value: str | None, where: str) -> None:
    with pytest.raises(Broken) as refusal:
        take(block_keys(**{key: value}))
    assert refusal.value.where == where


def test_eleven_devices_are_refused() -> None:
    devices = {f"PV{number}": "pv:a,uuid:b,pestart:0,pecount:1,mapoffset:0" for number in range(11)}
    with pytest.raises(Broken):
        take(block_keys(**devices))


def test_an_old_version_with_another_alignment_is_neither_read_nor_written() -> None:
    with pytest.raises(Broken):
        take(file_keys(BLOCK_SIZE="4096", ALIGNMENT=str(MIB)))
    with pytest.raises(Broken):
        put(replace(take(file_keys()), geometry=Geometry(4096, MIB)))


def test_a_file_domain_with_a_group_is_not_written() -> None:
    with pytest.raises(Broken):
        put(replace(take(file_keys()), block=BlockKeys("x")))
    with pytest.raises(Broken):
        put(replace(take(block_keys()), block=None))


def test_a_device_with_a_comma_in_its_name_is_not_written() -> None:
    domain = take(block_keys())
    with pytest.raises(Broken):
        put(replace(domain, block=BlockKeys("x", (Device("a,b", "c", 0, 1, 0),))))


def test_all_types_but_two_are_file_domains() -> None:
    assert [kind for kind in domain_metadata.StorageType if kind.is_block] == [
        StorageType.FIBRE_CHANNEL,
        StorageType.ISCSI,
    ]
