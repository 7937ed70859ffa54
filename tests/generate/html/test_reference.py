"""The HTML reference of the real schema: complete, linked, self-contained, with examples that the agent would take."""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser

import pytest

from ovis.client import codec
from ovis.generate import html, tasks
from ovis.generate.html import examples
from ovis.schema import Schema
from ovis.schema.model import Class, Type, Verb
from ovis.schema.read import read_folder

SCHEMA = read_folder(tasks.API_FOLDER)


class Seen(HTMLParser):
    """Ids, links and resources of a page, and whether its tags are balanced."""

    VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.resources: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [given["href"]] if tag == "a" and given.get("href") else []
        self.resources += [v for k, v in attrs if k in ("src", "href") and tag != "a" and v]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return html.pages(SCHEMA)


@pytest.fixture(scope="module")
def seen(files: dict[str, str]) -> dict[str, Seen]:
    return {name: Seen(text) for name, text in files.items() if name.endswith(".html")}


def test_every_class_verb_type_error_and_event_has_its_place(seen: dict[str, Seen]) -> None:
    for method in SCHEMA.verbs:
        class_name, _, verb_name = method.partition(".")
        assert verb_name in seen[f"class-{class_name}.html"].ids
    assert all(f"type-{name}.html" in seen for name in SCHEMA.types)
    assert all(f"e{number}" in seen["errors.html"].ids for number in SCHEMA.errors)
    assert all(name in seen["events.html"].ids for name in SCHEMA.events)


def test_every_link_leads_somewhere(seen: dict[str, Seen]) -> None:
    for name, page in seen.items():
        for link in page.links:
            file, _, anchor = link.partition("#")
            target = seen[file or name]
            assert not anchor or anchor in target.ids, f"{name} links to {link}"


def test_pages_are_well_formed_and_ids_unique(seen: dict[str, Seen]) -> None:
    for name, page in seen.items():
        assert page.open == [], name
        assert [i for i, times in Counter(page.ids).items() if times > 1] == [], name


def test_nothing_is_loaded_from_elsewhere(files: dict[str, str], seen: dict[str, Seen]) -> None:
    assert {resource for page in seen.values() for resource in page.resources} <= files.keys()
    assert "http" not in files["style.css"] + files["search.js"]


def test_the_search_index_points_at_places_that_exist(files: dict[str, str], seen: dict[str, Seen]) -> None:
    text = files["search-index.js"].removeprefix("window.SEARCH_INDEX = ").removesuffix(";\n")
    entries = json.loads(text.replace("<\\/", "</"))
    assert {name for name, _, _ in entries} >= {*SCHEMA.verbs, *SCHEMA.types, "VM.create vmID", "VmStatus.Up"}
    for name, place, _ in entries:
        file, _, anchor = place.partition("#")
        assert not anchor or anchor in seen[file].ids, name


@pytest.mark.parametrize("method", SCHEMA.verbs)
def test_the_example_of_every_verb_is_a_call_the_agent_takes(method: str) -> None:
    codec.decode_arguments(method, json.dumps(examples.arguments(SCHEMA, SCHEMA.verbs[method])).encode())


def test_texts_are_escaped() -> None:
    verb = Verb(doc="a <b> & c", since="4.0", access="observe", when=["ready"], repeat="safe", deadline=1)
    schema = Schema(
        classes={"VM": Class("<script>", {"go": verb})}, types={"T": Type(kind="enum", doc="<i>", unused="&")}
    )
    files = html.pages(schema)
    assert "a &lt;b&gt; &amp; c" in files["class-VM.html"]
    assert "&lt;script&gt;" in files["class-VM.html"]
    assert "&lt;i&gt;" in files["type-T.html"]


def test_secrets_are_not_typed_on_the_command_line() -> None:
    verb = SCHEMA.verbs["VM.desktopLogin"]
    sent = examples.arguments(SCHEMA, verb)
    assert "password=@-" in examples.command("VM.desktopLogin", verb, sent)
