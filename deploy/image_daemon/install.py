"""Fetch and build the daemon of a fixed version into build/image-daemon."""

import subprocess
from pathlib import Path

from deploy.setup.python_environment import ROOT
from deploy.setup.steps import announce, command

VERSION = "2.5.1"
FOLDER = ROOT / "build/image-daemon"
PROGRAM = FOLDER / "bin/ovirt-imageio"


def install() -> str:
    if _version() == VERSION:
        return f"ovirt-imageio {VERSION} is in {FOLDER.relative_to(ROOT)}"
    announce(f"building ovirt-imageio {VERSION}")
    uv = ROOT / "build/uv/bin/uv"
    command([uv, "venv", "-q", "--clear", "--python", ROOT / ".venv/bin/python", FOLDER], deadline=60)
    command([uv, "pip", "install", "-q", "--python", FOLDER / "bin/python", f"ovirt-imageio=={VERSION}"], deadline=300)
    return f"ovirt-imageio {VERSION} is now in {FOLDER.relative_to(ROOT)}"


def _version() -> str | None:
    python = FOLDER / "bin/python"
    if not python.exists():
        return None
    code = "from importlib.metadata import version; print(version('ovirt-imageio'))"
    asked = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    return asked.stdout.strip() or None


def is_installed() -> bool:
    return Path(PROGRAM).exists()
