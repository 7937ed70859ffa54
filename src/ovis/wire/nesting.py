"""How deep and how rich is a JSON text? Answered before anything recursive or expensive touches it.

The text must be valid JSON already (a skipping decode costs no memory and proves it): only then is every string closed,
which keeps the search below linear.

Most messages are answered by counting bytes. The rest is reduced to its skeleton, the signs `[ ] { } ,` outside of
strings, and that is walked. Texts with more than `SIGNS` of them or more than `QUOTES` are refused unseen, so that
64 MiB of `{"a":1},` cannot hold up the event loop for seconds. The largest real requests have some 10,000 of either.
"""

from __future__ import annotations

import re
from itertools import accumulate

SIGNS = 250_000
"""Walked in about 20 ms."""
QUOTES = 500_000
"""Cut out in about 100 ms."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_OTHERS = bytes(sign for sign in range(256) if sign not in b"[]{},")
_STEPS = bytes.maketrans(b"[{]},", b"\x01\x01\xff\xff\x00")


class TooComplex(ValueError):
    """The text nests deeper than allowed or has too many values."""


def check_nesting(data: bytes, *, depth: int) -> None:
    """Raise TooComplex unless the JSON text `data` nests at most `depth` deep."""
    if data.count(b"[") + data.count(b"{") <= depth:
        return
    skeleton = _skeleton(data).replace(b",", b"")
    if max(accumulate(memoryview(skeleton.translate(_STEPS)).cast("b"))) > depth:
        raise TooComplex(f"nested deeper than {depth}")


def check_members(data: bytes, *, members: int) -> None:
    """Raise TooComplex unless the JSON array `data` has at most `members` members."""
    if data.count(b",") < members:
        return
    level = 0
    commas = 0
    for sign, step in zip(skeleton := _skeleton(data), memoryview(skeleton.translate(_STEPS)).cast("b"), strict=True):
        level += step
        if level == 1 and sign == 0x2C:
            commas += 1
            if commas >= members:
                raise TooComplex(f"more than {members} members")


def _skeleton(data: bytes) -> bytes:
    if data.count(b'"') > QUOTES:
        raise TooComplex(f"more than {QUOTES} quotes")
    skeleton = _STRING.sub(b"", data).translate(None, _OTHERS)
    if len(skeleton) > SIGNS:
        raise TooComplex(f"more than {SIGNS} brackets and commas")
    return skeleton
