"""The index that search.js looks through: what can be found, where it is, and a line about it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ovis.schema import Schema

_LINE = 110
"""Characters of a text that fit under a name."""


def index(schema: Schema) -> str:
    """A script, not a JSON file: browsers do not let a page from a disk fetch its neighbours."""
    entries = [[name, file, _shortened(text)] for name, file, text in _entries(schema)]
    return f"window.SEARCH_INDEX = {msgspec.json.encode(entries).decode()};\n".replace("</", "<\\/")


def _entries(schema: Schema) -> Iterator[tuple[str, str, str]]:
    for name, klass in schema.classes.items():
        yield name, f"class-{name}.html", klass.doc
    for method, verb in schema.verbs.items():
        class_name, _, verb_name = method.partition(".")
        yield method, f"class-{class_name}.html#{verb_name}", verb.doc
        for parameter, field in verb.params.items():
            yield f"{method} {parameter}", f"class-{class_name}.html#{verb_name}.{parameter}", field.doc
    for name, declared in schema.types.items():
        yield name, f"type-{name}.html", declared.doc
        for member, field in declared.fields.items():
            yield f"{name}.{member}", f"type-{name}.html#{member}", field.doc
        for value, spec in declared.values.items():
            yield f"{name}.{spec.label or value}", f"type-{name}.html", spec.doc
    for name, event in schema.events.items():
        yield name, f"events.html#{name}", event.doc
    for number, error in schema.errors.items():
        yield f"{number} {error.name}", f"errors.html#e{number}", error.doc


def _shortened(text: str) -> str:
    return text if len(text) <= _LINE else f"{text[:_LINE].rsplit(' ', 1)[0]} ..."
