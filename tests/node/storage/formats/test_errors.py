from pathlib import Path

import yaml

import ovis.node
from ovis.node.storage.formats import errors

TABLE = Path(ovis.node.__file__).parent / "api" / "errors.yaml"


def test_each_refusal_has_a_number_in_the_api() -> None:
    names = {entry["name"] for entry in yaml.safe_load(TABLE.read_text())["errors"].values()}
    kinds = [errors.FormatError, errors.Broken, errors.Missing, errors.SealBroken, errors.Cleared]
    kinds += [errors.UnsupportedVersion, errors.WrongTag, errors.TooLong]
    assert {kind.wire_name for kind in kinds} <= names


def test_a_broken_value_is_shown_short_and_without_control_characters() -> None:
    assert errors.shown("a\nb") == "'a\\nb'"
    assert len(errors.shown("x" * 10_000)) < 120
