"""The text of rules, made a tree.

    # comment to the end of the line
    (defvar limit 0.20)                       call: operator or name, then arguments
    { (set limit 0.1) limit }                 block: worth what its last part is worth
    "text"  12  -0.5  1e3  0x1F  017 (octal)  Host.mem_free  nil

Source: the language of the memory overcommitment manager (MOM), as its published policies use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ovis.node.policy.errors import Place, RuleError

LONGEST_TEXT = 256 << 10
DEEPEST = 60
_TOKEN = re.compile(
    r"""
    (?P<space>\s+|\#[^\n]*)
  | (?P<bracket>[(){}])
  | (?P<text>"[^"]*")
  | (?P<number>-?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))
  | (?P<name>[A-Za-z_][\w.]*|<<|>>|<=|>=|==|!=|[-+*/<>])
    """,
    re.VERBOSE | re.ASCII,
)
_CLOSING = {"(": ")", "{": "}"}


@dataclass(frozen=True, slots=True)
class Literal:
    value: int | float | str
    place: Place


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Call:
    parts: tuple[Expression, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Block:
    parts: tuple[Expression, ...]
    place: Place


Expression = Literal | Name | Call | Block


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: Place


def read(text: str) -> tuple[Expression, ...]:
    """Raises RuleError."""
    if len(text) > LONGEST_TEXT:
        raise RuleError(Place(1, 1), f"{len(text)} characters are more than {LONGEST_TEXT}")
    opened: list[tuple[_Token, list[Expression]]] = []
    found: list[Expression] = []
    for token in _tokens(text):
        if token.kind != "bracket":
            found.append(_single(token))
        elif token.text in _CLOSING:
            if len(opened) == DEEPEST:
                raise RuleError(token.place, f"brackets are nested more than {DEEPEST} deep")
            opened.append((token, found))
            found = []
        else:
            found = _close(token, opened, found)
    if opened:
        opening = opened[-1][0]
        raise RuleError(opening.place, f"this {opening.text} is not closed")
    return tuple(found)


def _close(token: _Token, opened: list[tuple[_Token, list[Expression]]], parts: list[Expression]) -> list[Expression]:
    """What stands around the bracket that ends here, with it."""
    if not opened or _CLOSING[opened[-1][0].text] != token.text:
        raise RuleError(token.place, f"{token.text} closes nothing")
    opening, around = opened.pop()
    kind = Call if opening.text == "(" else Block
    around.append(kind(tuple(parts), opening.place))
    return around


def _tokens(text: str) -> Iterator[_Token]:
    at, line, begin = 0, 1, 0
    while at < len(text):
        place = Place(line, at - begin + 1)
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleError(place, f"{text[at : at + 10]!r} is not understood")
        kind = str(match.lastgroup)
        if kind != "space":
            yield _Token(kind, match[0], place)
        if lines := match[0].count("\n"):
            line += lines
            begin = at + match[0].rindex("\n") + 1
        at = match.end()


def _single(token: _Token) -> Expression:
    if token.kind == "text":
        return Literal(token.text[1:-1], token.place)
    if token.kind == "number":
        return Literal(_number(token), token.place)
    return Name(token.text, token.place)


def _number(token: _Token) -> int | float:
    text = token.text
    try:
        if re.fullmatch(r"-?0[xX].*", text):
            return int(text, 16)
        if re.fullmatch(r"-?\d+", text):
            return int(text, 8 if re.fullmatch(r"-?0\d+", text) else 10)
        return float(text)
    except ValueError as error:
        raise RuleError(token.place, f"{text[:40]} is no number") from error
