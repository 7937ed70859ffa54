"""Steps that write files: a whole file of ours, or a marked section of a file that others write as well."""

from __future__ import annotations

import base64
import difflib
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovis.node.setup.errors import Conflict
from ovis.node.setup.machine import Machine
from ovis.node.setup.record import Records

BEGIN, END = "# begin of what ovis node setup wrote", "# end of what ovis node setup wrote"
_SECTION = re.compile(rf"^{BEGIN}\n.*?^{END}\n", re.MULTILINE | re.DOTALL)
KEPT = ".before-ovis"

Content = str | Callable[[Machine], str]


@dataclass(frozen=True)
class WholeFile:
    """`content` may depend on the machine. One that somebody changed after us is not overwritten."""

    name: str
    why: str
    path: str
    content: Content
    mode: int = 0o644
    afterwards: Sequence[Sequence[str]] = ()
    starts: Sequence[Sequence[str]] = ()

    def missing(self, machine: Machine, records: Records) -> list[str]:
        here, wanted = _bytes(machine, self.name, self.path), _text(self.content, machine).encode()
        if here == wanted:
            return []
        record = records.read(self.name)
        if record is not None and here is not None and not _is_ours(here, record) and here != _former(record):
            raise Conflict(
                self.name, f"{self.path} was changed since it was set up", "remove it, or leave this step out"
            )  # fmt: skip
        return _difference(self.path, here or b"", wanted)

    def apply(self, machine: Machine, records: Records) -> None:
        wanted = _text(self.content, machine).encode()
        _remember(machine, records, self.name, self.path, wanted)
        machine.write(self.path, wanted, mode=self.mode)

    def undo(self, machine: Machine, records: Records) -> list[str]:
        record = records.read(self.name)
        if record is None:
            return []
        here, former = _bytes(machine, self.name, self.path), _former(record)
        left = []
        if here is not None and _is_ours(here, record):
            _put_back(machine, self.path, record)
        elif here is not None and here != former:
            left.append(f"{self.path} was changed since and stays")
            if former is not None:
                machine.write(self.path + KEPT, former, mode=record["mode"])
                left.append(f"what it was before is in {self.path}{KEPT}")
        records.forget(self.name)
        return left


@dataclass(frozen=True)
class Section:
    """Lines between two marks; all else in the file is left alone. `is_first`: for files whose first value counts.

    `refused`: what must not stand elsewhere in the file, and what to do about it. `needs`: patterns of paths of which
    one must be there, else the service that reads the file would not start; `package`: what brings it.
    """

    name: str
    why: str
    path: str
    content: Content
    refused: str = ""
    remedy: str = ""
    needs: Sequence[str] = ()
    package: str = ""
    is_first: bool = False
    afterwards: Sequence[Sequence[str]] = ()
    starts: Sequence[Sequence[str]] = ()

    def missing(self, machine: Machine, records: Records) -> list[str]:
        if self.needs and not any(any(machine.root.glob(pattern)) for pattern in self.needs):
            raise Conflict(self.name, f"{self.package} is not installed", "install it, or leave this step out")
        here = (_bytes(machine, self.name, self.path) or b"").decode(errors="surrogateescape")
        self._refuse(_SECTION.sub("", here))
        wanted = self._wanted(here, machine)
        return [] if here == wanted else _difference(self.path, _raw(here), _raw(wanted))

    def apply(self, machine: Machine, records: Records) -> None:
        here = (_bytes(machine, self.name, self.path) or b"").decode(errors="surrogateescape")
        wanted = _raw(self._wanted(here, machine))
        _remember(machine, records, self.name, self.path, wanted)
        path = machine.path(self.path)
        machine.write(self.path, wanted, like=path.stat() if path.exists() else None)

    def undo(self, machine: Machine, records: Records) -> list[str]:
        record = records.read(self.name)
        if record is None:
            return []
        here = _bytes(machine, self.name, self.path)
        if here is not None and _is_ours(here, record):
            _put_back(machine, self.path, record)
        elif here is not None:  # others wrote as well: only what is ours goes
            rest = _raw(_SECTION.sub("", here.decode(errors="surrogateescape")))
            if rest.strip() or _former(record) is not None:
                machine.write(self.path, rest, like=machine.path(self.path).stat())
            else:
                machine.remove(self.path)
        records.forget(self.name)
        return []

    def _wanted(self, here: str, machine: Machine) -> str:
        content = _text(self.content, machine)
        if not content:
            return _SECTION.sub("", here)
        section = f"{BEGIN}\n{content.rstrip()}\n{END}\n"
        if _SECTION.search(here):
            return _SECTION.sub(lambda _: section, here, count=1)
        if self.is_first:
            return section + here
        return here + ("\n" if here and not here.endswith("\n") else "") + section

    def _refuse(self, rest: str) -> None:
        found = re.search(self.refused, rest, re.MULTILINE) if self.refused else None
        if found:
            line = rest.count("\n", 0, found.start()) + 1
            raise Conflict(self.name, f"{self.path}, line {line}, already says {found[0].strip()!r}", self.remedy)


def _text(content: Content, machine: Machine) -> str:
    return content if isinstance(content, str) else content(machine)


def _raw(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _bytes(machine: Machine, step: str, name: str) -> bytes | None:
    path = machine.path(name)
    if path.is_symlink():
        raise Conflict(step, f"{name} is a link", "put a file there, or leave this step out")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _remember(machine: Machine, records: Records, step: str, name: str, wanted: bytes) -> None:
    """Before the change: what was there, and by which digest ours is known afterwards."""
    record = records.read(step)
    if record is None:
        here = _bytes(machine, step, name)
        mode = machine.path(name).stat().st_mode & 0o7777 if here is not None else 0o644
        former = None if here is None else base64.b64encode(here).decode()
        record = {"path": name, "former": former, "mode": mode, "written": []}
    digest = hashlib.sha256(wanted).hexdigest()
    if digest not in record["written"]:
        records.write(step, {**record, "written": [*record["written"], digest]})


def _put_back(machine: Machine, name: str, record: dict[str, Any]) -> None:
    former = _former(record)
    if former is None:
        machine.remove(name)
    else:
        path: Path = machine.path(name)
        machine.write(name, former, like=path.stat())
        path.chmod(record["mode"])


def _former(record: dict[str, Any]) -> bytes | None:
    return None if record["former"] is None else base64.b64decode(record["former"])


def _is_ours(data: bytes, record: dict[str, Any]) -> bool:
    return hashlib.sha256(data).hexdigest() in record["written"]


def _difference(name: str, before: bytes, after: bytes) -> list[str]:
    return list(
        difflib.unified_diff(
            before.decode(errors="replace").splitlines(), after.decode(errors="replace").splitlines(),
            name, f"{name} (new)", lineterm="", n=0,
        )
    )  # fmt: skip
