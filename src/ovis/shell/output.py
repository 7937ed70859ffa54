"""Results on stdout: as a table for people, as JSON or YAML for programs.

JSON and YAML show what travelled, as existing scripts expect (indent 4, keys sorted); with `clean` the same with typed
values. Tables are always clean, with sizes and times in readable units.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from ovis.schema.model import Field, Schema
from ovis.shell.api import Shape
from ovis.shell.clean import clean
from ovis.shell.failures import Exit, Failure

FORMATS = ("table", "json", "yaml")


def chosen_format(wanted: str) -> str:
    return wanted or ("table" if sys.stdout.isatty() else "json")


def show(
    schema: Schema, result: Field | None, raw: bytes | bytearray | msgspec.Raw, *, wanted: str, typed: bool
) -> None:
    """Write the result `raw` (JSON text) of a verb whose result is described by `result`."""
    output = chosen_format(wanted)
    value = read_json(raw)
    shape = Shape.of_field(schema, result) if result else None
    if shape and (typed or output == "table"):
        value = clean(shape, value)
    if output == "json":
        write(as_json(value))
    elif output == "yaml":
        write(as_yaml(value))
    elif shape is None:
        write("Done\n")
    else:
        from ovis.shell.tables import write_table

        write_table(shape, value)


def read_json(raw: bytes | bytearray | msgspec.Raw) -> Any:
    """An answer as it came; the connection has cut it out of its message without reading it. Raises Failure."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError as problem:
        raise Failure(Exit.NO_CONNECTION, f"The agent's answer cannot be read: {problem}") from problem


def as_json(value: Any) -> str:
    text = msgspec.json.encode(value, order="sorted")
    return msgspec.json.format(text, indent=4).decode() + "\n"


def as_json_line(value: Any) -> str:
    return msgspec.json.encode(value, order="sorted").decode() + "\n"


def as_yaml(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=True, allow_unicode=True, default_flow_style=False, width=120)
    return text.removesuffix("...\n")  # the mark behind a lone scalar


def write(text: str) -> None:
    """At once: what follows events or waits must not sit in a buffer."""
    sys.stdout.write(text)
    sys.stdout.flush()
