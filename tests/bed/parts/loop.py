"""Block devices made of files in memory."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bed.parts.programs import run

_SECTOR = 512
_BEFORE = 2048
"""Sectors."""
_LABEL = 1 << 20
"""LVM's label and the first metadata of a disk lie in these bytes."""


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


@contextmanager
def mapped_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk under a name in /dev/mapper, as multipath gives it to those of storage servers: the agent reads groups on
    such a disk by itself, and asks LVM only about what has changed."""
    # not from the device's beginning: LVM of the host would find one group on both
    with loop_device(folder, size + _BEFORE * _SECTOR) as below:
        name = f"disk-{uuid.uuid4().hex[:8]}"
        table = f"0 {size // _SECTOR} linear {below} {_BEFORE}"
        run("dmsetup", "create", name, "--uuid", f"mpath-{name}", "--table", table)
        try:
            yield Path("/dev/mapper") / name
        finally:
            with (Path("/dev/mapper") / name).open("r+b") as disk:
                disk.write(bytes(_LABEL))  # volumes that a test left may be active: the next one is not to see them
            run("dmsetup", "remove", "--deferred", name)
