from __future__ import annotations

from pathlib import Path

import pytest

from ovis.generate import published, tasks
from ovis.generate.verdict import judge
from ovis.schema import compiled
from ovis.schema.read import read_folder

LAMP = """
class: Lamp
doc: Lights that hang in the machine room.
verbs:
  dim:
    doc: Lowers the brightness step by step.
    since: "4.0"
    access: operate
    when: [ready]
    repeat: safe
    deadline: 10
    params:
      lampID: {type: string, doc: Which of the lights is meant.}
"""
BUILT = {"Lamp.dim"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lamp.yaml").write_text(LAMP)
    return tmp_path


def test_a_published_version_is_kept_and_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tasks.publish(1, folder, BUILT) == 0
    assert compiled.load(folder / "published" / "1.json") == read_folder(folder)
    (folder / "lamp.yaml").write_text(LAMP.replace("dim:", "fade:"))
    assert tasks.check(folder) == 1
    out = capsys.readouterr().out
    assert "breaks version 1: Lamp.dim: is gone or has another name [verb-removed" in out
    assert "1 verbs, 0 types, 0 events, 0 errors; compared with published versions: 1; 0 findings, 3 break" in out


def test_a_good_schema_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tasks.check(folder) == 0
    assert capsys.readouterr().out.endswith("compared with published versions: none; good\n")


def test_a_published_version_is_never_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tasks.publish(1, folder, BUILT) == 0
    before = (folder / "published" / "1.json").read_bytes()
    assert tasks.publish(1, folder, BUILT) == 1
    assert tasks.publish(3, folder, BUILT) == 1
    assert "never changes; the next is 2" in capsys.readouterr().err
    assert (folder / "published" / "1.json").read_bytes() == before
    assert list(published.versions(folder)) == [1]


def test_versions_are_compared_oldest_first(folder: Path) -> None:
    for version in range(1, 12):
        assert tasks.publish(version, folder, BUILT) == 0
    assert list(judge(folder).breaks) == list(range(1, 12))


def test_a_verb_that_nobody_answered_may_still_be_corrected_but_not_removed(folder: Path) -> None:
    assert tasks.publish(1, folder, built=()) == 0
    (folder / "lamp.yaml").write_text(LAMP.replace("{type: string,", "{type: int,"))
    assert tasks.check(folder) == 0
    (folder / "lamp.yaml").write_text(LAMP.replace("dim:", "fade:"))
    assert tasks.check(folder) == 1


def test_the_form_of_a_verb_that_was_answered_binds(folder: Path) -> None:
    assert tasks.publish(1, folder, BUILT) == 0
    (folder / "lamp.yaml").write_text(LAMP.replace("{type: string,", "{type: int,"))
    assert tasks.check(folder) == 1


def test_a_description_does_not_say_itself_what_is_unbuilt(folder: Path) -> None:
    (folder / "lamp.yaml").write_text(LAMP.replace("repeat: safe", "repeat: safe\n    unbuilt: true"))
    assert tasks.check(folder) == 1


def test_what_is_dated_later_than_the_version_is_not_published(folder: Path) -> None:
    (folder / "lamp.yaml").write_text(LAMP.replace('"4.0"', "ovis-2"))
    with pytest.raises(published.PublishError, match=r"dated later than ovis-1: Lamp.dim"):
        published.publish(folder, read_folder(folder), 1, built=BUILT)
    assert published.versions(folder) == {}


@pytest.mark.parametrize("text", [LAMP.replace("operate", "everybody"), "a: ["])
def test_a_schema_that_breaks_a_rule_is_neither_good_nor_published(folder: Path, text: str) -> None:
    (folder / "lamp.yaml").write_text(text)
    assert tasks.check(folder) == 1
    assert tasks.publish(1, folder, BUILT) == 1
    assert published.versions(folder) == {}
