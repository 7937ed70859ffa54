"""A machine that is a folder, with the programs that change its users; and one whose programs and writes can die."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ovis.node.setup.machine import Machine


class Killed(BaseException):
    """As kill -9: nobody stops it, and nothing is tidied up."""


@dataclass
class Fuse:
    """Dies before the change of number `at`; counts from 1."""

    at: int = 0
    done: int = 0

    def burn(self) -> None:
        self.done += 1
        if self.done == self.at:
            raise Killed


@dataclass(frozen=True)
class Tree(Machine):
    """`fuse` burns before each change of a file and each program."""

    fuse: Fuse = field(default_factory=Fuse)

    def write(self, name: str, data: bytes, *, mode: int = 0o644, like: os.stat_result | None = None) -> None:
        self.fuse.burn()
        super().write(name, data, mode=mode, like=like)

    def remove(self, name: str) -> None:
        self.fuse.burn()
        super().remove(name)

    def place(self, name: str) -> Path:
        self.fuse.burn()
        return super().place(name)

    def own(self, path: Path, user: int, group: int) -> None:
        self.fuse.burn()


@dataclass
class UserPrograms:
    """groupadd, useradd, usermod and gpasswd on the files of a tree."""

    root: Path
    fuse: Fuse

    def __call__(self, line: Sequence[str]) -> str:
        program, option, root, *words = line
        assert (option in ("--prefix", "--root"), root) == (True, str(self.root))
        self.fuse.burn()
        getattr(self, program)(words)
        return ""

    def groupadd(self, words: list[str]) -> None:
        self._append("group", f"{words[-1]}:x:{words[words.index('--gid') + 1]}:")

    def useradd(self, words: list[str]) -> None:
        number = words[words.index("--uid") + 1]
        self._append("passwd", f"{words[-1]}:x:{number}:{number}::/:/bin/false")

    def usermod(self, words: list[str]) -> None:
        self._members(words[2], lambda members: [*members, words[3]])

    def gpasswd(self, words: list[str]) -> None:
        self._members(words[2], lambda members: [m for m in members if m != words[1]])

    def _append(self, name: str, line: str) -> None:
        path = self.root / "etc" / name
        path.write_text(f"{path.read_text()}{line}\n")

    def _members(self, group: str, change: Callable[[list[str]], list[str]]) -> None:
        path = self.root / "etc/group"
        lines = [line.split(":") for line in path.read_text().splitlines()]
        for line in lines:
            if line[0] == group:
                line[3] = ",".join(change([m for m in line[3].split(",") if m]))
        path.write_text("".join(":".join(line) + "\n" for line in lines))


def make_tree(root: Path) -> Path:
    for name, text in {
        "etc/passwd": "root:x:0:0::/root:/bin/sh\nsanlock:x:104:110::/:\nlibvirt-qemu:x:64055:108::/:\n",
        "etc/group": "root:x:0:\nkvm:x:108:\nlibvirt:x:109:\nsanlock:x:110:\n",
        "etc/hostname": "host1.example\n",
        "etc/libvirt/qemu.conf": '# the distribution\'s\n#lock_manager = "lockd"\nmax_core = 0\n',
        "etc/lvm/lvmlocal.conf": "local {\n}\n",
        "etc/sanlock/sanlock.conf": "# nothing set",
        "usr/lib/x86_64-linux-gnu/libvirt/lock-driver/sanlock.so": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def tree_of(root: Path, *, dies_at: int = 0) -> Tree:
    fuse = Fuse(dies_at)
    return Tree(root, run=UserPrograms(root, fuse), can_own=False, fuse=fuse)


def contents(root: Path) -> dict[str, str]:
    """Files, links and memberships, without certificates and the agent's user: those stay."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif name == "etc/group":
            found[name] = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("ovis:"))
        elif path.is_file() and not name.startswith(("etc/ovis/pki", "etc/passwd")):
            found[name] = f"{path.stat().st_mode & 0o777:o} {path.read_text()}"
    return found
