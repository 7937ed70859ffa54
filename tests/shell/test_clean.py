from __future__ import annotations

from typing import Any

import pytest

from ovis.shell.api import Shape, node_schema
from ovis.shell.clean import clean, member_of


def shape_of(type_name: str) -> Shape:
    from ovis.schema.model import Field

    return Shape.of_field(node_schema(), Field(type=type_name, doc=""))


def test_text_numbers_and_sizes_become_numbers_and_bytes() -> None:
    got = clean(
        shape_of("HostStats"), {"cpuIdle": "58.75", "swapTotal": 1024, "memUsed": "92", "netConfigDirty": "true"}
    )
    assert got == {"cpuIdle": 58.75, "swapTotal": 1 << 30, "memUsed": 92, "netConfigDirty": True}


@pytest.mark.parametrize("value", [None, "", "unknown", [], {"a": 1}, True])
def test_what_does_not_fit_stays_as_it_came(value: Any) -> None:
    assert clean(shape_of("HostStats"), {"cpuIdle": value})["cpuIdle"] == value


def test_members_the_schema_does_not_know_stay() -> None:
    assert clean(shape_of("HostStats"), {"new": "1"}) == {"new": "1"}


def test_maps_of_objects_are_cleaned_inside() -> None:
    got = clean(shape_of("RunningVmStats"), {"disks": {"vda": {"readRate": "2.50", "truesize": "7"}}})
    assert got == {"disks": {"vda": {"readRate": 2.5, "truesize": 7}}}


def test_the_likely_member_of_a_union_is_chosen() -> None:
    shape = shape_of("VmStats")
    assert member_of(shape, {"status": "Up", "cpuUser": "1", "vmName": "a"}).name == "RunningVmStats"
    assert member_of(shape, {"status": "Down", "exitCode": 0, "exitMessage": ""}).name == "ExitedVmStats"
