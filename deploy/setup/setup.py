"""make setup: everything that building, testing and the demo need. Safe to repeat; quick when nothing is missing."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.guest import debian, kernel_modules, tiny_guest, tree
from deploy.image_daemon import install as image_daemon
from deploy.setup import debian_packages, python_environment
from deploy.setup.steps import Step, StepFailed, announce, command, run_all

ROOT = python_environment.ROOT


def certificate_folder() -> Path:
    if folder := os.environ.get("OVIS_PKI"):
        return Path(folder)
    return Path("/etc/ovis/pki") if os.geteuid() == 0 else Path.home() / ".config/ovis/pki"


def make_certificates() -> str:
    """A private authority and certificates for this machine; what is there and valid is kept."""
    folder = certificate_folder()
    command([ROOT / ".venv/bin/python", "-m", "ovis.wire.certificates", "--dir", folder], deadline=120)
    return f"in {folder}"


def build_guest() -> str:
    if not tiny_guest.can_build():
        return "left out: the guest is made from Debian packages and apt is not here; tests that boot it will not run"
    if (guest := tiny_guest.fresh()) is None:
        announce("building the tiny guest")
        try:
            guest = _build_with_new_lists_if_needed()
        except (debian.PackagesUnavailable, tree.LibraryMissing, kernel_modules.ModuleMissing) as error:
            raise StepFailed(str(error)) from error
    return f"in {guest.kernel.parent}"


def _build_with_new_lists_if_needed() -> tiny_guest.TinyGuest:
    try:
        return tiny_guest.build()
    except debian.PackagesUnavailable:
        if os.geteuid() != 0:
            raise
        debian_packages.update_lists()  # none yet, or so old that the mirror has moved on
        return tiny_guest.build()


STEPS = [
    Step("packages", debian_packages.install),
    Step("uv", python_environment.install_uv),
    Step("python", python_environment.sync),
    Step("certificates", make_certificates),
    Step("image transfer", image_daemon.install),
    Step("tiny guest", build_guest),
]


if __name__ == "__main__":
    sys.exit(run_all(STEPS))
