"""The precompiled form of a schema: one JSON file that loads in a few milliseconds where YAML takes half a second."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ovis.schema.model import Schema


def encode(schema: Schema) -> bytes:
    """The same schema always gives the same bytes, an entry a line: differences stay readable."""
    lines = []
    for section in ("classes", "types", "events", "errors", "capabilities"):
        entries = []
        for name, value in getattr(schema, section).items():
            entries.append(f"{msgspec.json.encode(str(name)).decode()}:{msgspec.json.encode(value).decode()}")
        lines.append(f'"{section}":{{\n' + ",\n".join(entries) + "\n}")
    return ("{" + ",\n".join(lines) + "}\n").encode()


def load(file: Path) -> Schema:
    """Read what `encode` wrote. Raises msgspec.ValidationError or OSError when the file is not ours."""
    return _decoder.decode(file.read_bytes())


_decoder = msgspec.json.Decoder(Schema)
