"""Secrets, taken out of text that leaves the host. What looks like one is masked, even when it is none."""

from __future__ import annotations

import re

MASK = "(masked)"
_WORDS = r"(?:passw(?:or)?d|passphrase|secret|token|ticket|credential|api[_-]?key|private[_-]?key|chap)"
_NAMES = rf"[\w.-]{{0,40}}{_WORDS}[\w.-]{{0,40}}"
_LOOKS_LIKE_ONE = re.compile(rf"{_WORDS}|authorization|cookie|://[^\s/]*@", re.IGNORECASE)
_KEYS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_RULES = (
    # XML: attributes of that name, and the content of elements of that name
    (re.compile(rf"(\b{_NAMES}\s*=\s*)(\"[^\"]*\"|'[^']*')", re.IGNORECASE), rf'\1"{MASK}"'),
    (re.compile(rf"(<(?:[\w.-]+:)?{_NAMES}(?:\s[^<>]*)?>)[^<]+(</)", re.IGNORECASE), rf"\1{MASK}\2"),
    # JSON: whatever text or number belongs to such a name; also inside of text that is JSON itself
    (re.compile(rf'(\\*"{_NAMES}\\*"\s*:\s*)(\\*"(?:[^"\\]|\\[^"])*\\*"|[\w.+-]+)', re.IGNORECASE), rf'\1"{MASK}"'),
    # name = value, name: value, --name value
    (re.compile(rf"(\b{_NAMES}\s*[=:]\s*)(?![\"'(])[^\s,;<>&]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"(--{_NAMES}\s+)(?!\()\S+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"(\b(?:authorization|cookie)\s*:\s*)(?:\w+\s+)?\S+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"(\w+://[^\s/:@]+:)[^\s/@]+(@)"), rf"\1{MASK}\2"),
)


def masked(text: str) -> str:
    """Keys may take several lines, everything else is looked for in those that hold a word such as password."""
    lines = _KEYS.sub(MASK, text).split("\n")
    return "\n".join(_line(line) if _LOOKS_LIKE_ONE.search(line) else line for line in lines)


def _line(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
