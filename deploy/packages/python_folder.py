"""/usr/lib/ovis: a virtual environment of the distribution's Python with all that uv.lock names, and the agent.

bin/python3 -> /usr/bin/python3.11      what sys.executable is, so that `-m ovis...` finds the agent in children too
pyvenv.cfg                              none of the distribution's own modules
lib/python3.11/site-packages            wheels, bytecode included: nobody may write here later
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from deploy.setup.python_environment import EXTRAS, ROOT, UV, system_python
from deploy.setup.steps import StepFailed, announce, command

PLACE = Path("usr/lib/ovis")
PROGRAMS = {
    "ovis": "ovis.shell.main",
    "ovisd": "ovis.node.main",
    "ovis-privileged": "ovis.node.privileged.main",
    "ovis-restore-networks": "ovis.node.privileged.restore_networks",
}
"""As in pyproject.toml; each has a function `main`."""
_LAUNCHER = """\
#!/{place}/bin/python3 -I
import sys

from {module} import main

sys.exit(main())
"""
# Notes of the installer, with paths and times, and sources of extensions: of no use where nothing is compiled.
_UNWANTED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
_SOURCES = (".pyx", ".pxd", ".pxi", ".c", ".h", ".cpp")
_CACHE = ROOT / "build/package-site"


@dataclass(frozen=True)
class Interpreter:
    path: Path
    version: tuple[int, int]

    @property
    def name(self) -> str:
        return "python{}.{}".format(*self.version)


def interpreter() -> Interpreter:
    """The distribution's own. Raises StepFailed: it is older than 3.11."""
    found = system_python()
    if found is None:
        raise StepFailed("packages are for the distribution's python3, which must be 3.11 or later")
    words = command([found, "-c", "import sys; print(*sys.version_info[:2])"], deadline=30).split()
    version = int(words[0]), int(words[1])
    return Interpreter(Path("/usr/bin/python{}.{}".format(*version)), version)


def libraries(python: Interpreter) -> Path:
    """A folder with what uv.lock names, kept for the next time; it is complete or not there. Raises StepFailed."""
    wanted = hashlib.sha256((ROOT / "uv.lock").read_bytes() + str(python).encode()).hexdigest()[:16]
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:  # tests in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_CACHE / wanted).is_dir():
            _gather(python, _CACHE / wanted)
    return _CACHE / wanted


def _gather(python: Interpreter, folder: Path) -> None:
    announce("gathering the locked Python packages (libvirt-python is compiled)")
    unfinished = _CACHE / "unfinished"
    for old in (path for path in _CACHE.iterdir() if path.is_dir()):
        shutil.rmtree(old)
    unfinished.mkdir()
    names = unfinished / "requirements.txt"
    command(
        [UV, "export", "-q", "--frozen", "--no-dev", "--no-emit-project", *EXTRAS, "--project", ROOT, "-o", names],
        deadline=60,
    )
    exactly: list[str | Path] = ["--no-deps", "--require-hashes", "--link-mode", "copy", "-r", names]
    line = [UV, "pip", "install", "-q", "--python", python.path, "--target", unfinished / "site", *exactly]
    command(line, deadline=600, advice="Can this machine reach the Python package index?")
    (unfinished / "site").rename(folder)


def agent(scratch: Path) -> Path:
    """The project's own wheel."""
    command([UV, "build", "-q", "--wheel", "--out-dir", scratch, ROOT], deadline=120)
    (wheel,) = scratch.glob("*.whl")
    return wheel


def make(tree: Path, python: Interpreter, site: Path, wheel: Path) -> None:
    """Fill the package's tree with the environment and its programs."""
    home = tree / PLACE
    target = home / "lib" / python.name / "site-packages"
    shutil.copytree(site, target, ignore=_left_out)
    shutil.rmtree(target / "bin", ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    for path in target.rglob("*"):
        if path.is_file() and path.suffix != ".so":
            path.chmod(0o644)  # some are published as if they were programs
    for path in target.glob("*.dist-info/*"):
        if path.name in _UNWANTED:
            path.unlink()
    (home / "bin").mkdir()
    (home / "bin/python3").symlink_to(python.path)
    version = "{}.{}".format(*python.version)
    settings = f"home = {python.path.parent}\ninclude-system-site-packages = false\nversion = {version}\n"
    (home / "pyvenv.cfg").write_text(settings, encoding="utf-8")
    programs = tree / "usr/bin"
    programs.mkdir(parents=True)
    for name, module in PROGRAMS.items():
        (programs / name).write_text(_LAUNCHER.format(place=PLACE, module=module), encoding="utf-8")
        (programs / name).chmod(0o755)
    _compile(tree, target, python)


def _left_out(folder: str, names: list[str]) -> set[str]:
    return {n for n in names if n == "__pycache__" or n.endswith(_SOURCES) or n in (".lock", ".gitignore")}


def _compile(tree: Path, target: Path, python: Interpreter) -> None:
    """Bytecode is not compared with its source's time: a package manager may set another."""
    line = [str(python.path), "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(
        [*line, "-s", str(tree), "-p", "/", str(target)],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise StepFailed(f"bytecode could not be made: {done.stdout[-500:]}{done.stderr[-500:]}")
