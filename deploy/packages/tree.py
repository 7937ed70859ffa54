"""The files of the packages, laid out below a folder as they will lie below /."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy.packages import python_folder
from deploy.packages.python_folder import Interpreter
from deploy.setup.python_environment import ROOT

UNITS = Path("usr/lib/systemd/system")
HOOKS = Path("usr/share/ovis/hooks")
GUEST = Path("usr/share/ovis/guest")
EMPTY = (Path("usr/libexec/vdsm/hooks"),)
"""Where administrators and other packages put hook scripts."""
_COPIED = (("deploy/systemd", UNITS), ("hooks", HOOKS), ("docs", Path("usr/share/doc/ovis")))
_SOURCES_OF_GUEST = """\
ovis-guest: a guest that boots in a second, with which the agent finds out whether KVM works. It was put together from
the Debian packages below, unchanged; their licences (GPL-2, LGPL-2.1 and others) are in each one's source package, to
be had from https://deb.debian.org/debian and https://snapshot.debian.org. What puts it together: Apache-2.0, Ovis.

"""
_COPYRIGHT = """\
Ovis: Apache-2.0, see below. Python packages that are in {place}, with their licences beside them (*.dist-info):

{packages}

"""


def lay_out_agent(tree: Path, python: Interpreter, site: Path, wheel: Path) -> None:
    python_folder.make(tree, python, site, wheel)
    for source, target in _COPIED:
        shutil.copytree(ROOT / source, tree / target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in EMPTY:
        (tree / folder).mkdir(parents=True)
    packages = "\n".join(_licences(tree / python_folder.PLACE))
    text = _COPYRIGHT.format(place=f"/{python_folder.PLACE}", packages=packages) + (ROOT / "LICENSE").read_text()
    (tree / "usr/share/doc/ovis/copyright").write_text(text, encoding="utf-8")


def lay_out_guest(tree: Path, guest: Path) -> None:
    """`guest`: the folder of a built tiny guest."""
    (tree / GUEST).mkdir(parents=True)
    for name in ("vmlinuz", "initrd.gz"):
        shutil.copyfile(guest / name, tree / GUEST / name)
    about = tree / "usr/share/doc/ovis-guest"
    about.mkdir(parents=True)
    (about / "copyright").write_text(_SOURCES_OF_GUEST + (guest / "packages").read_text(), encoding="utf-8")


def settle(tree: Path, seconds: int) -> None:
    """One time for all, and the usual permissions: two builds of one state are one package."""
    for path in [*everything(tree), tree]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (seconds, seconds), follow_symlinks=False)


def everything(tree: Path) -> list[Path]:
    return sorted(tree.rglob("*"))


def bytes_of(tree: Path) -> int:
    return sum(path.stat().st_size for path in everything(tree) if path.is_file() and not path.is_symlink())


def _licences(place: Path) -> Iterator[str]:
    for metadata in sorted(place.glob("lib/*/site-packages/*.dist-info/METADATA")):
        headers = metadata.read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
        fields = dict(line.split(": ", 1) for line in headers if ": " in line and not line.startswith(" "))
        licence = fields.get("License-Expression") or fields.get("License") or "see its folder"
        yield f"    {fields['Name']} {fields['Version']}: {licence}"
