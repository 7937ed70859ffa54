"""The real schema of the node API keeps the rules and breaks no published version; what is made from it is fresh."""

from __future__ import annotations

import pytest

from ovis.generate import tasks
from ovis.generate.verdict import Verdict, judge
from ovis.schema.read import read_folder


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    return judge(tasks.API_FOLDER)


def test_it_keeps_every_rule(verdict: Verdict) -> None:
    assert verdict.unreadable == ""
    assert [str(finding) for finding in verdict.findings] == []


def test_it_breaks_no_published_version(verdict: Verdict) -> None:
    assert [str(change) for breaks in verdict.breaks.values() for change in breaks] == []


def test_it_has_the_classes_and_verbs_that_existing_clients_call(verdict: Verdict) -> None:
    assert verdict.schema is not None
    verbs = verdict.schema.verbs.items()
    existing = [method for method, verb in verbs if not (verb.since or "").startswith("ovis")]
    assert len(existing) == 205
    assert len({method.partition(".")[0] for method in existing}) == 13


def test_committed_python_is_what_the_schema_gives() -> None:
    stale = [
        path.name
        for path, text in tasks.python_files(read_folder(tasks.API_FOLDER)).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run: python -m ovis.generate python"
