"""Pieces of HTML that several pages show: linked types, facts about a field, tables of members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

import msgspec

from ovis.schema import Schema, expressions, naming
from ovis.schema.expressions import Expression, ListOf, MapOf, Named
from ovis.schema.model import Field, TypeExpression


def type_link(schema: Schema, expression: TypeExpression | Expression) -> str:
    """`[VmDevice]` with every declared name linked to its page."""
    is_parsed = isinstance(expression, (Named, ListOf, MapOf))
    match expression if is_parsed else expressions.parse(expression):  # type: ignore[arg-type]
        case ListOf(item):
            return f"list of {type_link(schema, item)}"
        case MapOf(key, value):
            return f"map from {type_link(schema, key)} to {type_link(schema, value)}"
        case Named(name) if name in schema.types:
            return f'<a href="type-{name}.html"><code>{name}</code></a>'
        case Named(name):
            return f"<code>{escape(name)}</code>"
        case _:
            return ""


def verb_link(method: str) -> str:
    class_name, _, verb_name = method.partition(".")
    return f'<a href="class-{class_name}.html#{verb_name}"><code>{method}</code></a>'


def error_link(schema: Schema, name: str) -> str:
    number = next((n for n, e in schema.errors.items() if name in (e.name, *e.also)), None)
    shown = f"<code>{escape(name)}</code>"
    return shown if number is None else f'<a href="errors.html#e{number}">{shown}</a> <span class="dim">{number}</span>'


def table(head: Iterable[str], rows: Iterable[Iterable[str]], *, kind: str = "") -> str:
    """A table of cells that are HTML already."""
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return (
        f'<div class="wide"><table class="{kind}">\n<thead><tr>{titles}</tr></thead>\n'
        f"<tbody>\n{chr(10).join(lines)}\n</tbody>\n</table></div>"
    )


def fields_table(schema: Schema, fields: Mapping[str, Field], *, within: str = "") -> str:
    """Parameters, members or event data: name, type, facts and text of each; their anchors are `within.name`."""
    return table(
        ("Name", "Type", "Meaning"),
        (_row(schema, name, field, within) for name, field in fields.items()),
        kind="fields",
    )


def _row(schema: Schema, name: str, field: Field, within: str) -> tuple[str, str, str]:
    need = '<span class="need">needed</span>' if not field.optional else '<span class="dim">optional</span>'
    python = naming.attribute(name, field)
    python = f'<div class="dim">Python <code>{python}</code></div>' if python != name else ""
    anchor = f"{within}.{name}" if within else name
    shown = f'<code class="name" id="{escape(anchor)}">{escape(name)}</code><div>{need}</div>{python}'
    return shown, type_link(schema, field.type), f"{escape(field.doc)}{facts(field)}"


def facts(field: Field) -> str:
    """Unit, wire form, range, default and age of a field as a short list; empty when there is nothing to say."""
    said = list(_facts(field))
    return f'<ul class="facts">{"".join(f"<li>{fact}</li>" for fact in said)}</ul>' if said else ""


def _facts(field: Field) -> Iterable[str]:
    if field.unit:
        yield f'unit <a href="wire.html"><code>{escape(field.unit)}</code></a>'
    if field.wire:
        yield f'travels as <a href="wire.html"><code>{escape(field.wire)}</code></a>'
    if field.range:
        yield _range(*field.range)
    if field.format:
        yield f"format <code>{escape(field.format)}</code>"
    if field.only:
        yield "only " + ", ".join(f"<code>{escape(value)}</code>" for value in field.only)
    if field.default not in (msgspec.UNSET, None):
        yield f"default <code>{escape(msgspec.json.encode(field.default).decode())}</code>"
    if field.secret:
        yield "secret, never logged"
    yield from age(field.since, field.deprecated, field.capability)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def age(since: str, deprecated: str, capability: str = "") -> Iterable[str]:
    """Since when, and whether it is on its way out."""
    if since:
        yield f"since {escape(since)}"
    if capability:
        yield f'capability <a href="calling.html#capabilities"><code>{escape(capability)}</code></a>'
    if deprecated:
        yield f'<span class="old">deprecated since {escape(deprecated)}</span>'


def badges(items: Iterable[str]) -> str:
    return '<p class="badges">' + " ".join(f"<span>{item}</span>" for item in items) + "</p>"
