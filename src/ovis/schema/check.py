"""Applies every rule to a schema."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ovis.schema.model import Schema
from ovis.schema.rules import fields, texts, types, verbs
from ovis.schema.rules.rule import Rule

RULES: tuple[Rule, ...] = (*texts.RULES, *types.RULES, *fields.RULES, *verbs.RULES)


@dataclass(frozen=True, order=True)
class Finding:
    """Something that breaks a rule. `place` as `ovis.schema.walk` writes it."""

    place: str
    rule: str
    text: str
    is_advisory: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.text} [{self.rule}]"


def check(schema: Schema, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """What breaks a rule, rule by rule; nothing when the schema keeps them all."""
    return [Finding(place, rule.id, text, rule.is_advisory) for rule in rules for place, text in rule.find(schema)]
