"""The help of a verb, from the schema."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec

from ovis.schema.expressions import Expression, ListOf, Named, parse
from ovis.schema.model import ACCESS_LEVELS, CONDITIONS, REPETITION, Field, Schema, Verb
from ovis.shell.api import Shape
from ovis.shell.units import describe


def first_sentence(doc: str) -> str:
    return doc.split(". ", 1)[0].rstrip(".")


def write_verb(schema: Schema, method: str, verb: Verb, formatter: click.HelpFormatter) -> None:
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(verb.doc)
        if verb.deprecated:
            formatter.write_text(f"Deprecated since {verb.deprecated}.")
    with formatter.section("Parameters"):
        _write_parameters(schema, verb, formatter)
    with formatter.section("Result"):
        formatter.write_text(f"{_kind(schema, verb.result)}: {verb.result.doc}" if verb.result else "None.")
    with formatter.section("Call"):
        formatter.write_dl(list(_conditions(verb)), col_max=12)
    if verb.errors:
        with formatter.section("Errors"):
            formatter.write_dl(list(_errors(schema, verb)), col_max=28)


def _write_parameters(schema: Schema, verb: Verb, formatter: click.HelpFormatter) -> None:
    if not verb.params:
        formatter.write_text("None.")
        return
    required_first = sorted(verb.params.items(), key=lambda item: item[1].optional)
    rows = [(name, f"{field.doc} [{', '.join(traits(schema, field))}]") for name, field in required_first]
    formatter.write_dl(rows, col_max=22)
    for name, field in required_first:
        shape = Shape.of_field(schema, field)
        if shape.kind in {"object", "union"} and shape.fields:
            formatter.write_paragraph()
            formatter.write_text(f"Members, as {name}.member=value (* needed):")
            with formatter.indentation():
                formatter.write_dl(list(_members(schema, shape)), col_max=24)


def _members(schema: Schema, shape: Shape) -> Iterator[tuple[str, str]]:
    needed_first = sorted(shape.fields.items(), key=lambda item: item[1].optional or shape.kind == "union")
    for name, field in needed_first:
        mark = "*" if not field.optional and shape.kind == "object" else ""
        yield f"{name}{mark}", f"{first_sentence(field.doc)} [{_kind(schema, field)}]"


def traits(schema: Schema, field: Field) -> list[str]:
    found = [_kind(schema, field)]
    if field.default is not msgspec.UNSET:
        found.append(f"default {_default(field)}")
    elif not field.optional:
        found.append("required")
    if field.range:
        low, high = field.range
        found.append(f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}")
    if field.secret:
        found.append("secret")
    if field.deprecated:
        found.append(f"deprecated {field.deprecated}")
    return found


def _kind(schema: Schema, field: Field) -> str:
    """The type in a word or two: `size in MiB`, `true or false`, `cow|raw`, `list of UUID`."""
    shape = Shape.of_field(schema, field)
    if shape.kind in {"int", "uint", "float"}:
        return describe(shape.unit, shape.scale).split(",")[0].removeprefix("a ")
    if shape.kind == "boolean":
        return "true or false"
    if shape.kind == "enum" and shape.declared is not None:
        choices = "|".join(spec.label or value for value, spec in shape.declared.values.items())
        return choices if len(choices) < 60 else shape.name
    return _type_words(parse(field.type))


def _type_words(expression: Expression) -> str:
    if isinstance(expression, Named):
        return "text" if expression.name == "string" else expression.name
    if isinstance(expression, ListOf):
        return f"list of {_type_words(expression.item)}"
    return f"map of {_type_words(expression.value)} by {_type_words(expression.key)}"


def _default(field: Field) -> str:
    return msgspec.json.encode(field.default).decode()


def _conditions(verb: Verb) -> Iterator[tuple[str, str]]:
    yield "access", f"{verb.access}: {ACCESS_LEVELS.get(verb.access, '')}"
    yield "when", "; ".join(CONDITIONS.get(word, word) for word in verb.when)
    yield "repeat", REPETITION.get(verb.repeat, verb.repeat)
    yield "deadline", f"{verb.deadline:g} s"
    yield "since", verb.since


def _errors(schema: Schema, verb: Verb) -> Iterator[tuple[str, str]]:
    by_name = {name: (code, e) for code, e in schema.errors.items() for name in (e.name, *e.also)}
    for name in verb.errors:
        code, error = by_name.get(name, (None, None))
        yield (f"{name} ({code})", error.doc) if error else (name, "")
