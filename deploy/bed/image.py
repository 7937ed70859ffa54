"""The bed's image in the cache, complete or absent.

    CACHE/bed/KEY/root.img         the root disk, sparse ext4; beds write to a layer of their own above it
                  fast/ stable/    kernels that run as a process (one of them may be missing)
    CACHE/bed/lock                 held while it is built

CACHE is OVIS_CACHE, else ~/.cache/ovis; KEY is made from the list of packages and from what makes an image of them.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deploy.bed.kernels import FAST, STABLE, Kernel

_RECIPE = ("apt.py", "build.py", "kernels.py", "packages.txt", "tree.py")


class ImageMissing(Exception):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"no bed in {folder}: build it with python -m deploy.bed build")


@dataclass(frozen=True)
class Image:
    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "root.img"

    def kernel(self, name: str | None = None) -> Kernel:
        """The one of this name, or the best there is. Raises ImageMissing."""
        for wanted in (name,) if name else (FAST, STABLE):
            kernel = Kernel(wanted, self.folder / wanted)
            if kernel.program.is_file():
                return kernel
        raise ImageMissing(self.folder)


def cache_folder() -> Path:
    return Path(os.environ.get("OVIS_CACHE") or Path.home() / ".cache/ovis") / "bed"


@cache
def place() -> Path:
    """Where the image of today's recipe lies, or would. A process stays with one, whatever is edited meanwhile."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for name in _RECIPE:
        digest.update(f"{name}\n".encode() + (here / name).read_bytes())
    return cache_folder() / digest.hexdigest()[:16]


def built() -> Image:
    """Never builds. Raises ImageMissing."""
    image = Image(place())
    if not image.disk.is_file():
        raise ImageMissing(image.folder)
    return image
