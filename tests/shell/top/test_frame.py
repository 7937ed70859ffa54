from __future__ import annotations

from dataclasses import replace

import pytest

from ovis.shell.top.figures import HostFigures, Look, VmFigures
from ovis.shell.top.frame import host_lines, vm_lines
from ovis.shell.top.screen import Screen, split_keys

WEB = VmFigures(
    "a", "web", "Up", 44.8, 1 << 30, 37.0, disk_read=1 << 20, disk_write=2048.0, net_in=5e6, net_out=0.0,
    address="192.0.2.7",
)  # fmt: skip
DB = VmFigures("b", "database", "Paused", 0.0, 2 << 30, 12.0)
HOST = HostFigures("host1", 8, 41.25, 1.25, 16 << 30, 92.0, 0, 2, 1, 86461.0)
LOOK = Look(HOST, (DB, WEB))

WIDE = """\
NAME             STATUS      CPU % MEMORY MEM % READ/s WRITE/s   IN/s  OUT/s ADDRESS
web              Up           44.8     1G    37     1M      2K   4.8M      0 192.0.2.7
database         Paused        0.0     2G    12      -       -      -      - -"""

NORMAL = """\
NAME             STATUS      CPU % MEMORY MEM % DISK/s  NET/s ADDRESS
web              Up           44.8     1G    37   1.0M   4.8M 192.0.2.7
database         Paused        0.0     2G    12      -      - -"""

NARROW = """\
NAME             STATUS      CPU % MEMORY
web              Up           44.8     1G
database         Paused        0.0     2G"""


@pytest.mark.parametrize(("width", "golden"), [(92, WIDE), (80, NORMAL), (45, NARROW)])
def test_columns_fit_the_width(width: int, golden: str) -> None:
    assert "\n".join(line.plain.rstrip() for line in vm_lines(LOOK, sort="cpu", width=width)) == golden


@pytest.mark.parametrize("width", [10, 20, 30, 45, 60, 79, 80, 100, 132, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = replace(WEB, name="名" * 40, address="2001:db8:1111:2222:3333:4444:5555:6666")
    screen = Screen("cpu")
    screen.look = Look(HOST, (long, DB))
    assert all(line.cell_len <= max(width, 15) for line in vm_lines(screen.look, sort="cpu", width=width))


def test_sorting_puts_the_greatest_first() -> None:
    names = {s: vm_lines(LOOK, sort=s, width=80)[1].plain.split()[0] for s in ("cpu", "memory", "name", "traffic")}
    assert names == {"cpu": "web", "memory": "database", "name": "database", "traffic": "web"}


def test_a_full_host_is_marked_without_colour() -> None:
    text = "\n".join(line.plain for line in host_lines(HOST, 80))
    assert "memory of 16 GiB [||||||||| ]  92 %!" in text
    assert "VMs 1 up of 2" in text


def test_a_vm_that_does_not_answer_is_marked_without_colour() -> None:
    silent = Look(HOST, (replace(WEB, answers=False),))
    assert "!Up" in vm_lines(silent, sort="cpu", width=80)[1].plain


def test_no_vms_is_said() -> None:
    assert vm_lines(Look(HOST, ()), sort="cpu", width=80)[1].plain == "No VMs on this host."


def test_scrolling_stays_within_the_list() -> None:
    screen = Screen("name")
    screen.look = Look(HOST, tuple(replace(WEB, id=str(i), name=f"vm{i:02}") for i in range(50)))
    screen.frame(80, 12)
    for key in ("\x1b[6~", "\x1b[B", *(["\x1b[6~"] * 20)):
        assert screen.press(key)
        screen.frame(80, 12)
    assert screen.first == 50 - screen.page
    screen.press("c")
    assert (screen.sort, screen.first) == ("cpu", 0)


def test_q_and_a_closed_terminal_end_the_view() -> None:
    assert not Screen("cpu").press("q")
    assert [Screen("cpu").press(key) for key in split_keys(b"")] == [False]


def test_escape_sequences_are_one_key() -> None:
    assert list(split_keys(b"c\x1b[A\x1b[5~q")) == ["c", "\x1b[A", "\x1b[5~", "q"]
