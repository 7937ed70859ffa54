"""Debian packages for the guest: found and fetched with apt, unpacked into a private folder, never installed."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_URI_LINE = re.compile(r"^'(?P<uri>[^']+)' (?P<file>\S+) (?P<size>\d+) (?P<digest>\S+)$", re.MULTILINE)
_APT_SECONDS = 180


class PackagesUnavailable(Exception):
    """apt does not know a package, or could not fetch it."""


@dataclass(frozen=True)
class Package:
    file: str
    digest: str

    @property
    def name(self) -> str:
        return self.file.split("_", 1)[0]


def find(names: list[str]) -> list[Package]:
    """What apt would download for these names, from its package lists alone. Raises PackagesUnavailable."""
    lines = _apt("--print-uris", "download", *names)
    found = sorted(
        (Package(m["file"], m["digest"]) for m in _URI_LINE.finditer(lines)), key=lambda package: package.file
    )
    missing = set(names) - {package.name for package in found}
    if missing:
        raise PackagesUnavailable(
            f"apt offers no {', '.join(sorted(missing))}; do its sources hold Debian's main section?"
        )
    return found


def behind(meta_package: str) -> str:
    """The first package that a meta package depends on: linux-image-cloud-amd64 -> linux-image-6.1.0-56-cloud-amd64."""
    lines = _run("apt-cache", "depends", "--important", meta_package)
    found = re.search(r"^\s+(?:Pre)?Depends: (\S+)$", lines, re.MULTILINE)
    if not found:
        raise PackagesUnavailable(f"apt does not know {meta_package}; run apt-get update")
    return found[1]


def unpack(packages: list[Package], folder: Path) -> Path:
    """Fetch the packages and unpack all of them into folder/root, which is returned. Raises PackagesUnavailable."""
    archives, root = folder / "archives", folder / "root"
    archives.mkdir()
    _apt("download", *(package.name for package in packages), cwd=archives)
    for archive in sorted(archives.iterdir()):
        _run("dpkg-deb", "--extract", str(archive), str(root))
    return root


def _apt(*arguments: str, cwd: Path | None = None) -> str:
    # As root apt would fetch as user _apt, who may not write to a private folder, and warn about it.
    return _run("apt-get", "-q", "-o", "APT::Sandbox::User=root", *arguments, cwd=cwd)


def _run(*command: str, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=_APT_SECONDS, stdin=subprocess.DEVNULL, check=True
        )
    except FileNotFoundError as error:
        raise PackagesUnavailable(f"{command[0]} is not here: the guest is built from Debian packages") from error
    except subprocess.CalledProcessError as error:
        raise PackagesUnavailable(f"{' '.join(command)}: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise PackagesUnavailable(f"{' '.join(command)} took more than {_APT_SECONDS} s") from error
    return done.stdout
