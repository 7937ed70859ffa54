"""Rules, evaluated: with their own names, operators and entities, and nothing of Python's.

Names are looked for from the innermost call outwards; a call and a `let` have names of their own. What rules may take
is limited: steps, seconds, depth of calls, sizes of numbers and texts. So rules of anybody end, whatever they say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import methodcaller

from ovis.node.policy.entities import Entity, Unknown, Value, Watched
from ovis.node.policy.errors import NoValue, Place, RuleError
from ovis.node.policy.operators import OPERATORS, TAKES_NIL, checked, told
from ovis.node.policy.reader import Block, Call, Expression, Literal, Name

SAID_MOST = 200


@dataclass(frozen=True)
class Limits:
    steps: int = 1_000_000
    seconds: float = 5.0
    depth: int = 120
    """Expressions within each other while they are evaluated: at most six of Python's own calls each."""


@dataclass(frozen=True)
class Function:
    name: str
    parameters: tuple[str, ...]
    body: Expression


@dataclass
class Evaluator:
    """`names`: known from the beginning. One evaluator holds what all rules of one round share."""

    names: dict[str, Value]
    limits: Limits = Limits()
    clock: Callable[[], float] = time.monotonic
    said: list[str] = field(default_factory=list)
    """What rules wanted to be told (debug), and guests that were left out."""

    def __post_init__(self) -> None:
        self._scopes: list[dict[str, Value]] = [self.names]
        self._steps = self._depth = 0
        self._until = self.clock() + self.limits.seconds

    def run(self, rules: Sequence[Expression]) -> list[Value]:
        """What each is worth. Raises RuleError."""
        return [self.evaluate(rule) for rule in rules]

    def evaluate(self, given: Expression) -> Value:
        if isinstance(given, Literal):
            return given.value
        if isinstance(given, Name):
            return self._lookup(given.text, given.place)
        self._count(given.place)
        self._depth += 1
        try:
            return self._last(given.parts) if isinstance(given, Block) else self._call(given.parts, given.place)
        finally:
            self._depth -= 1

    # Names

    def _lookup(self, text: str, place: Place) -> Value:
        if text == "nil":
            return None
        first, *rest = text.split(".")
        found = self._scope_of(first, place)[first]
        for name in rest:
            found = _reached(found, place, methodcaller("read", name))
        return found

    def _scope_of(self, name: str, place: Place) -> dict[str, Value]:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope
        raise RuleError(place, f"{name} is not defined")

    def _within(self, names: dict[str, Value], parts: Sequence[Expression]) -> Value:
        self._scopes.append(names)
        try:
            return self._last(parts)
        finally:
            self._scopes.pop()

    # Calls

    def _call(self, parts: Sequence[Expression], place: Place) -> Value:
        if not parts or not isinstance(parts[0], Name):
            raise RuleError(place, "a call begins with a name or an operator")
        name, given = parts[0].text, parts[1:]
        if name in _FORMS:
            return _FORMS[name](self, given, place)
        if name in OPERATORS:
            return self._operate(name, given, place)
        if "." in name:
            whose, _, method = name.rpartition(".")
            target = self._lookup(whose, place)
            values = [self.evaluate(part) for part in given]
            return _reached(target, place, methodcaller("call", method, values))
        function = self._lookup(name, place)
        if not isinstance(function, Function):
            raise RuleError(place, f"{name} is no function")
        if len(given) != len(function.parameters):
            raise RuleError(place, f"{name} takes {len(function.parameters)} arguments, not {len(given)}")
        values = [self.evaluate(part) for part in given]
        return self._within(dict(zip(function.parameters, values, strict=True)), (function.body,))

    def _operate(self, name: str, given: Sequence[Expression], place: Place) -> Value:
        least, most, work = OPERATORS[name]
        if not least <= len(given) <= most:
            raise RuleError(place, f"{name} does not take {len(given)} arguments")
        values = [self.evaluate(part) for part in given]
        if name not in TAKES_NIL and None in values:
            raise NoValue(place, f"{name} of a value that is not known (nil)")
        try:
            return checked(work(*values), place)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise RuleError(place, f"({name} {' '.join(map(told, values))}): {error}") from error

    def _last(self, parts: Sequence[Expression]) -> Value:
        found: Value = None
        for part in parts:
            found = self.evaluate(part)
        return found

    def _count(self, place: Place) -> None:
        self._steps += 1
        if self._steps > self.limits.steps:
            raise RuleError(place, f"the rules have taken more than {self.limits.steps} steps")
        if self._steps % 1000 == 0 and self.clock() > self._until:
            raise RuleError(place, f"the rules have taken more than {self.limits.seconds:g} s")
        if self._depth >= self.limits.depth:
            raise RuleError(place, f"more than {self.limits.depth} calls within each other")

    # Forms: their arguments are not all evaluated, or not at once

    def _if(self, given: Sequence[Expression], place: Place) -> Value:
        if len(given) not in (2, 3):
            raise RuleError(place, "if takes a condition, what is then done, and what else")
        if self.evaluate(given[0]):
            return self.evaluate(given[1])
        return self.evaluate(given[2]) if len(given) == 3 else None

    def _and(self, given: Sequence[Expression], place: Place) -> Value:
        return self._until_is(False, given, place)

    def _or(self, given: Sequence[Expression], place: Place) -> Value:
        return self._until_is(True, given, place)

    def _until_is(self, decisive: bool, given: Sequence[Expression], place: Place) -> Value:
        if not given:
            raise RuleError(place, "and, or take at least one argument")
        value: Value = None
        for part in given:
            value = self.evaluate(part)
            if bool(value) is decisive:
                break
        return value

    def _define(self, given: Sequence[Expression], place: Place) -> Value:
        match given:
            case (Name(name, _), Call(parameters, _), body) if all(isinstance(one, Name) for one in parameters):
                names = tuple(one.text for one in parameters if isinstance(one, Name))
                self._scopes[-1][_own(name, place)] = Function(name, names, body)
                return name
        raise RuleError(place, "def takes a name, parameters in brackets, and a body")

    def _define_variable(self, given: Sequence[Expression], place: Place) -> Value:
        """One that the same scope has already keeps its value: so parameters win over defaults."""
        match given:
            case (Name(name, _), wanted):
                value = self.evaluate(wanted)
                return self._scopes[-1].setdefault(_own(name, place), value)
        raise RuleError(place, "defvar takes a name and a value")

    def _set(self, given: Sequence[Expression], place: Place) -> Value:
        match given:
            case (Name(name, _), wanted):
                scope = self._scope_of(_own(name, place), place)
                if scope is self.names and isinstance(scope[name], Entity):
                    raise RuleError(place, f"{name} cannot be set")
                scope[name] = value = self.evaluate(wanted)
                return value
        raise RuleError(place, "set takes a name and a value")

    def _let(self, given: Sequence[Expression], place: Place) -> Value:
        if not given or not isinstance(given[0], Call):
            raise RuleError(place, "let takes ((name value) ...) and what is to be done")
        names: dict[str, Value] = {}
        for pair in given[0].parts:
            match pair:
                case Call((Name(name, _), wanted), _):
                    names[_own(name, place)] = self.evaluate(wanted)
                case _:
                    raise RuleError(pair.place, "let takes pairs of a name and a value")
        return self._within(names, given[1:])

    def _with(self, given: Sequence[Expression], place: Place) -> Value:
        """A guest of which something is not known is left out, with all that was decided for it here."""
        match given:
            case (wanted, Name(name, _), body):
                items = self.evaluate(wanted)
                if items is None:
                    raise NoValue(wanted.place, "with a list that is not known (nil)")
                if not isinstance(items, list | tuple):
                    raise RuleError(wanted.place, "with takes a list")
                return [self._one(_own(name, place), item, body) for item in items]
        raise RuleError(place, "with takes a list, a name, and what is to be done with each")

    def _one(self, name: str, item: Value, body: Expression) -> Value:
        self._count(body.place)
        former = dict(item.controls) if isinstance(item, Watched) else None
        try:
            return self._within({name: item}, (body,))
        except NoValue as error:
            if former is None or not isinstance(item, Watched):
                raise
            item.controls.clear()
            item.controls.update(former)
            self._say(f"{item.name} is left out: {error}")
            return None

    def _debug(self, given: Sequence[Expression], _place: Place) -> Value:
        values = [self.evaluate(part) for part in given]
        self._say(" ".join(map(told, values)))
        return values[-1] if values else None

    def _say(self, text: str) -> None:
        if len(self.said) < SAID_MOST:
            self.said.append(text)


def _reached(target: Value, place: Place, reach: Callable[[Entity], Value]) -> Value:
    if not isinstance(target, Entity):
        raise RuleError(place, f"{told(target)} has no parts")
    try:
        return reach(target)
    except Unknown as error:
        raise RuleError(place, f"{getattr(target, 'name', 'this')} {error}") from error


def _own(name: str, place: Place) -> str:
    if "." in name or name in _FORMS or name in OPERATORS or name == "nil":
        raise RuleError(place, f"{name} cannot be given a value")
    return name


_FORMS: Mapping[str, Callable[[Evaluator, Sequence[Expression], Place], Value]] = {
    "if": Evaluator._if,
    "and": Evaluator._and,
    "or": Evaluator._or,
    "def": Evaluator._define,
    "defvar": Evaluator._define_variable,
    "set": Evaluator._set,
    "setq": Evaluator._set,
    "let": Evaluator._let,
    "with": Evaluator._with,
    "debug": Evaluator._debug,
}
