"""What is mounted, as the kernel tells it: /proc/self/mountinfo (proc(5)). Reading it touches no file system."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Mounted:
    """`source` as it was given to mount(8)."""

    target: PurePosixPath
    source: str
    type: str


def read(file: str = "/proc/self/mountinfo") -> list[Mounted]:
    """In the order of mounting: what lies on top of another comes later. Raises OSError."""
    with open(file, encoding="utf-8", errors="surrogateescape") as table:
        return [_line(line) for line in table]


def _line(line: str) -> Mounted:
    before, _, after = line.partition(" - ")
    kind, source = after.split(" ")[:2]
    return Mounted(PurePosixPath(_unescaped(before.split(" ")[4])), _unescaped(source), kind)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
