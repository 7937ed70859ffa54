"""The schema of the node API in its precompiled form, as this client was made from it."""

from __future__ import annotations

from pathlib import Path

from ovis.schema import Schema, compiled

FILE = Path(__file__).with_name("node_schema.json")


def load() -> Schema:
    """Read it; a few milliseconds."""
    return compiled.load(FILE)


def load_calls() -> Schema:
    """Only its classes and errors, as a server needs them."""
    return compiled.load_calls(FILE)
