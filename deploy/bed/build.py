"""Building the image of the bed: a minute or two, from Debian packages alone."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from deploy.bed import kernels, tree
from deploy.bed.apt import BuildFailed, Mirror, command, mirror
from deploy.bed.image import Image, ImageMissing, built, cache_folder, place
from deploy.bed.kernels import FAST, STABLE, Kernel
from deploy.bed.machine import Bed, BedSettings

_KEPT = 2  # images: those of other branches of the tree are often wanted again

# libvirt looks at QEMU for seconds when it first starts, and keeps what it saw.
_PRIME = """
set -e
/run/bed/service libvirt
virsh -c qemu:///system domcapabilities --virttype qemu > /dev/null
rm -rf /var/log/libvirt/*.log /etc/machine-id
sync
"""


def ensure(*, say: Callable[[str], None] = print) -> Image:
    """The image; built where it is missing. Raises BuildFailed."""
    try:
        return built()
    except ImageMissing:
        cache = cache_folder()
        cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache):
        try:
            return built()  # another process was quicker
        except ImageMissing:
            started = time.monotonic()
            say(f"building the test bed in {cache}, once; it takes a minute or two ...")
            _build(place())
            say(f"the test bed was built in {time.monotonic() - started:.0f} s")
        _drop_old(cache)
    return built()


def _build(home: Path) -> None:
    for left in home.parent.glob("building-*"):  # of a build that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix="building-", dir=home.parent) as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        image = Image(scratch / "image")
        image.folder.mkdir()
        source = mirror()
        root = scratch / "root"
        with ThreadPoolExecutor(1) as other:  # one waits for the mirror while the other unpacks
            fetching = other.submit(_kernels, source, scratch, image.folder)
            tree.bootstrap(source, root)
            found = fetching.result()
        tree.complete(root, found)
        command(
            [
                "mke2fs",
                "-q",
                "-F",
                "-t",
                "ext4",
                "-O",
                "^has_journal",
                "-m",
                "0",
                "-d",
                str(root),
                str(image.disk),
                "8G",
            ]
        )
        with Bed(BedSettings("prime", writes_to_image=True), image) as bed:
            bed.run(["bash", "-c", _PRIME], deadline=300)
        image.folder.rename(home)


def _kernels(source: Mirror, scratch: Path, image: Path) -> list[Kernel]:
    """Raises BuildFailed when there is neither."""
    found = []
    for name, fetch in ((FAST, kernels.fetch_fast), (STABLE, kernels.fetch_stable)):
        try:
            found.append(fetch(source, scratch / f"fetch-{name}", image / name))
        except BuildFailed as error:
            shutil.rmtree(image / name, ignore_errors=True)
            print(f"no {name} kernel for the bed: {error}", flush=True)
    if not found:
        raise BuildFailed("there is no user-mode Linux kernel to be had")
    return found


def _drop_old(cache: Path) -> None:
    """A bed that still runs from a removed image keeps its files open."""
    images = [path for path in cache.iterdir() if (path / "root.img").exists()]
    for old in sorted(images, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
