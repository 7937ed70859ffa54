"""uv of a fixed version in build/uv, and with it the project's environment in .venv."""

import shutil
import subprocess
from pathlib import Path

from deploy.setup.steps import announce, command

ROOT = Path(__file__).resolve().parents[2]
UV_VERSION = "0.13.8"  # uv.lock was written with it
_LEAST_PYTHON = (3, 11)
UV = ROOT / "build/uv/bin/uv"
EXTRAS = ("--extra", "node", "--extra", "tracing")
_NETWORK = "Can this machine reach the Python package index?"


def install_uv() -> str:
    if UV.exists() and command([UV, "--version"], deadline=30).split()[1] == UV_VERSION:
        return f"uv {UV_VERSION} is in build/uv"
    announce(f"fetching uv {UV_VERSION}")
    home = UV.parents[1]
    python = system_python() or "python3"
    advice = "Is the venv module there (Debian: python3-venv)?"
    command([python, "-m", "venv", "--clear", home], deadline=120, advice=advice)
    command([home / "bin/python", "-m", "pip", "install", "-q", f"uv=={UV_VERSION}"], deadline=300, advice=_NETWORK)
    return f"uv {UV_VERSION} is now in build/uv"


def sync() -> str:
    """Bring .venv to what uv.lock says; what a developer added stays."""
    existed = (ROOT / ".venv/bin/python").exists()
    if not existed:
        announce("making .venv (libvirt-python is compiled)")
    command(
        [UV, "sync", "--frozen", "--inexact", "--compile-bytecode", *EXTRAS, "--project", ROOT],
        deadline=900,
        environment={} if existed else _choice_of_python(),
        advice=_NETWORK,
    )
    # our own source as well: importing the generated types from source costs a command line 60 ms more
    command([ROOT / ".venv/bin/python", "-m", "compileall", "-q", ROOT / "src/ovis"], deadline=120)
    version = command([ROOT / ".venv/bin/python", "--version"], deadline=30).strip()
    return f"{version} in .venv {'is as locked' if existed else 'was made'}"


def _choice_of_python() -> dict[str, str]:
    """The machine's own interpreter if it will do, else whichever uv finds or fetches."""
    python = system_python()
    return {"UV_PYTHON": python, "UV_PYTHON_DOWNLOADS": "never"} if python else {}


def system_python() -> str | None:
    python = shutil.which("python3", path="/usr/bin")
    if python is None:
        return None
    question = "import sys; print(*sys.version_info[:2])"
    asked = subprocess.run([python, "-c", question], capture_output=True, text=True, timeout=30, check=False)
    return python if asked.returncode == 0 and tuple(map(int, asked.stdout.split())) >= _LEAST_PYTHON else None
