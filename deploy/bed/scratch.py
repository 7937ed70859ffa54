"""The folders that beds write to, in memory; each belongs to the process that made it."""

import itertools
import json
import os
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from deploy.rig.processes import Process, process

_OWNER = "owner.json"
_PROCESSOR = "cpu"
_PREFIX = "ovis-bed-"
_NEEDED = 2 << 30
_NUMBERS = itertools.count(1)


def parent() -> Path:
    """OVIS_BED_DIR, else /dev/shm if a few beds' memories have room there, else the folder for temporary files."""
    if chosen := os.environ.get("OVIS_BED_DIR"):
        return Path(chosen)
    memory = Path("/dev/shm")  # noqa: S108  (the names in it are ours and hard to guess)
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _NEEDED else Path(tempfile.gettempdir())


def new(name: str) -> Path:
    owner = process(os.getpid())
    folder = parent() / f"{_PREFIX}{owner.pid}-{next(_NUMBERS)}-{name}"
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier process with our number
    folder.mkdir(mode=0o700, parents=True)
    (folder / _OWNER).write_text(json.dumps(asdict(owner)))
    return folder


def take_processor(folder: Path) -> int:
    """The CPU of this process's that fewest beds are pinned to; taken down in the bed's folder."""
    taken: Counter[int] = Counter()
    for other in parent().glob(f"{_PREFIX}*/{_PROCESSOR}"):
        with suppress(OSError, ValueError):  # it is being removed or written, just now
            taken[int(other.read_text())] += 1
    chosen = min(sorted(os.sched_getaffinity(0)), key=lambda number: taken[number])
    (folder / _PROCESSOR).write_text(str(chosen))
    return chosen


def sweep() -> None:
    """Remove what processes that were killed have left. Their beds have ended with them."""
    for folder in parent().glob(f"{_PREFIX}*"):
        try:
            owner = Process(**json.loads((folder / _OWNER).read_text()))
        except (OSError, ValueError, TypeError):
            continue  # being made or being removed, just now
        if not owner.is_alive:
            shutil.rmtree(folder, ignore_errors=True)
