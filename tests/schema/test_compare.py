from __future__ import annotations

from typing import Any

import pytest

from ovis.schema.compare import RULES, compare

from .samples import REMOVE, changed

DIM = "classes/Lamp/verbs/dim"
STATE = "types/LampState/fields"
DATED = {"since": "ovis-2", "capability": "lamp-extras"}
LISTED = {"capabilities/lamp-extras": {"since": "ovis-2", "doc": "Everything that came second."}}


def breaks(changes: dict[str, Any], before: dict[str, Any] | None = None) -> set[tuple[str, str]]:
    return {(b.place, b.rule) for b in compare(changed(before), changed(changes), version=1)}


BREAKS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("class-removed", "class Lamp", {}, {"classes/Lamp": REMOVE}),
    ("verb-removed", "Lamp.dim", {}, {DIM: REMOVE}),
    ("parameter-removed", "Lamp.dim(fade)", {}, {f"{DIM}/params/fade": REMOVE}),
    ("member-removed", "LampState.tags", {}, {f"{STATE}/tags": REMOVE}),
    ("member-removed", "event |lamp|burnt|(when)", {}, {"events/|lamp|burnt|/params/when": REMOVE}),
    ("value-removed", "Colour.red", {}, {"types/Colour/values/red": REMOVE}),
    ("union-member-removed", "type Source", {}, {"types/Source/any_of": ["Mains"]}),
    ("union-member-added", "type Source", {"types/Source/any_of": ["Mains"]}, {}),
    ("event-removed", "event |lamp|burnt|", {}, {"events/|lamp|burnt|": REMOVE}),
    ("error-removed", "error 7", {}, {"errors/7": REMOVE}),
    ("error-renamed", "error 7", {}, {"errors/7/name": "LampLost"}),
    ("error-renamed", "error 7", {"errors/7/also": ["NO_LAMP"]}, {}),
    ("retyped", "Lamp.dim(fade)", {}, {f"{DIM}/params/fade/type": "float"}),
    ("retyped", "Lamp.dim(lampID)", {}, {f"{DIM}/params/lampID/type": ["string"]}),
    ("retyped", "LampState.tags", {}, {"types/Tags/value": "int"}),
    ("retyped", "LampState.tags", {}, {"types/Topic/of": "uint"}),
    ("retyped", "Lamp.dim(colour)", {}, {f"{DIM}/params/colour/type": "string"}),
    ("retyped", "type Colour", {}, {"types/Colour/values/red/label": "warm"}),
    ("result-changed", "Lamp.dim", {}, {f"{DIM}/result": REMOVE}),
    (
        "result-changed",
        "Lamp.dim",
        {f"{DIM}/result": REMOVE},
        {f"{DIM}/result": REMOVE, f"{DIM}/wire_result": "status"},
    ),
    (
        "required-added",
        "Lamp.dim(why)",
        {},
        {f"{DIM}/params/why": {"type": "string", "doc": "Reason.", **DATED}, **LISTED},
    ),
    ("became-required", "Lamp.dim(fade)", {}, {f"{DIM}/params/fade/optional": False}),
    ("became-optional", "LampState.buffer", {}, {f"{STATE}/buffer/optional": True}),
    ("default-changed", "Lamp.dim(brightness)", {}, {f"{DIM}/params/brightness/default": 60}),
    ("default-changed", "Lamp.dim(brightness)", {}, {f"{DIM}/params/brightness/default": REMOVE}),
    ("unit-changed", "Lamp.dim(fade)", {}, {f"{DIM}/params/fade/unit": "s"}),
    ("wire-changed", "LampState.buffer", {}, {f"{STATE}/buffer/wire": "KiB"}),
    ("pattern-changed", "type Topic", {}, {"types/Topic/pattern": "^[a-z]+$"}),
    ("pattern-changed", "Lamp.dim(lampID)", {}, {f"{DIM}/params/lampID/format": "uuid"}),
    (
        "pattern-changed",
        "Lamp.dim(lampID)",
        {"types/Topic/pattern": "x"},
        {"types/Topic/pattern": "x", f"{DIM}/params/lampID/type": "Topic"},
    ),
    ("pattern-changed", "Lamp.dim(colour)", {}, {f"{DIM}/params/colour/only": ["red"]}),
    ("range-narrowed", "Lamp.dim(brightness)", {}, {f"{DIM}/params/brightness/range": [1, 100]}),
    ("range-narrowed", "Lamp.dim(fade)", {}, {f"{DIM}/params/fade/range": [None, 9000]}),
    ("range-widened", "LampState.buffer", {f"{STATE}/buffer/range": [0, 64]}, {f"{STATE}/buffer/range": [0, 128]}),
    ("range-widened", "LampState.buffer", {f"{STATE}/buffer/range": [0, 64]}, {}),
    ("access-raised", "Lamp.dim", {}, {f"{DIM}/access": "administer"}),
    ("access-raised", "Lamp.dim", {}, {f"{DIM}/access": "peer"}),
    ("condition-added", "Lamp.dim", {}, {f"{DIM}/when": ["ready", "vm_up"]}),
    ("condition-added", "Lamp.dim", {f"{DIM}/when": ["always"]}, {}),
    ("repetition-changed", "Lamp.dim", {}, {f"{DIM}/repeat": "again"}),
    ("subject-changed", "event |lamp|burnt|", {}, {"events/|lamp|burnt|/subject": "vm"}),
    (
        "addition-undated",
        "LampState.age",
        {},
        {f"{STATE}/age": {"type": "uint", "doc": "Days.", **DATED, "since": "ovis-1"}, **LISTED},
    ),
    (
        "addition-undated",
        "Colour.green",
        {},
        {"types/Colour/values/green": {"doc": "Leaves.", **DATED, "since": "4.5"}, **LISTED},
    ),
    (
        "addition-undated",
        "error 8",
        {},
        {"errors/8": {"name": "Dark", "doc": "No light.", "capability": "lamp-extras"}, **LISTED},
    ),
    (
        "addition-without-capability",
        "LampState.age",
        {},
        {f"{STATE}/age": {"type": "uint", "doc": "Days.", "since": "ovis-2"}},
    ),
    ("capability-changed", "capability lamp-extras", LISTED, {}),
    (
        "capability-changed",
        "capability lamp-extras",
        LISTED,
        {"capabilities/lamp-extras": {"since": "ovis-3", "doc": "Later."}},
    ),
    (
        "capability-changed",
        "capability lamp-extras",
        LISTED,
        {"capabilities/first": {"since": "ovis-2", "doc": "Inserted."}, **LISTED},
    ),
]


