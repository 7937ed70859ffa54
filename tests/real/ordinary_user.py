"""Running a program as a user who is nobody: without root, groups, capabilities or the hope of getting any.

In a mount namespace of its own, in which the interpreter can be read wherever it lies, and single files that root
keeps to itself (a socket) are within reach.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

AGENT = 65534  # nobody: libvirtd wants to know the name of who calls
_SETPRIV = (
    *("setpriv", f"--reuid={AGENT}", f"--regid={AGENT}", "--clear-groups", "--no-new-privs"),
    *("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--"),
)


def as_ordinary_user(folder: Path, files: Mapping[Path, Path]) -> tuple[str, ...]:
    """What stands before the program. `files`: where something can be reached, and what; `folder` is theirs alone."""
    lines = ["set -e"]
    for number, needed in enumerate(_hidden()):
        kept, closed = folder / f"kept{number}", _closed(needed)
        lines += [
            *(f"mkdir -p {kept}", f"mount --bind {needed} {kept}", f"mount -t tmpfs -o mode=755 none {closed}"),
            *(f"mkdir -p {needed}", f"mount --move {kept} {needed}"),
        ]
    for place, file in files.items():
        place.touch()
        lines.append(f"mount --bind {file} {place}")
    lines.append('exec "$@"')
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(lines), "sh", *_SETPRIV)


def _hidden() -> list[Path]:
    """Of the interpreter's folders."""
    found: list[Path] = []
    for text in (sys.base_prefix, sys.prefix, str(Path(__file__).parents[2])):
        path = Path(text).resolve()
        if _closed(path) and not any(path.is_relative_to(other) for other in found):
            found.append(path)
    return found


def _closed(path: Path) -> Path | None:
    """The first folder on the way that others cannot enter."""
    ways = [*reversed(path.parents), path]
    return next((way for way in ways if not way.stat().st_mode & 0o001), None)
