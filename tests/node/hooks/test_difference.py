from typing import Any

import pytest

from ovis.node.hooks.difference import difference, keyed, patched, unkeyed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({"a": 1}, {"a": 1}),
        ({"a": 1}, {"a": 2, "b": 3}),
        ({"a": 1, "b": 2}, {"b": 2}),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"d": 3}}}),
        ({"a": {"b": 1}}, {"a": [1]}),
        ({"a": 1}, {"a": True}),
        ({"a": {}}, {"a": {"b": {}}}),
    ],
)
def test_the_same_change_leads_to_the_same_value(before: dict[str, Any], after: dict[str, Any]) -> None:
    changes = difference(before, after)
    assert repr(patched(before, changes)) == repr(after)
    assert difference(after, patched(after, changes)) == {}


def test_what_was_not_changed_is_that_of_now() -> None:
    changes = difference({"cpu": 1, "load": {"a": 1, "b": 2}}, {"cpu": 9, "load": {"a": 1, "b": 7}})
    assert patched({"cpu": 2, "load": {"a": 5, "b": 6}, "new": 1}, changes) == {
        "cpu": 9,
        "load": {"a": 5, "b": 7},
        "new": 1,
    }


def test_vms_of_a_list_are_told_apart_and_none_comes_back() -> None:
    before = [{"vmId": "a", "n": 1}, {"vmId": "b", "n": 1}]
    changes = difference(keyed(before), keyed([{"vmId": "a", "n": 7}, {"vmId": "b", "n": 8}]))
    now = [{"vmId": "b", "n": 2, "m": 1}, {"vmId": "c", "n": 2}]
    assert unkeyed(now, patched(keyed(now), changes)) == [{"vmId": "b", "n": 8, "m": 1}, {"vmId": "c", "n": 2}]
