from __future__ import annotations

import pytest

from ovis.schema import expressions
from ovis.schema.expressions import BadExpressionError, ListOf, MapOf, Named

from .samples import changed


def test_expressions_are_names_lists_and_maps() -> None:
    assert expressions.parse("VM") == Named("VM")
    assert expressions.parse([{"map": ["UUID", ["int"]]}]) == ListOf(MapOf(Named("UUID"), ListOf(Named("int"))))


@pytest.mark.parametrize("wrong", ["", [], ["a", "b"], {"map": ["a"]}, {"map": ["a", "b"], "x": 1}, {"list": "a"}])
def test_anything_else_is_refused(wrong: object) -> None:
    with pytest.raises(BadExpressionError, match="is not a type"):
        expressions.parse(wrong)  # type: ignore[arg-type]


def test_text_is_as_a_reader_writes_it() -> None:
    assert expressions.text([{"map": ["string", "uint"]}]) == "[{string: uint}]"


def test_types_are_reached_through_parameters_results_and_events() -> None:
    assert expressions.reachable(changed()) == {"Colour", "LampState", "Tags", "Topic", "Source", "Mains", "Battery"}
    unlit = changed({"classes/Lamp/verbs/dim/result": None})
    assert expressions.reachable(unlit) == {"Colour"}
