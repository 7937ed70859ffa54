"""A look as text: the host in two lines, the VMs in a table that fits the width.

Colours only repeat what words and numbers say: a warning has a `!` before it, a paused VM its status.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from ovis.shell.display_text import printable
from ovis.shell.top.figures import SORTS, HostFigures, Look, VmFigures
from ovis.shell.units import human_size, human_time

HIGH_PERCENT = 90.0
_BAR = 10


@dataclass(frozen=True)
class Column:
    title: str
    width: int
    text: Callable[[VmFigures], str]
    right: bool = True
    rank: int = 0
    """What goes first when the width is short: the highest."""


NAME = Column("NAME", 16, lambda vm: vm.name, right=False)
STATUS = Column("STATUS", 10, lambda vm: vm.status if vm.answers else f"!{vm.status}", right=False)
CPU = Column("CPU %", 6, lambda vm: _percent(vm.cpu_percent))
MEMORY = Column("MEMORY", 6, lambda vm: _size(vm.memory), rank=1)
MEMORY_USED = Column("MEM %", 5, lambda vm: "-" if vm.memory_percent is None else f"{vm.memory_percent:.0f}", rank=2)
READ = Column("READ/s", 6, lambda vm: _size(vm.disk_read))
WRITE = Column("WRITE/s", 7, lambda vm: _size(vm.disk_write))
RECEIVED = Column("IN/s", 6, lambda vm: _size(vm.net_in))
SENT = Column("OUT/s", 6, lambda vm: _size(vm.net_out))
DISK = Column("DISK/s", 6, lambda vm: _size(_sum(vm.disk_read, vm.disk_write)), rank=3)
NETWORK = Column("NET/s", 6, lambda vm: _size(_sum(vm.net_in, vm.net_out)), rank=3)
ADDRESS = Column("ADDRESS", 15, lambda vm: vm.address or "-", right=False, rank=4)

WIDE = (NAME, STATUS, CPU, MEMORY, MEMORY_USED, READ, WRITE, RECEIVED, SENT, ADDRESS)
NORMAL = (NAME, STATUS, CPU, MEMORY, MEMORY_USED, DISK, NETWORK, ADDRESS)
"""Fits 80 cells."""


def host_lines(host: HostFigures, width: int) -> list[Text]:
    """The host by parts that are never torn apart; as many lines as they need."""
    cpus = f" of {host.cpus}" if host.cpus else ""
    parts = [
        Text(printable(host.name), style="bold"),
        _meter(f"CPU{cpus}", host.cpu_percent),
        Text(f"load {host.load:.2f}" if host.load is not None else "load -"),
        _meter(f"memory{f' of {human_size(host.memory)}' if host.memory else ''}", host.memory_percent),
        *([Text(f"swap {human_size(host.swap_used)}")] if host.swap_used else []),
        Text(f"VMs {host.vms_up} up of {host.vms}"),
        *([Text(f"agent up {human_time(int(host.uptime))}")] if host.uptime is not None else []),
    ]
    lines = [Text()]
    for part in parts:
        if lines[-1].cell_len and lines[-1].cell_len + 2 + part.cell_len > width:
            lines.append(Text())
        if lines[-1].cell_len:
            lines[-1].append("  ")
        lines[-1].append_text(part)
    return lines


def vm_lines(look: Look, *, sort: str, width: int) -> list[Text]:
    """The head of the table and a line a VM."""
    shown = fitting(width, look.vms)
    head = Text(" ".join(_fit(column.title, size, column.right) for column, size in shown), style="reverse")
    head.pad_right(max(0, width - head.cell_len))
    rows = []
    for vm in sorted(look.vms, key=SORTS[sort]):
        cells = (_fit(printable(column.text(vm)), size, column.right) for column, size in shown)
        rows.append(Text(" ".join(cells), style=_style(vm)))
    return [head, *(rows or [Text("No VMs on this host.", style="dim")])]


def fitting(width: int, vms: tuple[VmFigures, ...]) -> list[tuple[Column, int]]:
    """The columns for a width and how wide each is; names and addresses take what is left, if they need it."""
    columns = list(WIDE if _needed(WIDE) <= width else NORMAL)
    while len(columns) > 2 and _needed(columns) > width:
        highest = max(column.rank for column in columns)
        columns = [column for column in columns if column.rank != highest] if highest else columns[:-1]
    sizes = {column.title: column.width for column in columns}
    spare = width - _needed(columns)
    for column in columns:
        if not column.right and spare > 0:
            longest = max((cell_len(column.text(vm)) for vm in vms), default=0)
            more = min(spare, max(0, longest - column.width))
            sizes[column.title] += more
            spare -= more
    if spare < 0:  # a very narrow terminal: the name gives way
        sizes[columns[0].title] = max(4, columns[0].width + spare)
    return [(column, sizes[column.title]) for column in columns]


def _needed(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + len(columns) - 1


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None and other is None else (one or 0.0) + (other or 0.0)


def _fit(text: str, width: int, right: bool) -> str:
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - length) + text if right else text + " " * (width - length)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _size(value: float | None) -> str:
    """Short enough for a column: `512M`, `1.5G`, `0`."""
    if value is None:
        return "-"
    text = human_size(round(value))
    return text.replace(" ", "").replace("iB", "").removesuffix("B")


def _meter(title: str, percent: float | None) -> Text:
    """`CPU of 8 [||||      ]  41 %`, with `!` and red when it is nearly full."""
    if percent is None:
        return Text(f"{title} -")
    filled = round(min(100.0, max(0.0, percent)) / 100 * _BAR)
    high = percent >= HIGH_PERCENT
    text = Text(f"{title} [")
    text.append("|" * filled, style="red" if high else "green")
    text.append(f"{' ' * (_BAR - filled)}]{percent:4.0f} %{'!' if high else ''}")
    return text


def _style(vm: VmFigures) -> str:
    if not vm.answers:
        return "red"
    return {"Up": "", "Down": "dim", "Paused": "yellow"}.get(vm.status, "cyan")
