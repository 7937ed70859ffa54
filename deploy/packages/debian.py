"""Debian packages: control data, maintainer scripts and dpkg-deb."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.packages.dependencies import dependencies
from deploy.packages.python_folder import Interpreter
from deploy.packages.tree import bytes_of, everything
from deploy.setup.steps import command

_SCRIPTS = Path(__file__).with_name("scripts")
_MAINTAINER = "Ovis developers <ovis@localhost>"


@dataclass(frozen=True)
class Package:
    """`about`: the first line is the summary. `scripts`: name of the maintainer script -> its text."""

    name: str
    version: str
    about: Sequence[str]
    relations: Mapping[str, Sequence[str]]
    scripts: Mapping[str, str] = field(default_factory=dict)

    def control(self, architecture: str, size: int) -> str:
        lines = [
            f"Package: {self.name}",
            f"Version: {self.version}",
            f"Architecture: {architecture}",
            f"Maintainer: {_MAINTAINER}",
            "Section: admin",
            "Priority: optional",
            f"Installed-Size: {-(-size // 1024)}",
            *(f"{kind}: {', '.join(names)}" for kind, names in self.relations.items() if names),
            f"Description: {self.about[0]}",
            *(f" {line}" for line in self.about[1:]),
        ]
        return "\n".join(lines) + "\n"


def agent(version: str, python: Interpreter, libraries: Mapping[str, str]) -> Package:
    """`libraries`: Debian's libraries that extensions were compiled against -> the least version."""
    linked = [f"{name} (>= {least})" for name, least in libraries.items()]
    known = dependencies()
    return Package(
        "ovis",
        version,
        [
            "node agent of KVM hosts, with oVirt's API",
            "Runs, watches and migrates virtual machines through libvirt, manages storage",
            "and networks of the host, and answers the calls of oVirt's engine and of",
            "vdsm-client. Its Python packages are inside, below /usr/lib/ovis.",
        ],
        {
            # the interpreter by its number: extensions and bytecode are for that one
            "Depends": [python.name, "python3", *linked, f"ovis-guest (= {version})",
                        *(d.debian for d in known if d.is_needed)],
            "Recommends": [d.debian for d in known if not d.is_needed],
            "Conflicts": ["vdsm"],
        },
        maintainer_scripts(),
    )  # fmt: skip


def guest(version: str) -> Package:
    return Package(
        "ovis-guest",
        version,
        [
            "tiny guest with which the Ovis node agent tries KVM",
            "A kernel and an initramfs made from Debian packages.",
        ],
        {},
    )


def maintainer_scripts() -> dict[str, str]:
    before, configure, remove, purge = (
        (_SCRIPTS / f"{name}.sh").read_text(encoding="utf-8")
        for name in ("before_upgrade", "configure", "remove", "purge")
    )
    return {
        # also after abort-upgrade and its like: what was stopped before is started again
        "postinst": _script(configure, "configure | abort-upgrade | abort-remove | abort-deconfigure"),
        "prerm": _script(before, "upgrade") + _when(remove, "remove"),
        "postrm": _script(purge, "purge"),
    }


def _script(text: str, calls: str) -> str:
    return "#!/bin/sh\nset -e\n" + _when(text, calls)


def _when(text: str, calls: str) -> str:
    return f'case "$1" in\n{calls})\n{text};;\nesac\n'


def build(package: Package, tree: Path, target: Path, seconds: int) -> Path:
    """The package from a settled tree, to which DEBIAN is added."""
    architecture = command(["dpkg", "--print-architecture"], deadline=30).strip()
    sums = [
        f"{_md5(path)}  {path.relative_to(tree)}"
        for path in everything(tree)
        if path.is_file() and not path.is_symlink()
    ]
    control = tree / "DEBIAN"
    size = bytes_of(tree)
    control.mkdir()
    texts = {"control": package.control(architecture, size), "md5sums": "\n".join(sums) + "\n", **package.scripts}
    for name, text in texts.items():
        (control / name).write_text(text, encoding="utf-8")
        (control / name).chmod(0o755 if name in package.scripts else 0o644)
    control.chmod(0o755)
    file = target / f"{package.name}_{package.version}_{architecture}.deb"
    command(
        ["dpkg-deb", "--root-owner-group", "-Zzstd", "--build", tree, file],
        deadline=300,
        environment={"SOURCE_DATE_EPOCH": str(seconds)},
    )
    return file


def installed_version(name: str) -> str:
    """Of a library of this machine, without what Debian added to it."""
    version = command(["dpkg-query", "--show", "--showformat=${Version}", name], deadline=30)
    return version.rpartition("-")[0] or version


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