@pytest.mark.parametrize(
    ("rule", "place", "before", "after"), BREAKS, ids=[f"{rule}-{i}" for i, (rule, *_) in enumerate(BREAKS)]
)
def test_each_break_is_named_with_its_place_and_rule_alone(
    rule: str, place: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert breaks(after, before) == {(place, rule)}


def test_every_rule_has_a_change_that_breaks_it() -> None:
    assert {rule for rule, *_ in BREAKS} == RULES.keys()


def add(path: str, **spec: Any) -> dict[str, Any]:
    return {path: {"doc": "Something that came later.", **DATED, **spec}, **LISTED}


VERB = {"access": "observe", "when": ["ready"], "repeat": "safe", "deadline": 5.0}
ALLOWED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "a verb added": ({}, add("classes/Lamp/verbs/count", **VERB, params={"room": {"type": "string", "doc": "Where."}})),
    "an optional parameter added": ({}, add(f"{DIM}/params/note", type="string", optional=True)),
    "a result member added": ({}, add(f"{STATE}/age", type="uint")),
    "an enum value added": ({}, add("types/Colour/values/green")),
    "an event added": ({}, add("events/|lamp|lit|", subject="none")),
    "an event parameter added": ({}, add("events/|lamp|burnt|/params/age", type="uint")),
    "an error added": ({}, add("errors/8", name="Dark")),
    "a second name for an error": ({}, {"errors/7/also": ["NO_LAMP"]}),
    "a type added for an added member": (
        {},
        {**add(f"{STATE}/bulb", type="Bulb"), "types/Bulb": {"kind": "object", "doc": "Glows.", "since": "ovis-2"}},
    ),
    "a parameter made optional": ({}, {f"{DIM}/params/lampID/optional": True}),
    "a result member always there": ({}, {f"{STATE}/tags/optional": False}),
    "a wider range of a parameter": ({}, {f"{DIM}/params/brightness/range": [None, 200]}),
    "a narrower range of a result": ({}, {f"{STATE}/buffer/range": [0, 64]}),
    "access lowered": ({}, {f"{DIM}/access": "observe"}),
    "a condition dropped": ({}, {f"{DIM}/when": ["always"]}),
    "a refused repetition made safe": ({f"{DIM}/repeat": "refused"}, {f"{DIM}/repeat": "safe"}),
    "a shorter deadline": ({}, {f"{DIM}/deadline": 1.0}),
    "other errors of a verb": ({}, {f"{DIM}/errors": []}),
    "a better text": ({}, {f"{DIM}/doc": "Makes it darker, gently."}),
    "something deprecated": ({}, {f"{DIM}/deprecated": "ovis-2"}),
    "an alias written out": ({}, {"types/Tags/key": "string"}),
    "a map written out": ({}, {f"{STATE}/tags/type": {"map": ["string", "string"]}}),
    "a capability appended": (LISTED, {**LISTED, "capabilities/more": {"since": "ovis-3", "doc": "And more."}}),
    "a union member for callers": (
        {
            f"{DIM}/params/from": {"type": "Feed", "doc": "x"},
            "types/Feed": {"kind": "union", "doc": "x", "any_of": ["Mains"]},
        },
        {
            f"{DIM}/params/from": {"type": "Feed", "doc": "x"},
            "types/Feed": {"kind": "union", "doc": "x", "any_of": ["Battery", "Mains"]},
        },
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_no_older_client_notices_is_allowed(name: str) -> None:
    before, after = ALLOWED[name]
    assert breaks(after, before) == set()


def test_a_renamed_type_of_the_same_shape_breaks_nobody() -> None:
    renamed = {
        "types/Hue": changed().types["Colour"],
        "types/Wire": changed().types["Mains"],
        "types/Colour": REMOVE,
        "types/Mains": REMOVE,
        "types/Source/any_of": ["Battery", "Wire"],
        f"{DIM}/params/colour/type": "Hue",
    }
    assert breaks(renamed) == set()


def test_a_type_is_judged_by_how_it_is_used() -> None:
    """The same change to one object: harmless where it is read, a break where it is sent."""
    required = {f"{STATE}/tags/optional": False}
    sent = {f"{DIM}/params/state": {"type": "LampState", "doc": "As it was."}}
    assert breaks(required) == set()
    assert breaks({**required, **sent}, sent) == {("LampState.tags", "became-required")}


def test_the_range_of_an_alias_is_compared_too() -> None:
    share = {"types/Share": {"kind": "alias", "doc": "x", "of": "uint"}, f"{DIM}/params/fade/type": "Share"}
    assert breaks({**share, "types/Share/range": [0, 9]}, share) == {("type Share", "range-narrowed")}


def test_a_type_that_holds_itself_is_compared_once() -> None:
    nested = {f"{STATE}/behind": {"type": ["LampState"], "doc": "Those in its shadow.", "optional": True}}
    assert breaks({**nested, f"{STATE}/buffer/unit": "s"}, nested) == {("LampState.buffer", "unit-changed")}


def test_a_break_says_what_where_and_why() -> None:
    [found] = compare(changed(), changed({f"{DIM}/access": "administer"}), version=1)
    assert str(found) == (
        "Lamp.dim: needs administer instead of operate [access-raised: callers lose the right to call it]"
    )
