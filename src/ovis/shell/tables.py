"""Clean values as text for people: a list of objects is a table, an object a list of names and values.

In a terminal the width is respected; elsewhere nothing is cut, so that `-o table | grep` finds everything.
"""

from __future__ import annotations

import sys
from typing import Any

from rich.box import Box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ovis.shell.api import Shape
from ovis.shell.clean import member_of
from ovis.shell.columns import columns
from ovis.shell.display_text import printable
from ovis.shell.units import human

UNLIMITED = 4000
_GAP = 2
_LINE_UNDER_HEADER = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")
_KEY_WIDTH = 28


def write_table(shape: Shape, value: Any) -> None:
    if isinstance(value, str):
        print(printable(value, lines=True))
    elif isinstance(value, list) and all(not isinstance(item, dict | list) for item in value):
        print("\n".join(_scalar(shape, item) for item in value) if value else "(none)")
    elif not isinstance(value, dict | list):
        print(_scalar(shape, value))
    else:
        console = console_for_stdout(UNLIMITED)
        print_lines(console, render(shape, value, console.width))


def console_for_stdout(width_elsewhere: int) -> Console:
    """With the width of the terminal, or the given one where there is none."""
    width = None if sys.stdout.isatty() else width_elsewhere
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def print_lines(console: Console, *parts: RenderableType) -> None:
    """Without the blanks that fill lines: they wrap in a terminal that has just become narrower."""
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    for line in captured.get().splitlines():
        print(line.rstrip())


def render(shape: Shape, value: Any, width: int) -> RenderableType:
    """A list or an object, for `width` cells."""
    if isinstance(value, list):
        return _list(shape, value, width)
    if not value:
        return Text("(none)")
    if shape.kind == "map" and all(isinstance(item, dict) for item in value.values()):
        rows = [{"": key, **item} for key, item in value.items()]
        return _table(shape.value, rows, width, first="")
    return _object(shape, value, width)


def _list(shape: Shape, items: list[Any], width: int) -> RenderableType:
    inner = shape.item if shape.kind == "list" else shape
    if not items:
        return Text("(none)")
    rows = [item for item in items if isinstance(item, dict)]
    if len(rows) < len(items):
        return Group(*(Text(_short(inner, item)) for item in items))
    if len(rows) == 1:
        return _object(inner, rows[0], width)
    return _table(inner, rows, width)


def _table(shape: Shape, rows: list[dict[str, Any]], width: int, first: str | None = None) -> RenderableType:
    names = columns(shape, rows)
    if first is not None:  # objects that repeat their key need not show it twice
        names = [first, *[name for name in names if any(row.get(name) != row[first] for row in rows)]]
    shapes = [_member_shapes(shape, row) for row in rows]
    cells = [[_cell(kinds, row, name) for name in names] for kinds, row in zip(shapes, rows, strict=True)]
    widths = [max(cell_len(name), *(cell_len(row[i]) for row in cells)) for i, name in enumerate(names)]
    shown = _fitting(widths, width)
    table = Table(box=_LINE_UNDER_HEADER, show_edge=False, pad_edge=False, padding=(0, 1), header_style="bold")
    for name in names[:shown]:
        numeric = all(isinstance(row.get(name), int | float) for row in rows if row.get(name) is not None)
        table.add_column(Text(name), justify="right" if numeric else "left", no_wrap=True, overflow="ellipsis")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row[:shown]))
    if shown == len(names):
        return table
    hidden = len(names) - shown
    note = f"{hidden} more column{'s do' if hidden > 1 else ' does'} not fit; -o yaml shows everything"
    return Group(table, Text(note, style="dim"))


def _fitting(widths: list[int], width: int) -> int:
    """How many columns fit; at least two, which then are cut."""
    used, count = 0, 0
    for column in widths:
        used += column + (_GAP + 1 if count else 0)
        if used > width and count >= 2:
            break
        count += 1
    return count


def _object(shape: Shape, value: dict[str, Any], width: int) -> RenderableType:
    """Single values first, then what has members of its own, indented below its name."""
    shapes = _member_shapes(shape, value)
    single = {name: item for name, item in value.items() if not _is_large(item)}
    large = {name: item for name, item in value.items() if _is_large(item)}
    grid = Table.grid(padding=(0, _GAP))
    key_width = min(_KEY_WIDTH, max((cell_len(name) for name in single), default=0))
    grid.add_column(style="bold", width=key_width, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, item in single.items():
        grid.add_row(Text(printable(name)), Text(_short(shapes.get(name, shape), item)))
    parts: list[RenderableType] = [grid] if single else []
    for name, item in large.items():
        parts.append(Text(printable(name), style="bold"))
        parts.append(Padding(_large(shapes.get(name, shape), item, width - _GAP), (0, 0, 0, _GAP), expand=False))
    return Group(*parts)


def _large(shape: Shape, item: Any, width: int) -> RenderableType:
    return Text(printable(item, lines=True).rstrip()) if isinstance(item, str) else render(shape, item, width)


def _member_shapes(shape: Shape, value: dict[str, Any]) -> dict[str, Shape]:
    if shape.kind == "map":
        return dict.fromkeys(value, shape.value)
    chosen = member_of(shape, value)
    return {name: chosen.field(name) for name in value if name in chosen.fields}


def _cell(shapes: dict[str, Shape], row: dict[str, Any], name: str) -> str:
    item = row.get(name)
    if item is None:
        return "-"
    return _short(shapes[name], item) if name in shapes else printable(str(item))


def _is_large(item: Any) -> bool:
    if isinstance(item, str):
        return "\n" in item
    if isinstance(item, list):
        return any(isinstance(inner, dict | list) for inner in item)
    return isinstance(item, dict) and bool(item)


def _short(shape: Shape, item: Any) -> str:
    if isinstance(item, list):
        inner = shape.item if shape.kind == "list" else shape
        return ", ".join(_short(inner, one) for one in item) or "-"
    if isinstance(item, dict):
        return f"({len(item)} members)" if item else "-"
    return _scalar(shape, item)


def _scalar(shape: Shape, item: Any) -> str:
    if item is None:
        return "-"
    if isinstance(item, bool):
        return "yes" if item else "no"
    label = _label(shape, item)
    if label:
        return label
    if isinstance(item, int | float):
        return human(item, shape.unit)
    return printable(str(item)) or "-"


def _label(shape: Shape, item: Any) -> str:
    """`cow` for a 4 of an enum whose values travel as numbers."""
    if shape.kind != "enum" or shape.declared is None:
        return ""
    spec = shape.declared.values.get(str(item))
    return spec.label if spec else ""
