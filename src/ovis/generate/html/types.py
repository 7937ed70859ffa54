"""The page of a type, and the list of all types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from html import escape

from ovis.generate.html.markup import age, badges, fields_table, table, type_link, verb_link
from ovis.generate.html.page import Page
from ovis.schema import Schema, expressions
from ovis.schema.model import Type

KINDS = {
    "object": "object",
    "enum": "choice of values",
    "union": "one of several forms",
    "map": "map",
    "alias": "another name",
}


def types_page(schema: Schema) -> Page:
    rows = (
        (f'<a href="type-{name}.html"><code>{name}</code></a>', escape(KINDS[declared.kind]), escape(declared.doc))
        for name, declared in sorted(schema.types.items(), key=lambda item: item[0].lower())
    )
    intro = f'<h1>Types</h1>\n<p class="lead">All {len(schema.types)} of them, by name.</p>\n'
    return Page("types.html", "Types", intro + table(("Type", "Kind", "Meaning"), rows))


def type_page(schema: Schema, name: str, declared: Type, used_by: list[str]) -> Page:
    body = [
        f'<p class="dim"><a href="types.html">Types</a></p>\n<h1><code>{name}</code></h1>',
        badges([escape(KINDS[declared.kind]), *age(declared.since, declared.deprecated, declared.capability)]),
        f'<p class="lead">{escape(declared.doc)}</p>',
        *_content(schema, declared),
        "<h2>Used by</h2>",
        f'<p class="errors">{" ".join(used_by)}</p>' if used_by else f"<p>Nothing. {escape(declared.unused)}</p>",
    ]
    return Page(f"type-{name}.html", name, "\n".join(body))


def _content(schema: Schema, declared: Type) -> Iterator[str]:
    match declared.kind:
        case "object":
            yield "<h2>Members</h2>"
            yield fields_table(schema, declared.fields) if declared.fields else "<p>None.</p>"
        case "enum":
            rows = (
                (f"<code>{escape(value) or '&nbsp;'}</code>", escape(spec.label), escape(spec.doc))
                for value, spec in declared.values.items()
            )
            yield "<h2>Values</h2>" + table(("Value", "Name", "Meaning"), rows)
        case "union":
            members = "".join(f"<li>{type_link(schema, member)}</li>" for member in declared.any_of)
            yield f"<h2>One of</h2><ul>{members}</ul>"
            yield "<p>No tag travels: the reader tells them apart by the members that are there.</p>"
        case "map":
            yield f"<p>From {type_link(schema, declared.key)} to {type_link(schema, declared.value)}.</p>"
        case _:
            yield f"<p>Stands for {type_link(schema, declared.of)}.</p>"
            if declared.pattern:
                yield f"<p>Must match <code>{escape(declared.pattern)}</code>.</p>"


def users(schema: Schema) -> dict[str, list[str]]:
    """Links to the verbs, types and events that name each type."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for method, verb in schema.verbs.items():
        fields = [*verb.params.values(), *([verb.result] if verb.result else [])]
        for name in dict.fromkeys(n for f in fields for n in expressions.names(expressions.parse(f.type))):
            found[name].append(verb_link(method))
    for user, declared in schema.types.items():
        for name in dict.fromkeys(n for e in expressions.of_type(declared) for n in expressions.names(e)):
            found[name].append(f'<a href="type-{user}.html"><code>{user}</code></a>')
    for event_name, event in schema.events.items():
        for name in dict.fromkeys(n for e in expressions.of_fields(event.params) for n in expressions.names(e)):
            found[name].append(f'<a href="events.html#{escape(event_name)}"><code>{escape(event_name)}</code></a>')
    return found
