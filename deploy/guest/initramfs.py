"""An initramfs archive in the "newc" cpio form, equal bytes for equal input.

Every entry is a 110-byte header of eight-digit hexadecimal numbers, the name with a NUL, padding to four bytes, the
data, padding to four bytes; an entry named TRAILER!!! ends the archive. Owners are root, times are zero and inode
numbers count up, so that neither the builder's user nor the clock shows in the result.
Source: linux Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import gzip
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    name: str
    mode: int
    """Type and permission bits as in stat.st_mode."""
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def directory(name: str, permissions: int = 0o755) -> Entry:
    return Entry(name, stat.S_IFDIR | permissions)


def file(name: str, data: bytes, permissions: int = 0o644) -> Entry:
    return Entry(name, stat.S_IFREG | permissions, data)


def link(name: str, target: str) -> Entry:
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def character_device(name: str, major: int, minor: int) -> Entry:
    return Entry(name, stat.S_IFCHR | 0o600, device=(major, minor))


def write(path: Path, entries: list[Entry]) -> None:
    """Write the entries gzip-compressed; missing parent directories are added, a name given twice is an error."""
    names = [entry.name for entry in entries]
    if len(set(names)) != len(names):
        raise ValueError(f"given twice: {sorted({name for name in names if names.count(name) > 1})}")
    parents = {str(parent) for name in names for parent in Path(name).parents} - {".", *names}
    ordered = sorted([*entries, *(directory(parent) for parent in parents)], key=lambda entry: entry.name)
    archive = b"".join(_encode(entry, inode) for inode, entry in enumerate(ordered, start=1))
    archive += _encode(Entry("TRAILER!!!", 0), 0)
    path.write_bytes(gzip.compress(archive, compresslevel=9, mtime=0))


def _encode(entry: Entry, inode: int) -> bytes:
    name = entry.name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    owner = group = time = check = 0
    archive_device = (0, 0)
    fields = (
        inode,
        entry.mode,
        owner,
        group,
        links,
        time,
        len(entry.data),
        *archive_device,
        *entry.device,
        len(name),
        check,
    )
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(entry.data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
