"""The tiny guest: a kernel and an initramfs that boot in seconds under software emulation.

    python3 -m deploy.guest.tiny_guest        build it when needed, print where it is

It lies in the cache folder (`OVIS_CACHE`, else ~/.cache/ovis) as guest/KEY/vmlinuz and guest/KEY/initrd.gz; KEY is made
from the recipe (this folder) and the exact packages, and `guest/current` points at the newest. A build is complete or
absent: it is made beside its place and renamed.
"""

import fcntl
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.guest import debian, initramfs, tree
from deploy.guest.kernel_modules import ModuleMissing

_PACKAGE_LISTS = Path("/var/lib/apt/lists")


@dataclass(frozen=True)
class TinyGuest:
    kernel: Path
    initrd: Path


class GuestNotBuilt(Exception):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"no tiny guest in {folder}: run make setup")


def cache_folder() -> Path:
    return Path(os.environ.get("OVIS_CACHE") or Path.home() / ".cache/ovis") / "guest"


def built() -> TinyGuest:
    """The newest guest in the cache; never builds. Raises GuestNotBuilt."""
    current = cache_folder() / "current"
    guest = TinyGuest(current / "vmlinuz", current / "initrd.gz")
    if not (guest.kernel.is_file() and guest.initrd.is_file()):
        raise GuestNotBuilt(current)
    return TinyGuest(guest.kernel.resolve(), guest.initrd.resolve())


def can_build() -> bool:
    return all(shutil.which(program) for program in ("apt-get", "apt-cache", "dpkg-deb"))


def fresh() -> TinyGuest | None:
    """The newest guest if neither recipe nor apt's package lists changed since it was looked at. Costs no apt call."""
    seen = cache_folder() / "current/seen"
    try:
        guest = built()
        is_fresh = seen.read_text() == _recipe() and seen.stat().st_mtime > _PACKAGE_LISTS.stat().st_mtime
    except (GuestNotBuilt, FileNotFoundError):
        return None
    return guest if is_fresh else None


def build() -> TinyGuest:
    """Build what the cache does not hold. Raises PackagesUnavailable, LibraryMissing, ModuleMissing."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    packages = debian.find([debian.behind(tree.KERNEL), *tree.PACKAGES])
    home = cache / _key(packages)
    with _locked(cache):
        if not home.is_dir():
            _build(packages, home)
        (home / "seen").write_text(_recipe())
        _point(cache / "current", home.name)
    return built()


def _key(packages: list[debian.Package]) -> str:
    key = hashlib.sha256(_recipe().encode())
    for package in packages:
        key.update(f"{package.file} {package.digest}\n".encode())
    return key.hexdigest()[:16]


def _recipe() -> str:
    """The digest of this folder."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted(here.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            executable = bool(path.stat().st_mode & stat.S_IXUSR)
            digest.update(f"{path.relative_to(here)} {executable}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _build(packages: list[debian.Package], home: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="building-", dir=home.parent) as scratch:
        root = debian.unpack(packages, Path(scratch))
        image = Path(scratch) / "image"
        image.mkdir()
        shutil.copyfile(tree.kernel(root), image / "vmlinuz")
        initramfs.write(image / "initrd.gz", tree.entries(root))
        (image / "packages").write_text("".join(f"{package.file} {package.digest}\n" for package in packages))
        image.rename(home)


def _point(link: Path, target: str) -> None:
    if link.is_symlink() and os.readlink(link) == target:
        return
    new = link.with_name(f"{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.rename(link)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    started = time.monotonic()
    try:
        guest = fresh() or build()
    except (debian.PackagesUnavailable, tree.LibraryMissing, ModuleMissing) as error:
        print(f"tiny guest: {error}", file=sys.stderr)
        return 1
    size = (guest.kernel.stat().st_size + guest.initrd.stat().st_size) / 1e6
    print(f"{guest.kernel.parent} ({size:.0f} MB, {time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
