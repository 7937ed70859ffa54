import pytest
from golden_files import BLOCK_DOMAIN, golden_lines
from hypothesis import given, settings
from hypothesis import strategies as st
from test_sealed_keys import tables

from ovis.node.storage.formats import group_tags
from ovis.node.storage.formats.errors import Broken, TooLong
from ovis.node.storage.formats.group_tags import GroupState


def test_tags_written_by_hand_are_read() -> None:
    keys = group_tags.read(golden_lines("block_domain_v5.tags"))
    assert keys["SDUUID"] == BLOCK_DOMAIN
    assert keys["DESCRIPTION"] == "third floor"
    assert keys["PV1"].startswith("pv:3600140500000000000000000000000bb,uuid:b7WnHz")


def test_they_are_written_back() -> None:
    tags = golden_lines("block_domain_v5.tags")
    assert ("RHAT_storage_domain", *group_tags.write(group_tags.read(tags))) == tuple(tags)


def test_the_state_of_a_group() -> None:
    assert group_tags.state(["RHAT_storage_domain", "x"]) is GroupState.READY
    assert group_tags.state(["RHAT_storage_domain_UNREADY"]) is GroupState.UNREADY
    assert group_tags.state(["RHAT_storage_domain", "RHAT_storage_domain_UNREADY"]) is GroupState.UNREADY
    assert group_tags.state(["mine"]) is GroupState.FOREIGN


def test_characters_that_tags_cannot_hold_become_numbers() -> None:
    assert group_tags.encode("a b&c,é😀") == "a&32&b&38&c&44&&233&&128512&"


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    assert group_tags.decode(group_tags.encode(text)) == text


@pytest.mark.parametrize("text", ["a&b", "a&32", "&&", "a b", "&1114112&", "&-1&", "&99999999&", "é"])
def test_what_the_rule_cannot_have_made_is_refused(text: str) -> None:
    with pytest.raises(Broken):
        group_tags.decode(text)


@given(tables, tables)
def test_a_change_turns_the_old_tags_into_the_new(old: dict[str, str], new: dict[str, str]) -> None:
    tags = {"RHAT_storage_domain", "mine", *group_tags.write(old)}
    change = group_tags.change(tags, new)
    assert set(change.remove) <= tags
    assert not set(change.add) & tags
    after = (tags - set(change.remove)) | set(change.add)
    assert group_tags.read(after) == new
    assert "mine" in after


@settings(max_examples=100, deadline=None)
@given(tables, tables, st.randoms(use_true_random=False))
def test_half_of_a_change_is_refused(old: dict[str, str], new: dict[str, str], chance) -> None:
    tags = set(group_tags.write(old))
    change = group_tags.change(tags, new)
    steps = [(tags.discard, tag) for tag in change.remove] + [(tags.add, tag) for tag in change.add]
    chance.shuffle(steps)
    for step, tag in steps:
        step(tag)
        try:
            assert group_tags.read(tags) in (old, new)
        except Broken:
            continue


def test_a_tag_longer_than_lvm_keeps_is_not_written() -> None:
    with pytest.raises(TooLong) as refusal:
        group_tags.write({"DESCRIPTION": "é" * 210})
    assert refusal.value.where == "DESCRIPTION"
