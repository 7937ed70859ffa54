from __future__ import annotations

from typing import Any

import pytest

from ovis.schema.check import RULES, check
from ovis.schema.model import EnumValue
from ovis.schema.units import UNITS, sign_of_measure

from .samples import REMOVE, changed

DIM = "classes/Lamp/verbs/dim"
TYPE = {"kind": "object", "doc": "Something else entirely, for a test.", "since": "4.0"}

NO_STATE = {f"types/{name}": REMOVE for name in ("LampState", "Tags", "Topic", "Source", "Mains", "Battery")}

BREAKS: list[tuple[str, dict[str, Any]]] = [
    ("undocumented", {f"{DIM}/doc": ""}),
    ("undocumented", {"types/Colour/values/red/doc": "TODO"}),
    ("undocumented", {"events/|lamp|burnt|/params/when/doc": "  "}),
    ("repeats-name", {f"{DIM}/params/lampID/doc": "The ID of the lamps."}),
    ("repeats-name", {"types/LampState/doc": "The state of the given lamp."}),
    ("too-short", {"errors/7/doc": "Not there."}),
    ("plain-text", {"types/Topic/doc": "A word \u2014 in lower case."}),
    ("plain-text", {"types/Topic/doc": "A single word\nin lower case."}),
    (
        "unknown-type",
        {"types/LampState/fields/tags/type": ["Tagz"], "types/Tags/unused": "x", "types/Topic/unused": "x"},
    ),
    ("unused-type", {"types/Spare": {**TYPE, "fields": {}}}),
    ("unused-type", {"types/Colour/unused": "kept for later"}),
    ("endless-alias", {"types/Topic/of": "Topic", "types/Tags/key": "string", "types/Topic/unused": "for the test"}),
    ("bad-map-key", {"types/Tags/key": "float", "types/Topic/unused": "for the test"}),
    ("bad-map-key", {f"{DIM}/params/fade/type": {"map": ["Battery", "uint"]}}),
    ("empty-type", {"types/Colour/values": {}}),
    ("alike-in-union", {"types/Source/any_of": ["Mains", "Battery", "Mains"]}),
    ("bad-pattern", {"types/Topic/pattern": "["}),
    ("bad-pattern", {"types/Mains/pattern": "x"}),
    ("duplicate-python-name", {f"{DIM}/params/lampId": {"type": "string", "doc": "Which light, spelled otherwise."}}),
    ("duplicate-python-name", {"types/LampDimArgs": {**TYPE, "fields": {}, "unused": "for the test"}}),
    ("bad-python-name", {f"{DIM}/params/2nd": {"type": "string", "doc": "Another light that follows."}}),
    ("missing-unit", {f"{DIM}/params/fade/unit": "", f"{DIM}/params/fade/doc": "Length of the change in seconds."}),
    ("missing-unit", {"types/LampState/fields/memSize": {"type": "int", "doc": "Room for the longest animation."}}),
    ("unknown-unit", {f"{DIM}/params/fade/unit": "fortnights"}),
    ("unit-without-number", {f"{DIM}/params/lampID/unit": "s"}),
    ("bad-wire", {f"{DIM}/params/fade/wire": "number"}),
    ("bad-wire", {f"{DIM}/params/fade/wire": "MiB"}),
    ("bad-wire", {f"{DIM}/params/lampID/wire": "text"}),
    ("bad-wire", {"types/LampState/fields/buffer/wire": "KiB MiB"}),
    (
        "bad-wire",
        {f"{DIM}/result": {"type": "uint", "unit": "bytes", "wire": "KiB", "doc": "Room that was freed."}, **NO_STATE},
    ),
    ("bad-wire", {"types/LampState/fields/buffer/optional": True, "types/LampState/fields/buffer/default": 1024}),
    ("bad-format", {"types/Topic/format": "haiku"}),
    ("bad-format", {f"{DIM}/params/fade/format": "uuid"}),
    ("bad-range", {f"{DIM}/params/brightness/range": [100, 10], f"{DIM}/params/brightness/default": REMOVE}),
    ("bad-range", {f"{DIM}/params/lampID/range": [1, 2]}),
    ("bad-range", {"types/Topic/range": [0, 5]}),
    ("bad-default", {f"{DIM}/params/brightness/default": "50"}),
    ("bad-default", {f"{DIM}/params/brightness/default": True}),
    ("bad-default", {f"{DIM}/params/brightness/default": 101}),
    ("bad-default", {f"{DIM}/params/brightness/optional": False}),
    ("bad-default", {f"{DIM}/params/fade/default": -1}),
    ("bad-default", {f"{DIM}/params/colour/default": "green"}),
    ("bad-only", {f"{DIM}/params/colour/only": ["green"]}),
    ("bad-only", {f"{DIM}/params/fade/only": ["10"]}),
    ("open-secret", {f"{DIM}/params/doorPassword": {"type": "string", "doc": "What opens the machine room."}}),
    ("unknown-access", {f"{DIM}/access": "everybody"}),
    ("unknown-condition", {f"{DIM}/when": ["at night"]}),
    ("unknown-condition", {f"{DIM}/when": []}),
    ("unknown-condition", {f"{DIM}/when": ["always", "ready"]}),
    ("unknown-repetition", {f"{DIM}/repeat": "often"}),
    ("bad-deadline", {f"{DIM}/deadline": 0.0}),
    ("bad-deadline", {f"{DIM}/deadline": 601.0}),
    ("double-result", {f"{DIM}/wire_result": "status"}),
    ("unknown-error", {f"{DIM}/errors": ["LampStolen"]}),
    ("unknown-error", {f"{DIM}/errors": ["NoSuchLamp", "NoSuchLamp"]}),
    ("duplicate-error", {"errors/8": {"name": "Other", "also": ["NoSuchLamp"], "doc": "Same name, another number."}}),
    ("unknown-subject", {"events/|lamp|burnt|/subject": "lamp"}),
    ("unknown-capability", {f"{DIM}/params/fade/capability": "slow-fade"}),
    ("unknown-capability", {"capabilities/slow-fade": {"since": "4.5", "doc": "Changes that take their time."}}),
    ("bad-since", {f"{DIM}/since": "now"}),
    ("bad-since", {"types/Topic/since": ""}),
    ("bad-since", {f"{DIM}/params/fade/since": "soon"}),
]


