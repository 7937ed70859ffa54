"""What a client of an older version of the API would notice: what breaks between a published schema and today's.

What travels is compared, not how it is called in the files: types are followed from the verbs and events that use them,
through aliases and named maps, so a renamed type of the same shape breaks nobody. Direction matters. What callers send
(parameters) may become easier to satisfy: a required member optional, a range wider, an enum longer. What they read
(results, events) may become richer: new members, an optional one always there. Where a rule could go either way:

- A result member that was always there and becomes optional is a break: readers index it without asking.
- A new enum value is an addition even in a result: readers bear values they do not know (`ovis.client.choices`). A new
  member of a union in a result is a break: no older reader has a shape to read it into.
- A changed default is a break in both directions: it changes what silence means.
- A shorter deadline is no break: the server may always answer "too late", and callers set their own.
- A verb that lists other errors than before is no break; an error number that vanishes or changes its name is one.
- Anything added says `since` (a version after the published one) and names a `capability` in the append-only list; what
  is inside an added thing came with it and needs neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import msgspec

from ovis.schema import expressions, shapes
from ovis.schema.expressions import Expression, ListOf, MapOf, Named
from ovis.schema.model import Error, Event, Field, Schema, Type, TypeExpression, Verb

RULES = {
    "class-removed": "its verbs are called by name",
    "verb-removed": "callers still call it",
    "parameter-removed": "callers still send it and would be refused",
    "member-removed": "callers still send it, readers still look for it",
    "value-removed": "callers still send it, readers still compare with it",
    "union-member-removed": "callers still send it",
    "union-member-added": "older readers have no shape to read it into",
    "event-removed": "subscribers wait for it",
    "error-removed": "clients act on its number or name",
    "error-renamed": "clients act on its name, and a number means one thing for ever",
    "retyped": "what travels has another form",
    "result-changed": "a verb that gave something gives nothing now, or the other way round",
    "required-added": "older callers do not send it",
    "became-required": "older callers may leave it out",
    "became-optional": "older readers count on it",
    "default-changed": "silence would mean something else",
    "unit-changed": "numbers would be read wrongly",
    "wire-changed": "the value travels in another form",
    "pattern-changed": "a value that was right is refused by one of the two sides",
    "range-narrowed": "older callers send what is now refused",
    "range-widened": "older readers refuse what may now come",
    "access-raised": "callers lose the right to call it",
    "condition-added": "a call that was allowed is refused",
    "repetition-changed": "a caller whose connection broke would do the wrong thing",
    "subject-changed": "receivers cut the subject off the event's name",
    "addition-undated": "readers must see since when they may use it: a version after the published one",
    "addition-without-capability": "clients ask for capabilities, they do not compare versions",
    "capability-changed": "the list of capabilities is only ever appended to",
}

_ACCESS_ORDER = ("observe", "operate", "administer")


@dataclass(frozen=True, order=True)
class Break:
    """One change that an older client notices. `place` as `ovis.schema.walk` writes it."""

    place: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text} [{self.rule}: {RULES[self.rule]}]"


class Direction(Enum):
    SENT = "sent by callers"
    READ = "read by callers"


def compare(published: Schema, today: Schema, *, version: int) -> list[Break]:
    """Every breaking change since the published schema of that version number; each is named once."""
    comparison = _Comparison(published, today, version)
    comparison.run()
    return list(comparison.breaks.values())


class Addition(Protocol):
    @property
    def since(self) -> str: ...
    @property
    def capability(self) -> str: ...


class _Comparison:
    def __init__(self, old: Schema, new: Schema, version: int) -> None:
        self.old = old
        self.new = new
        self.version = version
        self.breaks: dict[tuple[str, str], Break] = {}
        self._compared: set[tuple[str, str, Direction]] = set()

    def run(self) -> None:
        for name, klass in self.old.classes.items():
            if name not in self.new.classes:
                self._broken(f"class {name}", "class-removed", "is gone or has another name")
                continue
            verbs = self.new.classes[name].verbs
            for verb in klass.verbs.keys() - verbs.keys():
                self._broken(f"{name}.{verb}", "verb-removed", "is gone or has another name")
        for method, new_verb in self.new.verbs.items():
            old_verb = self.old.verb(method)
            if old_verb is None:
                self._added(method, new_verb)
            elif not old_verb.unbuilt:
                self._verb(method, old_verb, new_verb)
        self._events()
        self._errors()
        self._capabilities()

    def _broken(self, place: str, rule: str, text: str) -> None:
        self.breaks.setdefault((place, rule), Break(place, rule, text))

    def _added(self, place: str, item: Addition) -> None:
        number = item.since.removeprefix("ovis-")
        if number == item.since or not number.isdigit() or int(number) <= self.version:
            self._broken(place, "addition-undated", f"was added and must say since: ovis-{self.version + 1}")
        if item.capability not in self.new.capabilities:
            self._broken(place, "addition-without-capability", "was added and must name a capability of the list")

    # --- verbs, events, errors

    def _verb(self, method: str, old: Verb, new: Verb) -> None:
        self._parameters(method, old.params, new.params)
        if old.result and new.result:
            self._field(f"{method} result", old.result, new.result, Direction.READ)
        elif (old.result is None) != (new.result is None) or old.wire_result != new.wire_result:
            self._broken(method, "result-changed", "its result has another form")
        if old.access != new.access and not _is_lowered(old.access, new.access):
            self._broken(method, "access-raised", f"needs {new.access} instead of {old.access}")
        conditions = set(new.when) - set(old.when) - {"always"}
        if conditions:
            self._broken(method, "condition-added", f"may now be called only when {', '.join(sorted(conditions))}")
        if old.repeat != new.repeat and (old.repeat, new.repeat) != ("refused", "safe"):
            self._broken(method, "repetition-changed", f"repeating it was {old.repeat} and is now {new.repeat}")

    def _parameters(self, method: str, old: Mapping[str, Field], new: Mapping[str, Field]) -> None:
        for name, field in old.items():
            if name not in new:
                self._broken(f"{method}({name})", "parameter-removed", "is gone or has another name")
            else:
                self._field(f"{method}({name})", field, new[name], Direction.SENT)
        for name in new.keys() - old.keys():
            self._new_field(f"{method}({name})", new[name], Direction.SENT)

    def _events(self) -> None:
        for name, event in self.old.events.items():
            if name not in self.new.events:
                self._broken(f"event {name}", "event-removed", "is gone or has another name")
            else:
                self._event(name, event, self.new.events[name])
        for name in self.new.events.keys() - self.old.events.keys():
            self._added(f"event {name}", self.new.events[name])

    def _event(self, name: str, old: Event, new: Event) -> None:
        if old.subject != new.subject:
            self._broken(f"event {name}", "subject-changed", f"its subject was {old.subject} and is now {new.subject}")
        for parameter, field in old.params.items():
            place = f"event {name}({parameter})"
            if parameter not in new.params:
                self._broken(place, "member-removed", "is gone or has another name")
            else:
                self._field(place, field, new.params[parameter], Direction.READ)
        for parameter in new.params.keys() - old.params.keys():
            self._new_field(f"event {name}({parameter})", new.params[parameter], Direction.READ)

    def _errors(self) -> None:
        for number, error in self.old.errors.items():
            place = f"error {number}"
            if number not in self.new.errors:
                self._broken(place, "error-removed", f"{error.name} is gone or has another number")
                continue
            lost = _names(error) - _names(self.new.errors[number])
            if lost:
                self._broken(place, "error-renamed", f"no longer stands for {', '.join(sorted(lost))}")
        for number in self.new.errors.keys() - self.old.errors.keys():
            self._added(f"error {number}", self.new.errors[number])

    def _capabilities(self) -> None:
        kept = [*self.new.capabilities.items()][: len(self.old.capabilities)]
        for (name, old), (new_name, new) in zip(self.old.capabilities.items(), kept, strict=False):
            if name != new_name or old.since != new.since:
                self._broken(f"capability {name}", "capability-changed", "was moved, renamed or dated otherwise")
        for name in [*self.old.capabilities][len(kept) :]:
            self._broken(f"capability {name}", "capability-changed", "is gone")

    # --- fields

    def _new_field(self, place: str, field: Field, direction: Direction) -> None:
        self._added(place, field)
        if direction is Direction.SENT and not field.optional:
            self._broken(place, "required-added", "was added and is not optional")

    def _field(self, place: str, old: Field, new: Field, direction: Direction) -> None:
        if direction is Direction.SENT and old.optional and not new.optional:
            self._broken(place, "became-required", "could be left out and no longer can")
        if direction is Direction.READ and new.optional and not old.optional:
            self._broken(place, "became-optional", "was always there and may now be absent")
        if _default(old) != _default(new):
            self._broken(place, "default-changed", f"the default was {_default(old)} and is now {_default(new)}")
        if old.unit != new.unit:
            self._broken(place, "unit-changed", f"the unit was {old.unit or 'none'} and is now {new.unit or 'none'}")
        if set(old.wire.split()) != set(new.wire.split()):
            self._broken(place, "wire-changed", f"it travelled as {old.wire or 'it is'}, now as {new.wire or 'it is'}")
        if set(old.only) != set(new.only):
            self._broken(place, "pattern-changed", f"was only {old.only} and is now only {new.only}")
        if old.format != new.format:
            self._broken(place, "pattern-changed", f"the format was {old.format or 'free'} and is now {new.format}")
        self._range(place, old, new, direction)
        self._type(place, old.type, new.type, direction)

    def _range(self, place: str, old: Field | Type, new: Field | Type, direction: Direction) -> None:
        old_low, old_high = old.range or (None, None)
        new_low, new_high = new.range or (None, None)
        change = f"the range was {old.range} and is now {new.range}"
        if direction is Direction.SENT and (_below(old_low, new_low) or _above(old_high, new_high)):
            self._broken(place, "range-narrowed", change)
        if direction is Direction.READ and (_below(new_low, old_low) or _above(new_high, old_high)):
            self._broken(place, "range-widened", change)

    # --- types

    def _type(
        self, place: str, old: TypeExpression | Expression, new: TypeExpression | Expression, direction: Direction
    ) -> None:
        self._aliases(place, old, new, direction)
        match shapes.resolve(self.old, old), shapes.resolve(self.new, new):
            case ListOf(old_item), ListOf(new_item):
                self._type(place, old_item, new_item, direction)
            case MapOf(old_key, old_value), MapOf(new_key, new_value):
                self._type(place, old_key, new_key, direction)
                self._type(place, old_value, new_value, direction)
            case Named(old_name), Named(new_name) if self._are_of_one_kind(old_name, new_name):
                self._named(old_name, new_name, direction)
            case old_type, new_type:
                self._broken(place, "retyped", f"was {old_type} and is now {new_type}")

    def _are_of_one_kind(self, old: str, new: str) -> bool:
        if old in self.old.types and new in self.new.types:
            return self.old.types[old].kind == self.new.types[new].kind
        return old == new

    def _aliases(
        self, place: str, old: TypeExpression | Expression, new: TypeExpression | Expression, direction: Direction
    ) -> None:
        """What an alias demands beyond its target. Where the alias itself changed, it is named instead of its users."""
        before, after = _alias(self.old, old), _alias(self.new, new)
        if before and after and before[0] == after[0]:
            place = f"type {before[0]}"
        old_alias = before[1] if before else _NO_ALIAS
        new_alias = after[1] if after else _NO_ALIAS
        if (old_alias.pattern, old_alias.format) != (new_alias.pattern, new_alias.format):
            self._broken(place, "pattern-changed", f"was {_demand(old_alias)} and is now {_demand(new_alias)}")
        self._range(place, old_alias, new_alias, direction)

    def _named(self, old_name: str, new_name: str, direction: Direction) -> None:
        pair = (old_name, new_name, direction)
        if old_name not in self.old.types or pair in self._compared:
            return
        self._compared.add(pair)
        old, new = self.old.types[old_name], self.new.types[new_name]
        match old.kind:
            case "object":
                self._object(new_name, old, new, direction)
            case "enum":
                self._enum(new_name, old, new)
            case "union":
                self._union(new_name, old, new, direction)

    def _object(self, name: str, old: Type, new: Type, direction: Direction) -> None:
        for member, field in old.fields.items():
            if member not in new.fields:
                self._broken(f"{name}.{member}", "member-removed", "is gone or has another name")
            else:
                self._field(f"{name}.{member}", field, new.fields[member], direction)
        for member in new.fields.keys() - old.fields.keys():
            self._new_field(f"{name}.{member}", new.fields[member], direction)

    def _enum(self, name: str, old: Type, new: Type) -> None:
        if _is_numeric(old) != _is_numeric(new):
            self._broken(f"type {name}", "retyped", "its values were numbers or are numbers now")
        for value in old.values.keys() - new.values.keys():
            self._broken(f"{name}.{value}", "value-removed", "is gone or has another name")
        for value in new.values.keys() - old.values.keys():
            self._added(f"{name}.{value}", new.values[value])

    def _union(self, name: str, old: Type, new: Type, direction: Direction) -> None:
        unmatched = list(new.any_of)
        for member in old.any_of:
            match = self._counterpart(member, unmatched)
            if match is None:
                self._broken(f"type {name}", "union-member-removed", f"{expressions.text(member)} is gone")
                continue
            unmatched.remove(match)
            self._type(f"type {name}", member, match, direction)
        if direction is Direction.READ:
            for member in unmatched:
                self._broken(f"type {name}", "union-member-added", f"{expressions.text(member)} may now come")

    def _counterpart(self, member: TypeExpression, candidates: list[TypeExpression]) -> TypeExpression | None:
        """The member of the same name, else of the same shape."""
        if member in candidates:
            return member
        shape = shapes.of(self.old, member)
        return next((c for c in candidates if shapes.of(self.new, c) == shape), None)


_NO_ALIAS = Type(kind="alias", doc="")


def _alias(schema: Schema, expression: TypeExpression | Expression) -> tuple[str, Type] | None:
    """The alias that an expression names, with its name."""
    name = expression.name if isinstance(expression, Named) else expression
    declared = schema.types.get(name) if isinstance(name, str) else None
    return (str(name), declared) if declared and declared.kind == "alias" else None


def _is_numeric(enum: Type) -> bool:
    return any(value.label for value in enum.values.values())


def _demand(alias: Type) -> str:
    return " ".join(filter(None, (alias.format, alias.pattern))) or "free"


def _is_lowered(old: str, new: str) -> bool:
    if old not in _ACCESS_ORDER or new not in _ACCESS_ORDER:
        return False
    return _ACCESS_ORDER.index(new) < _ACCESS_ORDER.index(old)


def _names(error: Error) -> set[str]:
    return {error.name, *error.also}


def _default(field: Field) -> object:
    return "none" if field.default is msgspec.UNSET or field.default is None else field.default


def _below(value: float | None, limit: float | None) -> bool:
    """True if values under `limit` exist from `value` on; None is open."""
    return limit is not None and (value is None or value < limit)


def _above(value: float | None, limit: float | None) -> bool:
    return limit is not None and (value is None or value > limit)
