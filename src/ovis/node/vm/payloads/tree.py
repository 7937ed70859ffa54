"""Files and folders of a medium, checked: what comes from a request never reaches the host's own file system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ovis.node.errors import BadParameter

NAME_LIMIT = 64  # of Joliet
DEPTH_LIMIT = 8  # of ISO 9660
FILES_LIMIT = 1000
SIZE_LIMIT = 16 << 20
FORBIDDEN = set('*/:;?\\"<>|')


@dataclass
class Folder:
    """`parts` are files (bytes) and folders by name."""

    parts: dict[str, Folder | bytes] = field(default_factory=dict)

    def folders(self) -> Iterator[tuple[str, Folder]]:
        return ((name, part) for name, part in sorted(self.parts.items()) if isinstance(part, Folder))

    def files(self) -> Iterator[tuple[str, bytes]]:
        return ((name, part) for name, part in sorted(self.parts.items()) if isinstance(part, bytes))


def tree(files: Mapping[str, bytes], where: str) -> Folder:
    """Raises BadParameter for a path that leads out, is too long, or is a file and a folder at once."""
    if len(files) > FILES_LIMIT:
        raise BadParameter(where, f"{len(files)} files are too many, at most {FILES_LIMIT} are taken")
    if sum(map(len, files.values())) > SIZE_LIMIT:
        raise BadParameter(where, f"the files have more than {SIZE_LIMIT >> 20} MiB together")
    root = Folder()
    for path, data in files.items():
        *outer, name = parts = path.strip("/").split("/")
        if len(parts) > DEPTH_LIMIT:
            raise BadParameter(where, f"{path[:80]!r} is deeper than {DEPTH_LIMIT} folders")
        for part in parts:
            _check(part, path, where)
        folder = root
        for part in outer:
            inner = folder.parts.setdefault(part, Folder())
            if not isinstance(inner, Folder):
                raise BadParameter(where, f"{path[:80]!r}: {part} is a file")
            folder = inner
        if name in folder.parts or name.lower() in (other.lower() for other in folder.parts):
            raise BadParameter(where, f"{path[:80]!r} is there twice")
        folder.parts[name] = data
    return root


def _check(part: str, path: str, where: str) -> None:
    fine = part.isprintable() and part not in ("", ".", "..") and not FORBIDDEN & set(part) and max(part) <= "\uffff"
    if not fine or len(part) > NAME_LIMIT:
        raise BadParameter(where, f"{path[:80]!r} is no path of a file on a medium")


def short_name(name: str, taken: set[str]) -> tuple[str, str]:
    """Eight characters and three that no other has; for systems that know no long names."""
    base, _, ending = name.upper().rpartition(".") if "." in name.strip(".") else (name.upper(), "", "")
    base, ending = _plain(base)[:8] or "_", _plain(ending)[:3]
    number, candidate = 0, base
    while f"{candidate}.{ending}" in taken:
        number += 1
        candidate = f"{base[: 7 - len(str(number))]}_{number}"
    taken.add(f"{candidate}.{ending}")
    return candidate, ending


def _plain(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text)
