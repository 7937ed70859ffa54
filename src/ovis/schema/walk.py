"""Every part of a schema with the words that name its place: `VM.create(vmID)`, `VmStats.cpuUser`, `error 44`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ovis.schema.model import Field, Schema


@dataclass(frozen=True)
class PlacedField:
    """A parameter, a member of an object or event, or a result (then `name` is empty)."""

    place: str
    holder: str
    name: str
    field: Field


@dataclass(frozen=True)
class Documented:
    """Anything that has a text. `name` and `holder` are what the text must not merely repeat."""

    place: str
    holder: str
    name: str
    doc: str


def fields(schema: Schema) -> Iterator[PlacedField]:
    """Every field there is, in the order of the files."""
    for method, verb in schema.verbs.items():
        for name, field in verb.params.items():
            yield PlacedField(f"{method}({name})", method, name, field)
        if verb.result:
            yield PlacedField(f"{method} result", method, "", verb.result)
    for type_name, declared in schema.types.items():
        for name, field in declared.fields.items():
            yield PlacedField(f"{type_name}.{name}", type_name, name, field)
    for event_name, event in schema.events.items():
        for name, field in event.params.items():
            yield PlacedField(f"event {event_name}({name})", event_name, name, field)


def documented(schema: Schema) -> Iterator[Documented]:
    """Everything that must be explained."""
    for name, klass in schema.classes.items():
        yield Documented(f"class {name}", "", name, klass.doc)
    for method, verb in schema.verbs.items():
        class_name, _, verb_name = method.partition(".")
        yield Documented(method, class_name, verb_name, verb.doc)
    for name, declared in schema.types.items():
        yield Documented(f"type {name}", "", name, declared.doc)
        for value, spec in declared.values.items():
            yield Documented(f"{name}.{value}", name, spec.label or value, spec.doc)
    for name, event in schema.events.items():
        yield Documented(f"event {name}", "", name, event.doc)
    for number, error in schema.errors.items():
        yield Documented(f"error {number}", "", error.name, error.doc)
    for name, capability in schema.capabilities.items():
        yield Documented(f"capability {name}", "", name, capability.doc)
    for placed in fields(schema):
        yield Documented(placed.place, placed.holder, placed.name, placed.field.doc)


@dataclass(frozen=True)
class Dated:
    """Anything that may say since when it is there and by which capability a client can ask for it."""

    place: str
    since: str
    capability: str


def dated(schema: Schema) -> Iterator[Dated]:
    """Everything that can be an addition."""
    for method, verb in schema.verbs.items():
        yield Dated(method, verb.since, verb.capability)
    for name, declared in schema.types.items():
        yield Dated(f"type {name}", declared.since, declared.capability)
        for value, spec in declared.values.items():
            yield Dated(f"{name}.{value}", spec.since, spec.capability)
    for name, event in schema.events.items():
        yield Dated(f"event {name}", event.since, event.capability)
    for number, error in schema.errors.items():
        yield Dated(f"error {number}", error.since, error.capability)
    for placed in fields(schema):
        yield Dated(placed.place, placed.field.since, placed.field.capability)
