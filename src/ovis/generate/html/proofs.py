"""The page that tells which tests on real guests and hosts call a verb."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ovis.generate.html.markup import table
from ovis.generate.html.page import Page
from ovis.generate.proofs import Proofs
from ovis.schema import Schema

SHOWN = 3
INTRODUCTION = """<h1>What is proved</h1>
<p class="lead">The verbs that tests call on real guests under libvirt and QEMU (<code>tests/real</code>), read from
those tests, and what the others need that the machines of the tests do not have.</p>"""
WORD_SEPARATOR = "_"


def proofs_page(schema: Schema, proved: Proofs) -> Page:
    parts = [INTRODUCTION]
    for name, klass in schema.classes.items():
        rows = list(_rows(name, list(klass.verbs), proved))
        if rows:
            parts += [f'<h2 id="{escape(name)}">{escape(name)}</h2>', table(("Verb", "Called by"), iter(rows))]
    return Page("proofs.html", "What is proved", "\n".join(parts))


def _rows(name: str, verbs: list[str], proved: Proofs) -> Iterator[tuple[str, str]]:
    for verb in verbs:
        method = f"{name}.{verb}"
        tests, need = proved.tests.get(method, ()), proved.needs.get(method)
        if not tests and need is None:
            continue
        shown = [f"{escape(test.name.removeprefix('test_').replace(WORD_SEPARATOR, ' '))}" for test in tests[:SHOWN]]
        if len(tests) > SHOWN:
            shown.append(f"and {len(tests) - SHOWN} more")
        text = "<br>".join(shown) if tests else f"needs {escape(need or '')}"
        yield f'<a href="class-{name}.html#{verb}"><code>{escape(verb)}</code></a>', text
