"""The project as a bed sees it: its tree, its Python, the tiny guest; under the same paths as outside."""

from pathlib import Path

from deploy.bed.settings import Mode, Share
from deploy.guest import tiny_guest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv/bin/python"
SYSTEM = Path("/usr")
"""Here the bed has a Python of its own, Debian 12's."""
SYSTEM_PYTHON = "python3.11"
ENVIRONMENT = {
    "OVIS_IN_BED": "1",
    "PYTHONPATH": "/run/python",
    # ext4: there is more of it than of memory, it can be exported by NFS, and O_DIRECT works
    "TMPDIR": "/var/tmp",  # noqa: S108
}


def python_home() -> Path:
    """Where the interpreter of .venv is installed."""
    return PYTHON.resolve().parents[1]


def shares() -> tuple[Share, ...]:
    """Whatever is written to the project stays in the bed."""
    found = [Share(ROOT, Mode.PRIVATE)]
    if (base := python_home()) != SYSTEM:
        found.append(Share(base, Mode.READ_ONLY))
    guest = tiny_guest.cache_folder()
    if guest.is_dir():
        found.append(Share(guest, Mode.READ_ONLY))
    return tuple(found)
