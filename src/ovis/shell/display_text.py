"""Text from a guest or another host, made harmless for a terminal."""

from __future__ import annotations


def printable(text: str, *, lines: bool = False) -> str:
    """Without control characters: a guest must not move the cursor or colour the line. `lines` keeps line ends."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or (lines and c in "\n\t") else "\N{REPLACEMENT CHARACTER}" for c in text)
