from dataclasses import replace

import pytest
from golden_files import golden, golden_lines
from hypothesis import given, reject, settings
from values import records, torn

from ovis.node.storage.formats.domain_record import DomainRecord, read_file, read_tags, write_file, write_tags
from ovis.node.storage.formats.errors import Broken, TooLong
from ovis.node.storage.formats.pool_metadata import PoolMetadata


def test_a_master_domain_carries_its_pool() -> None:
    record = read_file(golden("file_domain_v4.metadata"))
    assert record.pool is not None
    assert record.pool.master_version == 3
    assert record.other == ()


def test_a_file_is_written_back_to_the_byte() -> None:
    assert write_file(read_file(golden("file_domain_v4.metadata"))) == golden("file_domain_v4.metadata")


def test_tags_of_a_group_need_no_change() -> None:
    tags = golden_lines("block_domain_v5.tags")
    change = write_tags(tags, read_tags(tags))
    assert (change.remove, change.add) == ((), ())


def test_a_domain_that_never_led_keeps_its_master_version() -> None:
    record = read_tags(golden_lines("block_domain_v5.tags"))
    assert record.pool is None
    assert record.other == (("MASTER_VERSION", "0"),)


def test_it_can_become_the_master() -> None:
    record = replace(read_tags(golden_lines("block_domain_v5.tags")), pool=PoolMetadata({}, master_version=4))
    again = read_tags(write_tags((), record).add)
    assert again.pool == record.pool
    assert again.other == ()


@given(records)
def test_what_is_written_to_a_file_is_read(record: DomainRecord) -> None:
    assert read_file(write_file(record)) == record


@given(records)
def test_what_is_written_to_tags_is_read(record: DomainRecord) -> None:
    try:
        tags = write_tags((), record).add
    except TooLong:  # a value of many escaped characters, or a list of many domains
        reject()
    assert read_tags(tags) == record


@settings(max_examples=25, deadline=None)
@given(records, records)
def test_a_torn_file_shows_the_old_the_new_or_is_refused(old: DomainRecord, new: DomainRecord) -> None:
    for data in torn(write_file(old), write_file(new)):
        try:
            assert read_file(data) in (old, new)
        except Broken:
            continue


def test_another_programs_key_cannot_shadow_ours() -> None:
    record = read_file(golden("file_domain_v4.metadata"))
    with pytest.raises(Broken):
        write_file(replace(record, other=(("VERSION", "5"),)))
