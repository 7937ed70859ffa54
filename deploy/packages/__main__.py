"""make packages: python3 -m deploy.packages [--revision N] [--out FOLDER]"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.guest import tiny_guest
from deploy.packages import debian, python_folder, rpm, tree
from deploy.packages.python_folder import Interpreter
from deploy.setup.python_environment import ROOT
from deploy.setup.steps import StepFailed, command

_LINKED = ("libc6", "libgcc-s1", "libvirt0")
"""What extensions are linked with. The least version is this machine's: libvirt-python is compiled here."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make packages", description="Debian packages, and an RPM where rpmbuild is.")
    parser.add_argument("--revision", type=int, default=1, help="of the packages; upgrades need a higher one")
    parser.add_argument("--out", type=Path, default=ROOT / "build/packages")
    options = parser.parse_args(arguments)
    try:
        for line in make(options.out, options.revision):
            print(f"packages: {line}", flush=True)
    except (StepFailed, tiny_guest.GuestNotBuilt) as error:
        print(f"packages: {error}", file=sys.stderr)
        return 1
    return 0


def make(out: Path, revision: int) -> list[str]:
    """What was made, and what was not and why. Raises StepFailed, GuestNotBuilt."""
    version = f"{_version()}-{revision}"
    seconds = _last_change()
    python = python_folder.interpreter()
    guest = tiny_guest.built().kernel.parent
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("ovis*"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="ovis-packages-") as name:
        scratch = Path(name)
        agent, tiny = scratch / "agent", scratch / "guest"
        tree.lay_out_agent(agent, python, python_folder.libraries(python), python_folder.agent(scratch))
        tree.lay_out_guest(tiny, guest)
        for folder in (agent, tiny):
            tree.settle(folder, seconds)
        lines = [_rpm(version, python, agent, out, scratch / "rpm", seconds)]
        linked = {library: debian.installed_version(library) for library in _LINKED}
        for package, folder in ((debian.agent(version, python, linked), agent), (debian.guest(version), tiny)):
            file = debian.build(package, folder, out, seconds)
            lines.append(f"{_shown(file)}, {file.stat().st_size / 1e6:.1f} MB")
    return lines


def _rpm(version: str, python: Interpreter, agent: Path, out: Path, scratch: Path, seconds: int) -> str:
    spec = out / "ovis.spec"
    spec.write_text(rpm.spec(version, python, agent), encoding="utf-8")
    if shutil.which("rpmbuild") is None:
        return f"{_shown(spec)}; no RPM: rpmbuild is not here (package rpm or rpm-build)"
    file = rpm.build(spec, agent, out, scratch, seconds)
    return f"{_shown(file)}, for systems with this machine's Python and libraries"


def _version() -> str:
    return command([ROOT / ".venv/bin/python", "-c", "import ovis; print(ovis.__version__)"], deadline=30).strip()


def _last_change() -> int:
    """When the sources were committed: the time of all files in the packages."""
    asked = subprocess.run(
        ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"], capture_output=True, text=True, timeout=30, check=False
    )
    return int(asked.stdout) if asked.returncode == 0 else int((ROOT / "pyproject.toml").stat().st_mtime)


def _shown(file: Path) -> str:
    return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)


if __name__ == "__main__":
    sys.exit(main())
