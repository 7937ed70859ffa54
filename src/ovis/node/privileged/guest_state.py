"""What TPMs and UEFI firmware keep for guests, in libvirt's folders, where their users alone may look.

The folders are the helper's own; in them a request names one VM's file or folder. How they are read and replaced is
told in vm/external_files.py.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

from msgspec import Struct

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request
from ovis.node.privileged.work import Work
from ovis.node.vm import external_files
from ovis.node.vm.external_kinds import FILES_MOST, Unreadable

_TPM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VARIABLES = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9_.+@-]{0,200}")


class GuestState(Struct, frozen=True):
    """`problem`: why it could not be read. No files and no problem: it is as the caller knows it."""

    problem: str = ""
    files: dict[str, bytes] = {}
    signature: tuple[tuple[str, int, int, int], ...] = ()


class ReadGuestState(Request[GuestState], frozen=True, kw_only=True):
    """`name`: the VM's id, or that of the variables file. `known`: of what was read before, which is not sent again."""

    answer: ClassVar[type] = GuestState
    seconds: ClassVar[float] = 25

    kind: Literal["tpm", "nvram"]
    name: str
    rests: bool = False
    force: bool = False
    known: tuple[tuple[str, int, int, int], ...] = ()


class WriteGuestState(Request[CommandResult], frozen=True, kw_only=True):
    """Replace it: a crash leaves the former or the new one. Of variables the one file has the name ""."""

    seconds: ClassVar[float] = 25

    kind: Literal["tpm", "nvram"]
    name: str
    files: dict[str, bytes]

    def __repr__(self) -> str:
        return f"WriteGuestState({self.kind}, {self.name})"


class RemoveGuestState(Request[CommandResult], frozen=True, kw_only=True):
    """Safe to repeat."""

    seconds: ClassVar[float] = 25

    kind: Literal["tpm", "nvram"]
    name: str


async def read_guest_state(request: ReadGuestState, work: Work) -> GuestState:
    return await asyncio.to_thread(_read, request, _place(request.kind, request.name, work))


async def write_guest_state(request: WriteGuestState, work: Work) -> CommandResult:
    place = _place(request.kind, request.name, work)
    _check(request)
    if request.kind == "nvram":
        await asyncio.to_thread(external_files.replace_file, place, request.files[""])
    else:
        await asyncio.to_thread(external_files.replace_folder, place, request.files)
    return CommandResult(0)


async def remove_guest_state(request: RemoveGuestState, work: Work) -> CommandResult:
    await asyncio.to_thread(external_files.remove, _place(request.kind, request.name, work))
    return CommandResult(0)


def _read(request: ReadGuestState, place: Path) -> GuestState:
    try:
        if request.known and external_files.signature(place) == request.known:
            return GuestState()
        found = external_files.read(place, rests=request.rests, force=request.force)
    except Unreadable as error:
        return GuestState(str(error))
    return GuestState("", dict(found.files), found.signature)


def _place(kind: str, name: str, work: Work) -> Path:
    """Raises Refused."""
    allowed, folder = (_TPM, work.rules.swtpm) if kind == "tpm" else (_VARIABLES, work.rules.nvram)
    if not allowed.fullmatch(name):
        raise Refused(f"{kind} state named {name[:80]!r}", f"it is no name of one below {folder}")
    return Path(folder) / name


def _check(request: WriteGuestState) -> None:
    """Raises Refused."""
    names = list(request.files)
    are_good = names == [""] if request.kind == "nvram" else 0 < len(names) <= FILES_MOST and all(map(_is_below, names))
    if not are_good:
        raise Refused(f"to write {request.kind} state", f"the names {names[:4]!r} are not those of such files")


def _is_below(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(name) and name == "/".join(parts) and ".." not in parts and "\0" not in name and name[0] != "/"
