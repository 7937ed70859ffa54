"""The HTML reference of an API: static pages with links between everything, and a search that runs in the browser.

Nothing is loaded from elsewhere, so the folder works from a disk, a package or any web server.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from ovis.generate.html import overviews, search
from ovis.generate.html.classes import class_page
from ovis.generate.html.page import Page, render
from ovis.generate.html.proofs import proofs_page
from ovis.generate.html.types import type_page, types_page, users
from ovis.generate.proofs import Proofs
from ovis.schema import Schema

_AS_THEY_ARE = ("style.css", "search.js")


def pages(schema: Schema, proved: Proofs | None = None) -> dict[str, str]:
    """Text of every file by its name, relative to the folder of the reference. `proved`: by which tests."""
    made = {page.file: render(page, schema) for page in _pages(schema, proved or Proofs({}, {}))}
    made["search-index.js"] = search.index(schema)
    here = files(__name__)
    return made | {name: (here / name).read_text(encoding="utf-8") for name in _AS_THEY_ARE}


def _pages(schema: Schema, proved: Proofs) -> Iterator[Page]:
    yield overviews.start_page(schema)
    for name, klass in schema.classes.items():
        yield class_page(schema, name, klass)
    used_by = users(schema)
    yield types_page(schema)
    for name, declared in schema.types.items():
        yield type_page(schema, name, declared, used_by.get(name, []))
    yield overviews.events_page(schema)
    yield overviews.errors_page(schema)
    yield overviews.wire_page()
    yield overviews.calling_page(schema)
    yield proofs_page(schema, proved)
