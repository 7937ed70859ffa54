"""Block devices made of files in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bed.parts.programs import run


@contextmanager
def loop_device(folder: Path, size: int) -> Iterator[Path]:
    """A device of `size` bytes, all zero."""
    file = folder / f"disk-{len(list(folder.iterdir()))}"
    with file.open("wb") as made:
        made.truncate(size)
    device = Path(run("losetup", "--find", "--show", file).strip())
    try:
        yield device
    finally:
        run("losetup", "--detach", device)
        file.unlink()