def broken_rules(changes: dict[str, Any] | None = None) -> set[str]:
    return {finding.rule for finding in check(changed(changes))}


def test_a_good_schema_breaks_no_rule() -> None:
    assert check(changed()) == []


@pytest.mark.parametrize(("rule", "changes"), BREAKS, ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(BREAKS)])
def test_a_schema_that_breaks_one_rule_is_found_by_that_rule_alone(rule: str, changes: dict[str, Any]) -> None:
    assert broken_rules(changes) == {rule}


def test_every_rule_has_a_schema_that_breaks_it() -> None:
    assert {rule for rule, _ in BREAKS} == {rule.id for rule in RULES}


def test_rule_ids_are_unique_and_reasons_given() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.reason and "\n" not in rule.reason for rule in RULES)


def test_a_count_is_the_way_out_for_a_number_that_only_sounds_like_a_size() -> None:
    slots = {"type": "int", "doc": "How many modules fit in.", "unit": "count"}
    assert broken_rules({"types/LampState/fields/memSlots": slots}) == set()


def test_a_list_of_sizes_may_travel_in_another_unit() -> None:
    pages = {"type": ["int"], "doc": "The pages that the kernel offers.", "unit": "bytes", "wire": "KiB"}
    assert broken_rules({"types/LampState/fields/pages": pages}) == set()


def test_a_finding_tells_place_and_rule() -> None:
    [finding] = check(changed({f"{DIM}/params/fade/unit": "fortnights"}))
    assert str(finding).startswith("Lamp.dim(fade): the unit 'fortnights' is not one of")
    assert str(finding).endswith("[unknown-unit]")


def test_an_enum_of_numbers_takes_a_number_as_default() -> None:
    changes = {
        "types/Colour/values": {
            "1": {"label": "red", "doc": "Long waves, for the night."},
            "2": {"label": "blue", "doc": "Short waves, for the day."},
        },
        f"{DIM}/params/colour/default": 2,
    }
    assert broken_rules(changes) == set()
    assert changed(changes).types["Colour"].values["2"] == EnumValue(doc="Short waves, for the day.", label="blue")


@pytest.mark.parametrize(
    ("name", "doc", "sign"),
    [
        ("volumeSize", "Room for data.", "size"),
        ("left", "What is left, in seconds.", "in seconds"),
        ("resized", "How often the volume grew.", None),
        ("second", "Index of the second disk.", None),
    ],
)
def test_names_and_texts_give_a_measure_away(name: str, doc: str, sign: str | None) -> None:
    assert sign_of_measure(name, doc) == sign


def test_every_unit_is_explained() -> None:
    assert all(UNITS.values())
