"""The Python that is made from a schema, run for real: a small schema becomes a package, which is imported and used."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from ovis import client
from ovis.generate import python_client, python_codec, python_types, unions
from ovis.schema import Schema
from ovis.schema.model import Class, EnumValue, Field, Type, Verb

PACKAGE = "made_from_a_test_schema"
HAND_WRITTEN = (
    "codec.py",
    "unions.py",
    "absent_values.py",
    "choices.py",
    "wire_values.py",
    "calls.py",
    "async_calls.py",
)


def object_of(**fields: Field) -> Type:
    return Type(kind="object", doc="An object.", fields=fields)


def verb(result: Field | None = None, **params: Field) -> Verb:
    return Verb(
        doc='Says "x" and \\n.',
        since="1.0",
        access="observe",
        when=["ready"],
        repeat="safe",
        deadline=1,
        params=params,
        result=result,
    )


SCHEMA = Schema(
    classes={
        "Lamp": Class(
            "Lights.",
            {
                "dim": verb(
                    Field("Answer", "What became of it."),
                    fade=Field("uint", "How long.", unit="ms", optional=True),
                    lampID=Field("string", "Which one."),
                    mode=Field("Mode", "How.", optional=True, default="slow"),
                    sizes=Field(["uint"], "Rooms.", unit="bytes", wire="KiB", optional=True, default=[]),
                ),
                "blink": verb(times=Field("Few", "How often.")),
                "off": verb(**{"from": Field("float", "When.", unit="s", wire="text")}),
            },
        )
    },
    types={
        "Mode": Type(
            kind="enum", doc="How.", values={"slow": EnumValue("S."), "Slow": EnumValue("S."), "": EnumValue("E.")}
        ),
        "Few": Type(kind="alias", doc="At most five.", of="uint", range=(None, 5)),
        "Level": Type(kind="enum", doc="Number.", values={"0": EnumValue("Low.", label="low")}),
        "Left": object_of(size=Field("uint", "Left.", unit="bytes", wire="text MiB")),
        "Right": object_of(level=Field("Level", "Right.")),
        "Side": Type(kind="union", doc="Side.", any_of=["Left", "Right", "string"]),
        "Answer": object_of(
            sides=Field({"map": ["string", ["Side"]]}, "By name."), next=Field("Answer", "N.", optional=True)
        ),
    },
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("made")
    (folder / PACKAGE).mkdir()
    pythonic = unions.separated(SCHEMA)
    texts = {name: (Path(client.__file__).parent / name).read_text() for name in HAND_WRITTEN}
    texts |= {
        "__init__.py": "",
        "types.py": python_types.write(pythonic),
        "verbs.py": python_codec.write(pythonic),
        "api.py": python_client.write(SCHEMA, asynchronous=False),
        "async_api.py": python_client.write(SCHEMA, asynchronous=True),
    }
    for name, text in texts.items():
        (folder / PACKAGE / name).write_text(text.replace("ovis.client", PACKAGE))
    sys.path.insert(0, str(folder))
    try:
        for name in ("types", "verbs", "codec", "api", "async_api"):
            importlib.import_module(f"{PACKAGE}.{name}")
        yield sys.modules[PACKAGE]
    finally:
        sys.path.remove(str(folder))
        for name in [n for n in sys.modules if n.split(".")[0] == PACKAGE]:
            del sys.modules[name]


def test_enum_values_that_differ_in_case_only_get_different_names(made: Any) -> None:
    assert [(m.name, m.value) for m in made.types.Mode] == [("SLOW", "slow"), ("SLOW_", "Slow"), ("EMPTY", "")]
    assert made.types.Level.LOW == 0


def test_arguments_travel_by_their_wire_names_units_and_defaults(made: Any) -> None:
    arguments = made.verbs.LampDimArgs(lamp_id="a", fade_ms=5, sizes=[2048])
    travels = json.loads(made.codec.encode_arguments(arguments))
    assert travels == {"lampID": "a", "fade": 5, "mode": "slow", "sizes": [2]}
    assert made.codec.decode_arguments("Lamp.dim", json.dumps(travels).encode()) == arguments


def test_a_word_of_python_may_be_a_name_on_the_wire(made: Any) -> None:
    assert made.codec.encode_arguments(made.verbs.LampOffArgs(from_=1.5)) == b'{"from":"1.50"}'


def test_a_mixed_union_is_read_in_maps_of_lists_and_recursive_types(made: Any) -> None:
    types = made.types
    inner = types.Answer(sides={"b": [types.Right(level=types.Level.LOW)]})
    answer = types.Answer(sides={"a": ["plain", types.Left(size=3 << 20)]}, next=inner)
    raw = made.codec.encode_result("Lamp.dim", answer)
    assert json.loads(raw)["sides"] == {"a": ["plain", {"size": "3"}]}
    assert made.codec.decode_result("Lamp.dim", raw) == answer


def test_the_blocking_client_sends_typed_arguments(made: Any) -> None:
    sent: list[tuple[str, msgspec.Struct, float | None]] = []

    def call(method: str, arguments: msgspec.Struct, deadline: float | None) -> Any:
        sent.append((method, arguments, deadline))
        return "answer"

    api = made.api.NodeApi(call)
    assert api.lamp.dim("a", mode=made.types.Mode.SLOW, deadline=3) == "answer"
    assert api.lamp.off(2.0) is None
    assert sent == [
        ("Lamp.dim", made.verbs.LampDimArgs(lamp_id="a"), 3),
        ("Lamp.off", made.verbs.LampOffArgs(from_=2.0), None),
    ]


def test_the_asynchronous_client_has_the_same_names(made: Any) -> None:
    async def call(method: str, arguments: msgspec.Struct, deadline: float | None) -> Any:
        return method

    assert asyncio.run(made.async_api.AsyncNodeApi(call).lamp.dim("a")) == "Lamp.dim"


def test_the_text_of_a_verb_is_its_docstring(made: Any) -> None:
    assert made.api.LampVerbs.off.__doc__.startswith('Says "x" and \\n.')
    assert "from_: When. [s]" in made.api.LampVerbs.off.__doc__


def test_a_range_is_kept_by_the_reader(made: Any) -> None:
    assert made.codec.decode_arguments("Lamp.blink", b'{"times": "5"}').times == 5
    for wrong in (6, -1):
        with pytest.raises(msgspec.ValidationError, match=r"at `\$.times`"):
            made.codec.decode_arguments("Lamp.blink", b'{"times": %d}' % wrong)
