"""The page of a class: what it is, its verbs at a glance, then every verb in full."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import msgspec

from ovis.generate.html import examples
from ovis.generate.html.markup import age, badges, error_link, facts, fields_table, table, type_link
from ovis.generate.html.page import Page
from ovis.schema import Schema
from ovis.schema.model import CONDITIONS, REPETITION, Class, Verb


def class_page(schema: Schema, name: str, klass: Class) -> Page:
    rows = (
        (f'<a href="#{verb_name}"><code>{verb_name}</code></a>', escape(_first_sentence(verb.doc)), escape(verb.access))
        for verb_name, verb in klass.verbs.items()
    )
    overview = table(("Verb", "What it does", "Access"), rows)
    verbs = "\n".join(_verb(schema, f"{name}.{verb_name}", verb) for verb_name, verb in klass.verbs.items())
    return Page(
        f"class-{name}.html",
        name,
        f'<h1>{name}</h1>\n<p class="lead">{escape(klass.doc)}</p>\n{overview}\n{verbs}',
    )


def _first_sentence(text: str) -> str:
    sentence, dot, _ = text.partition(". ")
    return sentence + ("." if dot else "")


def _verb(schema: Schema, method: str, verb: Verb) -> str:
    name = method.partition(".")[2]
    parts = [
        f'<section id="{name}" class="verb">',
        f'<h2><code>{method}</code> <a class="anchor" href="#{name}" aria-label="Link to {method}">#</a></h2>',
        badges(_badges(verb)),
        f"<p>{escape(verb.doc)}</p>",
        *_parameters(schema, name, verb),
        *_result(schema, verb),
        *_errors(schema, verb),
        *_calling(verb),
        *_example(schema, method, verb),
        "</section>",
    ]
    return "\n".join(parts)


def _badges(verb: Verb) -> Iterator[str]:
    yield f'<a href="calling.html#access">{escape(verb.access)}</a>'
    yield f'<a href="calling.html#repeating">repeating: {escape(verb.repeat)}</a>'
    yield f"ends within {verb.deadline:g} s"
    yield from age(verb.since, verb.deprecated, verb.capability)


def _parameters(schema: Schema, name: str, verb: Verb) -> Iterator[str]:
    yield "<h3>Parameters</h3>"
    yield fields_table(schema, verb.params, within=name) if verb.params else "<p>None.</p>"


def _result(schema: Schema, verb: Verb) -> Iterator[str]:
    yield "<h3>Result</h3>"
    if verb.result:
        yield f"<p>{type_link(schema, verb.result.type)}: {escape(verb.result.doc)}</p>{facts(verb.result)}"
        return
    yield f"<p>Nothing. What travels is <code>{escape(_wire_result(verb))}</code>.</p>"


def _wire_result(verb: Verb) -> str:
    if verb.wire_result == "status":
        return '{"code": 0, "message": "Done"}'
    return "true" if verb.wire_result is None else msgspec.json.encode(verb.wire_result).decode()


def _errors(schema: Schema, verb: Verb) -> Iterator[str]:
    if verb.errors:
        yield f'<h3>Errors</h3>\n<p class="errors">{" ".join(error_link(schema, name) for name in verb.errors)}</p>'


def _calling(verb: Verb) -> Iterator[str]:
    conditions = "; ".join(f"{escape(CONDITIONS.get(word, word))} (<code>{escape(word)}</code>)" for word in verb.when)
    yield "<h3>Calling it</h3>\n<ul>"
    yield f"<li>When: {conditions}.</li>"
    yield f"<li>Repeating: {escape(REPETITION.get(verb.repeat, verb.repeat))}.</li>\n</ul>"


def _example(schema: Schema, method: str, verb: Verb) -> Iterator[str]:
    sent = examples.arguments(schema, verb)
    yield "<details>\n<summary>Example</summary>"
    yield f"<pre><code>{escape(examples.command(method, verb, sent))}</code></pre>"
    yield f"<pre><code>{escape(examples.json_rpc(method, sent))}</code></pre>\n</details>"
