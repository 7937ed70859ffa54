"""The files of a TPM and of UEFI variables, by whoever may touch them: the agent as root, else the root helper.

Whoever writes these files does not know of the reader. So what was read counts only when nothing about the files
(names, sizes, inodes, times of change) was different afterwards from what it was before; and while a VM runs, only when
nothing had changed for `QUIET_SECONDS` before, since one change of the guest may take several writes. With `force` what
was whole without that rest is taken when there is none at the end.

Everything here blocks. A variables file has the name "" among its own files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ovis.node import durable_files
from ovis.node.vm.external_kinds import BYTES_MOST, FILES_MOST, Unreadable

QUIET_SECONDS = 1.0
TRY_SECONDS = 10.0
AGAIN_SECONDS = 0.2
NOT_COPIED = {".lock"}
"""Of swtpm: says that it runs."""

Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Found:
    """`files`: content by relative name. `signature`: of what was there as they were read."""

    files: Mapping[str, bytes]
    signature: Signature


def read(
    place: Path,
    *,
    rests: bool,
    force: bool,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """`rests`: nobody writes, so nothing need be waited for. Raises Unreadable."""
    until = now() + TRY_SECONDS
    whole: Found | None = None
    while True:
        try:
            before = signature(place)
            files = {name: _read_file(place / name) for name, *_ in before if (place / name).is_file()}
            is_whole = signature(place) == before
        except FileNotFoundError:
            if not place.exists():
                raise Unreadable(f"{place} is not there") from None
            is_whole = False  # a file was replaced meanwhile
        except OSError as error:
            raise Unreadable(f"{place} cannot be read: {error.strerror}") from error
        if is_whole:
            if not any(files.values()):
                raise Unreadable(f"{place} is empty")
            whole = Found(files, before)
            if rests or now() - max(changed for *_, changed in before) / 1e9 >= QUIET_SECONDS:
                return whole
        if now() >= until:
            break
        sleep(AGAIN_SECONDS)
    if force and whole is not None:
        return whole
    raise Unreadable("it keeps changing")


def signature(place: Path) -> Signature:
    """What tells whether anything was changed. Raises OSError, Unreadable."""
    found = []
    for path in [place, *sorted(place.rglob("*"))] if place.is_dir() else [place]:
        if path.name in NOT_COPIED:
            continue
        status = path.lstat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise Unreadable(f"{path} is neither a file nor a folder")
        found.append((str(path.relative_to(place)), status.st_ino, status.st_size, status.st_mtime_ns))
    if len(found) > FILES_MOST or sum(size for _, _, size, _ in found) > BYTES_MOST:
        raise Unreadable(f"{place} is larger than such data is")
    return tuple(found)


def _read_file(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return file.read(BYTES_MOST)


def replace_file(place: Path, data: bytes) -> None:
    """A crash leaves the former content or the new one. Raises OSError."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f".{place.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        durable_files.write(fresh, data, flags=os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        fresh.replace(place)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    durable_files.flush(place.parent)


def replace_folder(place: Path, files: Mapping[str, bytes]) -> None:
    """A folder cannot replace a full one in one step; a crash between the two leaves none, and the former beside it.

    Raises OSError.
    """
    place.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    fresh, former = (place.with_name(f".{place.name}.{end}") for end in ("new", "former"))
    for leftover in (fresh, former):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        fresh.mkdir()
        fresh.chmod(0o711)  # as libvirt has it: the TPM runs as a user who owns what is below only
        for name, data in files.items():
            path = fresh / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable_files.write(path, data, flags=os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        if place.exists():
            place.rename(former)
        fresh.rename(place)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        if former.exists() and not place.exists():
            former.rename(place)
        raise
    durable_files.flush(place.parent)
    shutil.rmtree(former, ignore_errors=True)


def remove(place: Path) -> None:
    """A file or a folder; a link is left alone. Safe to repeat. Raises OSError."""
    if place.is_symlink():
        return
    if place.is_dir():
        shutil.rmtree(place)
    elif place.is_file():
        place.unlink()
