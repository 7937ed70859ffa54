from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from ovis.schema.model import Field
from ovis.shell.api import Shape, node_schema
from ovis.shell.tables import render

UP = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0001"
DOWN = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0002"

VMS = [
    {"vmId": UP, "vmName": "web", "status": "Up", "cpuUser": 41.5, "cpuSys": 3.25, "memUsage": 37, "elapsedTime": 3725},
    {"vmId": DOWN, "status": "Down", "exitCode": 0, "exitMessage": "bye"},
]

WIDE = f"""\
vmName   vmId                                   status   cpuUser   cpuSys   memUsage   elapsedTime
──────────────────────────────────────────────────────────────────────────────────────────────────
web      {UP}   Up        41.5 %   3.25 %       37 %       1 h 2 m
-        {DOWN}   Down           -        -          -             -
"""
AT_80 = f"""\
vmName   vmId                                   status   cpuUser   cpuSys
─────────────────────────────────────────────────────────────────────────
web      {UP}   Up        41.5 %   3.25 %
-        {DOWN}   Down           -        -
2 more columns do not fit; -o yaml shows everything
"""


def shown(type_expression: Any, value: Any, width: int = 4000) -> str:
    shape = Shape.of_field(node_schema(), Field(type=type_expression, doc=""))
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(render(shape, value, width))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


@pytest.mark.parametrize(("width", "golden"), [(4000, WIDE), (80, AT_80)])
def test_a_list_of_objects_is_a_table_that_fits(width: int, golden: str) -> None:
    assert shown(["VmStats"], VMS, width) == golden


def test_an_object_lists_its_members_and_what_they_hold() -> None:
    value = {"swapTotal": 1 << 30, "netConfigDirty": False, "network": {"eth0": {"name": "eth0", "rx": 2048}}}
    assert shown("HostStats", value).splitlines()[:3] == ["swapTotal       1 GiB", "netConfigDirty  no", "network"]
    assert "  eth0   2 KiB" in shown("HostStats", value)


def test_long_texts_keep_their_lines() -> None:
    assert shown("StringMap", {"a": "<x>\n  <y/>\n</x>"}) == "a\n  <x>\n    <y/>\n  </x>\n"


def test_numbers_with_a_label_show_it() -> None:
    assert shown(["VolumeFormatId"], [5, 77]) == "raw\n77\n"


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for value in (VMS, VMS[:1]):
        assert max(len(line) for line in shown(["VmStats"], value, width).splitlines()) <= width


def test_lists_of_single_values_are_a_column() -> None:
    faces = [{"name": "lo", "hw": "", "inet": ["127.0.0.1"]}, {"name": "eth0", "hw": "52", "inet": ["a", "b"]}]
    assert "eth0   52   a, b" in shown(["GuestNetworkDeviceInfo"], faces)


def test_a_key_that_the_object_repeats_is_shown_once() -> None:
    interfaces = {"eth0": {"name": "eth0", "rx": 1}, "eth1": {"name": "eth1", "rx": 2}}
    assert "name" not in shown("HostNetworkInterfaceStatsMap", interfaces)


def test_nothing_is_said() -> None:
    assert shown(["VmStats"], []) == "(none)\n"
    assert shown("StringMap", {}) == "(none)\n"


def test_a_guest_cannot_write_to_the_terminal() -> None:
    assert "\x1b" not in shown(["VmStats"], [{**VMS[0], "vmName": "\x1b[2Jx"}, VMS[1]])
    assert "\x1b" not in shown("StringMap", {"\x1b[2J": "\x1b[2J\n\x1b"})


def test_lists_of_single_values_are_lines_for_other_programs(ovis: Any) -> None:
    ovis.agent.answers["Host.getVMList"] = [UP, DOWN]
    assert ovis("node", "Host", "getVMList", "-o", "table").out == f"{UP}\n{DOWN}\n"
    ovis.agent.answers["Host.getVMList"] = []
    assert ovis("node", "Host", "getVMList", "-o", "table").out == "(none)\n"
