"""What `python -m ovis.generate` does, each as one function that returns the exit code."""

from __future__ import annotations

from pathlib import Path

from ovis import client
from ovis.generate import python_client, python_codec, python_types
from ovis.schema import Schema, compiled
from ovis.schema.read import read_folder

API_FOLDER = Path(__file__).parents[1] / "node" / "api"
CLIENT_FOLDER = Path(client.__file__).parent


def python_files(schema: Schema) -> dict[Path, str]:
    """Path and text of every committed file that is made from the schema."""
    return {
        CLIENT_FOLDER / "types.py": python_types.write(schema),
        CLIENT_FOLDER / "verbs.py": python_codec.write(schema),
        CLIENT_FOLDER / "api.py": python_client.write(schema, asynchronous=False),
        CLIENT_FOLDER / "async_api.py": python_client.write(schema, asynchronous=True),
        CLIENT_FOLDER / "node_schema.json": compiled.encode(schema).decode(),
    }


def write_python() -> int:
    """Write the files that differ from what the schema says."""
    for path, text in python_files(read_folder(API_FOLDER)).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return 0
