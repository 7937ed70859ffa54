"""The HTML reference of an API."""

from __future__ import annotations

from ovis.schema import Schema


def pages(schema: Schema) -> dict[str, str]:
    """Text of every file by its name, relative to the folder of the reference."""
    raise NotImplementedError
