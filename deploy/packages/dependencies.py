"""What the packages need of the distribution, from dependencies.txt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("dependencies.txt")
_WEAK = "recommended"


@dataclass(frozen=True)
class Dependency:
    debian: str
    red_hat: str | None
    is_needed: bool


def dependencies() -> list[Dependency]:
    return list(_parsed(LIST.read_text(encoding="utf-8")))


def _parsed(text: str) -> Iterator[Dependency]:
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        is_needed = words[0] != _WEAK
        debian, red_hat = words if is_needed else words[1:]
        yield Dependency(debian, None if red_hat == "-" else red_hat, is_needed)
