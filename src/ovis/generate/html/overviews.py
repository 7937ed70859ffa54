"""The pages beside classes and types: start, events, errors, units and wire forms, words on calling."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ovis.generate.html.markup import age, badges, fields_table, table
from ovis.generate.html.page import Page
from ovis.schema import Schema
from ovis.schema.model import ACCESS_LEVELS, CONDITIONS, REPETITION, SIZE_UNITS, SUBJECTS
from ovis.schema.units import UNITS


def start_page(schema: Schema) -> Page:
    rows = (
        (f'<a href="class-{name}.html"><code>{name}</code></a>', str(len(klass.verbs)), escape(klass.doc))
        for name, klass in schema.classes.items()
    )
    return Page(
        "index.html",
        "Start",
        f"""<h1>Ovis node API</h1>
<p class="lead">What an agent on a KVM host can be asked: {len(schema.verbs)} verbs in {len(schema.classes)} classes,
over JSON-RPC 2.0. Existing oVirt engines, SDKs and <code>vdsm-client</code> speak it unchanged.</p>
<p>A verb is called by class and name with named parameters. Press <kbd>/</kbd> to search. Sizes are bytes and times are
seconds in the clients made from this description; where something else travels, the field says so, and
<a href="wire.html">Units and wire forms</a> explains it. Who may call what, and when, is under
<a href="calling.html">Access, conditions, repeating</a>.</p>
{table(("Class", "Verbs", "About"), rows)}
<p>Made from the schema in <code>src/ovis/node/api</code>: change it there.</p>""",
    )


def events_page(schema: Schema) -> Page:
    parts = [
        "<h1>Events</h1>",
        '<p class="lead">What the agent tells its subscribers without being asked.</p>',
    ]
    for name, event in schema.events.items():
        shown = escape(name)
        parts += [
            f'<section id="{shown}" class="verb"><h2><code>{shown}</code></h2>',
            badges(age(event.since, "", event.capability)),
            f"<p>{escape(event.doc)}</p>",
            f"<p>After the name stands {escape(SUBJECTS.get(event.subject, event.subject))}.</p>",
            fields_table(schema, event.params, within=name),
            "</section>",
        ]
    return Page("events.html", "Events", "\n".join(parts))


def errors_page(schema: Schema) -> Page:
    rows = (
        (
            f'<span id="e{number}">{number}</span>',
            "<br>".join(f"<code>{escape(name)}</code>" for name in (error.name, *error.also)),
            escape(error.doc),
        )
        for number, error in sorted(schema.errors.items())
    )
    intro = '<h1>Errors</h1>\n<p class="lead">A call that fails answers one of these numbers and a message.</p>\n'
    return Page("errors.html", "Errors", intro + table(("Number", "Name", "Cause and what to do"), rows))


def wire_page() -> Page:
    sizes = {f"text {unit}": f"{size:,} bytes a piece, as text" for unit, size in SIZE_UNITS.items()}
    forms = {
        "text": 'a number or truth value as a JSON string: 42 travels as "42", true as "true"',
        **{unit: f"{size:,} bytes a piece" for unit, size in SIZE_UNITS.items()},
        **sizes,
    }
    return Page(
        "wire.html",
        "Units and wire forms",
        f"""<h1>Units and wire forms</h1>
<p class="lead">Inside the agent and in the generated clients sizes are bytes and times are seconds. The wire keeps the
forms that existing clients know; the codec converts.</p>
<h2>Wire forms</h2>
<p>A field without one travels as it is. Sizes that are no whole number of pieces are rounded down. Numbers with a
fraction that travel as text have two decimals. Where a number or truth value is meant, a reader takes it as text or as
it is. For an optional member <code>null</code> counts as absent, and so does an empty text where a number, a truth
value, a choice or an id is meant.</p>
{_definitions(forms)}
<h2>Units</h2>
{_definitions(UNITS)}
<h2>Types of values</h2>
{_definitions(PRIMITIVE_MEANINGS)}""",
    )


PRIMITIVE_MEANINGS = {
    "string": "text in UTF-8",
    "int": "whole number, 64 bits",
    "uint": "whole number from 0, 64 bits",
    "float": "number with a fraction",
    "boolean": "true or false",
    "json": "any JSON value, for free-form data only",
}


def calling_page(schema: Schema) -> Page:
    capabilities = {name: f"{c.doc} (since {c.since})" for name, c in schema.capabilities.items()}
    listed = _definitions(capabilities) if capabilities else "<p>None was added since the first published version.</p>"
    return Page(
        "calling.html",
        "Access, conditions, repeating",
        f"""<h1>Access, conditions, repeating</h1>
<p class="lead">Words that every verb uses to say who may call it, when, and whether a call may be repeated.</p>
<h2 id="access">Access levels</h2>
<p>They come with the certificate of a TLS connection or the user of the Unix socket.</p>
{_definitions(ACCESS_LEVELS)}
<h2 id="conditions">Conditions</h2>
<p>A verb may be called when all that it names are true.</p>
{_definitions(CONDITIONS)}
<h2 id="repeating">Repeating a call</h2>
<p>What a caller needs to know whose connection broke before the answer came.</p>
{_definitions(REPETITION)}
<h2 id="capabilities">Capabilities</h2>
<p>What was added to the API has a name that clients ask for; they need not compare versions.</p>
{listed}""",
    )


def _definitions(meanings: Mapping[str, str]) -> str:
    return table(
        ("Word", "Meaning"), ((f"<code>{escape(word)}</code>", escape(text)) for word, text in meanings.items())
    )
