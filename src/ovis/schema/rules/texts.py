"""Rules on the words: everything is explained, and the explanation says more than the name does."""

from __future__ import annotations

import re

from ovis.schema import naming, walk
from ovis.schema.model import Schema
from ovis.schema.rules.rule import Problems, Rule

SHORTEST = 15
_STOP_WORDS = """
a an the this that these of for to in on at by with from and or is are be it its as s which whose given value field
parameter property type name object list map new number id uuid identifier identifiers
"""
_UNFINISHED = re.compile(r"^\s*$|\b(TODO|FIXME|TBD|XXX)\b")


def words(text: str) -> set[str]:
    """Words in lower case and without a plural s, so that `VMs` and `vm` are one."""
    return {w.removesuffix("s") or w for w in re.split(r"[^a-z0-9]+", naming.snake(text).replace("_", " ")) if w}


def _words_of_text(text: str) -> set[str]:
    return set().union(*(words(w) for w in re.findall(r"[A-Za-z0-9]+", text)), set())


def undocumented(schema: Schema) -> Problems:
    for item in walk.documented(schema):
        if _UNFINISHED.search(item.doc):
            yield item.place, "has no text"


def repeats_name(schema: Schema) -> Problems:
    for item in walk.documented(schema):
        known = words(item.name) | words(item.holder) | _words_of_text(_STOP_WORDS)
        if not _UNFINISHED.search(item.doc) and _words_of_text(item.doc) <= known:
            yield item.place, f"{item.doc!r} says nothing that the name does not"


def too_short(schema: Schema) -> Problems:
    for item in walk.documented(schema):
        if not _UNFINISHED.search(item.doc) and len(item.doc.strip()) < SHORTEST:
            yield item.place, f"{item.doc!r} is shorter than {SHORTEST} characters"


def unsafe_text(schema: Schema) -> Problems:
    for item in walk.documented(schema):
        odd = sorted({c for c in item.doc if not (" " <= c <= "~")})
        if odd:
            yield item.place, f"the text holds {', '.join(f'U+{ord(c):04X}' for c in odd)}"


RULES = (
    Rule("undocumented", "a reader who never saw the product must understand every item", undocumented),
    Rule("repeats-name", "a text made of the words of the name explains nothing", repeats_name),
    Rule("too-short", f"under {SHORTEST} characters nobody says what a thing means", too_short),
    Rule("plain-text", "texts are shown in terminals, code and HTML: printable ASCII on one line", unsafe_text),
)
