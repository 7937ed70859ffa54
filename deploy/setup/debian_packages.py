"""The machine's Debian packages: those of packages.txt that are missing get installed."""

import os
import shutil
import subprocess
from pathlib import Path

from deploy.setup.steps import StepFailed, announce, command

LIST = Path(__file__).with_name("packages.txt")
_APT = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120"]
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
_NETWORK = "Can this machine reach its Debian mirror (/etc/apt)?"


def install() -> str:
    if shutil.which("dpkg-query") is None:
        return f"this is no Debian: install the counterparts of {LIST.name} yourself"
    wanted = names(LIST.read_text())
    missing = [name for name in wanted if not _is_installed(name)]
    if not missing:
        return f"all {len(wanted)} are installed"
    if os.geteuid() != 0:
        raise StepFailed(f"Only root can install what is missing. Run: sudo apt-get install {' '.join(missing)}")
    announce(f"installing {' '.join(missing)}")
    update_lists()
    command(
        [*_APT, "install", "--no-install-recommends", *missing],
        deadline=900,
        environment=_ENVIRONMENT,
        advice=_NETWORK,
    )
    return f"{len(missing)} of {len(wanted)} were missing and are installed"


def update_lists() -> None:
    command([*_APT, "update"], deadline=300, environment=_ENVIRONMENT, advice=_NETWORK)


def names(text: str) -> list[str]:
    """The package names of a list with comments."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _is_installed(name: str) -> bool:
    asked = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status}", name],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return asked.stdout == "installed"
