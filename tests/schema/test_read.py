from __future__ import annotations

from pathlib import Path

import pytest

from ovis.schema.model import Capability
from ovis.schema.read import SchemaError, read_folder

LAMP = """
class: Lamp
doc: Lights that hang in the machine room.
verbs:
  dim:
    doc: Lowers the brightness.
    since: "4.0"
    access: operate
    when: [ready]
    repeat: safe
    deadline: 10
    params:
      lampID: {type: string, doc: Which one.}
    result: {type: [Shade], doc: What became of it.}
types:
  Shade:
    kind: enum
    doc: How dark it is.
    since: "4.0"
    values: {dark: No light at all., 1: Some light.}
"""


def read(folder: Path, **files: str) -> object:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return read_folder(folder)


def test_a_folder_is_one_schema(tmp_path: Path) -> None:
    (tmp_path / "lamp.yaml").write_text(LAMP)
    (tmp_path / "errors.yaml").write_text("errors: {7: {name: NoSuchLamp, doc: Not there.}}")
    schema = read_folder(tmp_path)
    assert schema.verbs["Lamp.dim"].params["lampID"].type == "string"
    assert schema.verb("Lamp.dim") is schema.verbs["Lamp.dim"]
    assert schema.verb("Lamp.burn") is None
    assert schema.errors[7].name == "NoSuchLamp"
    assert list(schema.types["Shade"].values) == ["dark", "1"]


def test_capabilities_are_lines_of_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "lamp.yaml").write_text(LAMP)
    (tmp_path / "capabilities.txt").write_text("# name since what\n\nslow-fade  ovis-2  Changes that take time.\n")
    assert read_folder(tmp_path).capabilities == {"slow-fade": Capability("ovis-2", "Changes that take time.")}
    (tmp_path / "capabilities.txt").write_text("slow-fade ovis-2\n")
    with pytest.raises(SchemaError, match=r"capabilities.txt: line 1: must hold"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "lamp.yaml: is not YAML"),
        ("klass: Lamp", "lamp.yaml: must be a map with only class"),
        (
            LAMP.replace("lampID: {type: string", "lampID: {type: [string, int]"),
            r"dim.params.lampID: \['string', 'int'\]",
        ),
        (LAMP.replace("[Shade]", "{map: [string]}"), "dim.result: .* is not a type"),
        (LAMP.replace("deadline: 10", "deadlines: 10"), "verbs.dim: .*deadline"),
        (LAMP.replace("    deadline: 10\n", ""), "verbs.dim: .*missing required field `deadline`"),
        (LAMP.replace("kind: enum", "kind: list"), "types.Shade: kind must be one of"),
        (LAMP.replace("kind: enum", "kind: object"), "types.Shade: of kind object must have fields"),
        (LAMP.replace("dark: No", "dark: {text: No}, x: No"), "types.Shade.values.dark"),
        (
            LAMP.replace("    access: operate", "    access: operate\n    access: observe"),
            "found the key 'access' twice",
        ),
    ],
)
def test_an_error_names_file_and_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        read(tmp_path, lamp=text)


def test_one_name_is_described_once_in_the_whole_folder(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="Lamp is described twice"):
        read(tmp_path, a=LAMP, b="class: Lamp")


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"holds no \*.yaml file"):
        read_folder(tmp_path)
