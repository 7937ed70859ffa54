"""Which tests on real guests call a verb: read from the tests themselves, so that nobody has to keep a list.

A test calls what it calls itself, what its fixtures do, and what the functions and methods do that it uses, as far as
they are in the same folder. A call is an attribute of a client: `node.vm.pause(...)`, `agent.host.get_vm_list(...)`.
For a verb that cannot be called on machines without certain hardware a line in `needs.yaml` beside the tests says what.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from ovis.schema import Schema
from ovis.schema.naming import snake

NEEDS = "needs.yaml"


@dataclass(frozen=True)
class Test:
    file: str
    name: str


@dataclass(frozen=True)
class Proofs:
    """`tests` by verb, the most direct first. `needs`: what a verb needs that no test machine has."""

    tests: dict[str, tuple[Test, ...]]
    needs: dict[str, str]


@dataclass(frozen=True)
class _Function:
    name: str
    calls: frozenset[str]
    uses: frozenset[str]


def read(folder: Path, schema: Schema) -> Proofs:
    """Of the tests in this folder. Raises SyntaxError for what is no Python."""
    verbs = {
        (snake(klass), snake(verb)): f"{klass}.{verb}" for klass, of in schema.classes.items() for verb in of.verbs
    }
    modules = {path: list(_functions(path, verbs)) for path in sorted(folder.glob("*.py"))}
    helpers = [function for path, functions in modules.items() for function in functions if not _is_test(path)]
    found: dict[str, list[tuple[int, Test]]] = {}
    for path, functions in modules.items():
        if not _is_test(path):
            continue
        known: dict[str, list[_Function]] = {}
        for function in [*functions, *helpers]:
            known.setdefault(function.name, []).append(function)
        for function in functions:
            if function.name.startswith("test"):
                for verb, distance in _reach(function, known).items():
                    found.setdefault(verb, []).append((distance, Test(path.name, function.name)))
    return Proofs(
        {verb: tuple(test for _, test in sorted(tests, key=lambda t: t[0])) for verb, tests in sorted(found.items())},
        _needs(folder / NEEDS),
    )


def _is_test(path: Path) -> bool:
    return path.name.startswith("test_")


def _needs(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {str(verb): str(why) for verb, why in found.items()}


def _functions(path: Path, verbs: dict[tuple[str, str], str]) -> Iterator[_Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = {
                verb
                for part in ast.walk(node)
                if isinstance(part, ast.Attribute)
                and isinstance(part.value, ast.Attribute)
                and (verb := verbs.get((part.value.attr, part.attr))) is not None
            }
            named = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            named |= {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
            named |= {argument.arg for argument in node.args.args}
            yield _Function(node.name, frozenset(calls), frozenset(named))


def _reach(test: _Function, known: dict[str, list[_Function]]) -> dict[str, int]:
    """The verbs that a test comes to, with the number of functions in between."""
    found: dict[str, int] = {}
    seen = {test.name}
    front, distance = [test], 0
    while front:
        for function in front:
            for verb in function.calls:
                found.setdefault(verb, distance)
        names = {name for function in front for name in function.uses} - seen
        seen |= names
        front, distance = [function for name in sorted(names) for function in known.get(name, [])], distance + 1
    return found
