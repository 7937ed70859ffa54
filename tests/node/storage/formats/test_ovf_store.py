from dataclasses import replace

import pytest
from golden_files import DOMAIN, VM, golden
from hypothesis import given, settings
from hypothesis import strategies as st
from values import stores, texts

from ovis.node.storage.formats import ovf_store, tar_archive
from ovis.node.storage.formats.errors import Broken
from ovis.node.storage.formats.ovf_store import OvfStore, StoreDescription

WRITTEN = StoreDescription((DOMAIN,), updated=True)
GOLDEN = OvfStore(
    domains=(DOMAIN,),
    last_updated="Fri Nov 20 11:04:04 UTC 2026",
    configurations={VM: b'<?xml version="1.0" encoding="UTF-8"?><ovf:Envelope/>'},
    statuses={VM: 1},
)


def test_an_archive_made_by_tar() -> None:
    assert ovf_store.read_archive(golden("ovf_store.tar")) == GOLDEN


@given(stores)
def test_what_is_written_is_read(store: OvfStore) -> None:
    data = ovf_store.write(store, modified=1795172644)
    assert ovf_store.read(replace(WRITTEN, size=len(data)), data + b"older") == store


def test_a_store_whose_last_write_did_not_end_is_refused() -> None:
    with pytest.raises(Broken) as refusal:
        ovf_store.read(replace(WRITTEN, updated=False), golden("ovf_store.tar"))
    assert refusal.value.where == "Updated"


@settings(max_examples=5, deadline=None)
@given(stores, stores)
def test_a_write_that_stops_anywhere_shows_the_old_the_new_or_is_refused(old: OvfStore, new: OvfStore) -> None:
    before, after = ovf_store.write(old, modified=0), ovf_store.write(new, modified=0)
    volume = before.ljust(len(after), b"\0")
    states = [(replace(WRITTEN, size=len(before)), volume)]
    states += [(replace(WRITTEN, updated=False), after[:cut] + volume[cut:]) for cut in range(len(after) + 1)]
    states.append((replace(WRITTEN, size=len(after)), after + volume[len(after) :]))
    seen = []
    for description, data in states:
        stored = ovf_store.read_description(ovf_store.write_description(description))
        try:
            seen.append(ovf_store.read(stored, data))
        except Broken:
            continue
    assert seen == [old, new]


def test_a_description_of_an_engine() -> None:
    text = (
        '{"Updated":true,"Size":20480,"Last Updated":"Fri Nov 20 11:04:04 UTC 2026",'
        f'"Storage Domains":[{{"uuid":"{DOMAIN}"}}],"Disk Description":"OVF_STORE"}}'
    )
    assert ovf_store.read_description(text) == StoreDescription((DOMAIN,), True, "Fri Nov 20 11:04:04 UTC 2026", 20480)


def test_a_store_that_was_never_written() -> None:
    text = f'{{"Updated":false,"Last Updated":null,"Storage Domains":["{DOMAIN}"],"Disk Description":"OVF_STORE"}}'
    assert ovf_store.read_description(text) == StoreDescription((DOMAIN,), updated=False)


@given(st.booleans(), st.none() | texts(30), st.none() | st.integers(0, 2**40))
def test_a_description_comes_back_and_fits(updated: bool, last_updated: str | None, size: int | None) -> None:
    description = StoreDescription((DOMAIN,), updated, last_updated, size)
    assert ovf_store.read_description(ovf_store.write_description(description)) == description


def test_the_description_of_a_written_store_fits_in_a_volumes_metadata() -> None:
    description = StoreDescription((DOMAIN,), True, ovf_store.time_text(1795172644), 2**40)
    assert len(ovf_store.write_description(description)) <= 210


@pytest.mark.parametrize("text", ["", "x", "{}", "[]", "[" * 100_000, '{"Updated":true,"Storage Domains":["x"]}'])
def test_what_is_no_description_is_refused(text: str) -> None:
    with pytest.raises(Broken):
        ovf_store.read_description(text)


def test_a_disk_with_another_label_is_no_store() -> None:
    with pytest.raises(Broken) as refusal:
        ovf_store.read_description('{"Updated":true,"Storage Domains":[],"Disk Description":"my disk"}')
    assert refusal.value.where == "Disk Description"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"info.json": b""},
        {"info.json": b'{"Last Updated": 1, "Storage Domains": []}'},
        {"info.json": b'{"Last Updated": "", "Storage Domains": []}', "readme": b""},
        {"info.json": b'{"Last Updated": "", "Storage Domains": []}', "x.ovf": b""},
        {"info.json": b'{"Last Updated": "", "Storage Domains": [{"uuid": "x"}]}'},
        {"info.json": b'{"Last Updated": "", "Storage Domains": []}', "metadata.json": b'{"VM Status": {"x": 1}}'},
    ],
)
def test_an_archive_that_is_no_store_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(Broken):
        ovf_store.read_archive(tar_archive.write(files, modified=0))


def test_a_store_longer_than_its_volume_is_refused() -> None:
    with pytest.raises(Broken):
        ovf_store.read(replace(WRITTEN, size=8192), golden("ovf_store.tar"))


@given(st.integers(0, 4102444800))
def test_times_come_back(moment: int) -> None:
    assert ovf_store.moment_of(ovf_store.time_text(moment)) == moment


def test_a_time_in_a_zone_with_a_short_name_is_no_moment() -> None:
    assert ovf_store.time_text(1795172644) == "Fri Nov 20 11:04:04 UTC 2026"
    assert ovf_store.moment_of("Sat Oct 24 13:39:13 CEST 2015") is None
    assert ovf_store.moment_of("Sat Feb 30 13:39:13 UTC 2015") is None
