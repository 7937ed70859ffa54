"""The client made from the oldest published version (today's while none is published) talks with today's agent."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ovis import client
from ovis.client import codec
from ovis.generate import published, python_codec, python_types, tasks, unions
from ovis.schema import Schema, compiled

from .typed_values import TypedValues, load_schema

PACKAGE = "oldest_ovis_client"
HAND_WRITTEN = ("codec.py", "unions.py", "absent_values.py", "choices.py", "wire_values.py")

TODAY = load_schema()


def oldest_schema() -> Schema:
    kept = published.versions(tasks.API_FOLDER)
    return unions.separated(compiled.load(kept[min(kept)])) if kept else TODAY


OLDEST = oldest_schema()

few = settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def old_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The codec module of a client that was generated from the oldest schema."""
    folder = tmp_path_factory.mktemp("oldest")
    package = folder / PACKAGE
    package.mkdir()
    texts = {name: (Path(client.__file__).parent / name).read_text() for name in HAND_WRITTEN}
    texts |= {"types.py": python_types.write(OLDEST), "verbs.py": python_codec.write(OLDEST), "__init__.py": ""}
    for name, text in texts.items():
        (package / name).write_text(text.replace("ovis.client", PACKAGE))
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module(f"{PACKAGE}.codec")
    finally:
        sys.path.remove(str(folder))
        for name in [n for n in sys.modules if n.split(".")[0] == PACKAGE]:
            del sys.modules[name]


@pytest.mark.parametrize("method", [m for m, v in OLDEST.verbs.items() if not v.unbuilt])
def test_todays_agent_reads_what_the_oldest_client_sends(method: str, old_client: Any) -> None:
    types = importlib.import_module(f"{PACKAGE}.types")

    @few
    @given(TypedValues(OLDEST, types, old_client.verbs).arguments(method))
    def is_read(arguments: Any) -> None:
        codec.decode_arguments(method, old_client.encode_arguments(arguments))

    is_read()


@pytest.mark.parametrize("method", [m for m, v in OLDEST.verbs.items() if v.result and not v.unbuilt])
def test_the_oldest_client_reads_what_todays_agent_answers(method: str, old_client: Any) -> None:
    @few
    @given(TypedValues(TODAY).result(method))
    def is_read(result: Any) -> None:
        old_client.decode_result(method, codec.encode_result(method, result))

    is_read()
