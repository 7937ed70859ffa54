from __future__ import annotations

from ovis.node import coverage
from ovis.schema import Schema
from ovis.schema.model import Class, Verb

VERB = Verb(doc="", since="4.0", access="observe", when=["always"], repeat="safe", deadline=1)


def test_a_line_a_class_and_the_total_last() -> None:
    schema = Schema(classes={"VM": Class("", {"create": VERB, "pause": VERB}), "Host": Class("", {"ping": VERB})})
    assert list(coverage.lines(schema, {"VM.pause", "Host.ping", "Gone.away"})) == ["VM 1/2", "Host 1/1", "total 2/3"]


def test_verbs_that_only_ovis_has_do_not_count_among_the_others() -> None:
    own = Verb(doc="", since="ovis-2", access="observe", when=["always"], repeat="safe", deadline=1)
    schema = Schema(classes={"VM": Class("", {"create": VERB, "ours": own}), "Own": Class("", {"more": own})})
    told = list(coverage.lines(schema, {"VM.ours"}))
    assert told == ["VM 0/1", "total 0/1", "only in Ovis 1/2: Own.more, VM.ours"]
