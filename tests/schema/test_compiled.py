from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ovis.client import node_schema
from ovis.schema import compiled

from .samples import changed


def test_what_is_compiled_loads_as_the_same_schema(tmp_path: Path) -> None:
    schema = changed({"capabilities/slow-fade": {"since": "ovis-2", "doc": "Changes that take their time."}})
    (tmp_path / "schema.json").write_bytes(compiled.encode(schema))
    assert compiled.load(tmp_path / "schema.json") == schema


def test_the_same_schema_gives_the_same_bytes_an_entry_a_line() -> None:
    assert compiled.encode(changed()) == compiled.encode(changed())
    assert b'\n"Colour":{"kind":"enum",' in compiled.encode(changed())


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text('{"classes": {"Lamp": 5}}')
    with pytest.raises(msgspec.ValidationError):
        compiled.load(tmp_path / "schema.json")


def test_loading_the_compiled_form_needs_no_yaml_parser() -> None:
    code = "import sys, ovis.schema.compiled; assert 'yaml' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_what_answers_calls_need_is_the_same_in_both_readings() -> None:
    whole, part = node_schema.load(), node_schema.load_calls()
    assert (part.classes, part.errors) == (whole.classes, whole.errors)
    assert not part.types
    assert not part.events
