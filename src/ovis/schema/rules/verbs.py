"""Rules on verbs, events and errors: the words that say how a verb behaves are known, the errors declared."""

from __future__ import annotations

import re
from collections import Counter

from ovis.schema import walk
from ovis.schema.model import ACCESS_LEVELS, CONDITIONS, REPETITION, SUBJECTS, Schema
from ovis.schema.rules.rule import Problems, Rule

LONGEST_DEADLINE = 600
PUBLISHED_VERSION = re.compile(r"ovis-\d+")
_VERSION = re.compile(r"\d+(\.\d+)+|" + PUBLISHED_VERSION.pattern)
"""Of the API as it was before (`4.5`), or a published version of this schema (`ovis-2`)."""


def unknown_access(schema: Schema) -> Problems:
    for method, verb in schema.verbs.items():
        if verb.access not in ACCESS_LEVELS:
            yield method, f"access {verb.access!r} is not one of {', '.join(ACCESS_LEVELS)}"


def unknown_condition(schema: Schema) -> Problems:
    for method, verb in schema.verbs.items():
        if not verb.when:
            yield method, "says nothing about when it may be called"
        for word in verb.when:
            if word not in CONDITIONS:
                yield method, f"when {word!r} is not one of {', '.join(CONDITIONS)}"
        if "always" in verb.when and len(verb.when) > 1:
            yield method, "`always` stands alone: a further condition contradicts it"


def unknown_repetition(schema: Schema) -> Problems:
    for method, verb in schema.verbs.items():
        if verb.repeat not in REPETITION:
            yield method, f"repeat {verb.repeat!r} is not one of {', '.join(REPETITION)}"


def bad_deadline(schema: Schema) -> Problems:
    for method, verb in schema.verbs.items():
        if not 0 < verb.deadline <= LONGEST_DEADLINE:
            yield method, f"a deadline of {verb.deadline:g} s is not between 0 and {LONGEST_DEADLINE} s"


def double_result(schema: Schema) -> Problems:
    for method, verb in schema.verbs.items():
        if verb.result and verb.wire_result is not None:
            yield method, "has a result and a `wire_result`, which is for verbs without one"


def unknown_error(schema: Schema) -> Problems:
    declared = {name for error in schema.errors.values() for name in (error.name, *error.also)}
    for method, verb in schema.verbs.items():
        for name in verb.errors:
            if name not in declared:
                yield method, f"the error {name} is not declared"
        for name, times in Counter(verb.errors).items():
            if times > 1:
                yield method, f"lists the error {name} {times} times"


def duplicate_error(schema: Schema) -> Problems:
    seen: dict[str, int] = {}
    for number, error in schema.errors.items():
        for name in (error.name, *error.also):
            if name in seen:
                yield f"error {number}", f"{name} is already the name of {seen[name]}"
            seen.setdefault(name, number)


def unknown_subject(schema: Schema) -> Problems:
    for name, event in schema.events.items():
        if event.subject not in SUBJECTS:
            yield f"event {name}", f"subject {event.subject!r} is not one of {', '.join(SUBJECTS)}"


def bad_since(schema: Schema) -> Problems:
    undated = [f"{kind} {name}" for kind, names in (("type", schema.types), ("event", schema.events)) for name in names]
    needed = {*schema.verbs, *undated}
    for item in walk.dated(schema):
        if (item.since or item.place in needed) and not _VERSION.fullmatch(item.since):
            yield item.place, f"since {item.since!r} is not a version such as 4.5 or ovis-2"


def unknown_capability(schema: Schema) -> Problems:
    for item in walk.dated(schema):
        if item.capability and item.capability not in schema.capabilities:
            yield item.place, f"the capability {item.capability} is not in the list"
    for name, capability in schema.capabilities.items():
        if not PUBLISHED_VERSION.fullmatch(capability.since):
            yield f"capability {name}", f"since {capability.since!r} is not a version such as ovis-2"


RULES = (
    Rule("unknown-access", "the bridge lets nobody in by a level it does not know", unknown_access),
    Rule("unknown-condition", "callers plan by these words; each has one meaning", unknown_condition),
    Rule("unknown-repetition", "a caller whose connection broke must know whether to call again", unknown_repetition),
    Rule("bad-deadline", "every wait has an end, and ten minutes are long enough for a call", bad_deadline),
    Rule("double-result", "only one of two results can travel", double_result),
    Rule("unknown-error", "an error travels as a number, which only a declared one has", unknown_error),
    Rule("duplicate-error", "a name stands for one number", duplicate_error),
    Rule("unknown-subject", "receivers cut the subject off the name of an event", unknown_subject),
    Rule("unknown-capability", "clients can only ask for what the list names", unknown_capability),
    Rule("bad-since", "readers must see from when on they may use a thing", bad_since),
)
