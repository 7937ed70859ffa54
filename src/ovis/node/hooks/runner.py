"""Running the scripts of a point, one after the other, on a file that each may read and change.

Each script has a process group of its own, which is gone when it has ended, a bare environment, a deadline and a limit
of what it may write. The file lies in a folder of this run that only the agent's user can read.

    exit 0      done
    exit 1      failed; the scripts after it still run
    exit 2      failed; no further script runs. So does one that hangs, is killed, or cannot be started
    others      reserved: failed as with 1

Source: reference/vdsm.md, section 2.5.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovis.node import processes
from ovis.node.hooks.errors import HookFailed
from ovis.node.hooks.points import Point
from ovis.node.hooks.scripts import Script
from ovis.node.processes import Command, Flooded, Limits, Stalled

log = logging.getLogger(__name__)

IMPORTABLE = Path(__file__).parent / "importable"
OUTPUT_MOST = 16 << 20
PAYLOAD_MOST = 16 << 20
VARIABLE_MOST = 64 << 10  # Linux takes 128 KiB for one
LIMITS = Limits(memory=8 << 30, files=1024, grace=1.0)
STOPS = 2

RESERVED = {"PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "LC_ALL", "LANG", "GCONV_PATH", "vmId"}
RESERVED_BEGINNINGS = ("LD_", "PYTHON", "_hook_", "OVIS_", "BASH_FUNC_", "PERL5")


@dataclass(frozen=True)
class Outcome:
    """`payload` as the scripts left it, also when one of them failed."""

    payload: bytes
    failure: HookFailed | None = None


@dataclass(frozen=True)
class _Ended:
    status: int
    complaint: str

    @property
    def stops(self) -> bool:
        return self.status == STOPS or self.status < 0


NOT_ENDED = -1


async def run(
    point: Point,
    scripts: Sequence[Script],
    payload: bytes,
    *,
    environment: Mapping[str, str],
    folder: Path,
    seconds: float,
) -> Outcome:
    """`folder`: for the file; it must exist. `seconds`: for all scripts together. Raises OSError: nothing has run."""
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        file = place / ("hook.json" if point.payload.variable == "_hook_json" else "hook.xml")
        if point.payload.variable is not None:
            file.write_bytes(payload)
            environment = {**environment, point.payload.variable: str(file)}
        failure = await _run_all(point, scripts, environment, time.monotonic() + seconds)
        if point.payload.variable is None:
            return Outcome(b"", failure)
        try:
            return Outcome(_read(file), failure)
        except OSError as error:
            return Outcome(payload, failure or HookFailed(point.name, "", f"its file cannot be read back: {error}"))
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def _run_all(
    point: Point, scripts: Sequence[Script], environment: Mapping[str, str], until: float
) -> HookFailed | None:
    """The first failure."""
    failure = None
    # Statistics are asked for every few seconds: who asks tells what is new.
    told_at, worse = (logging.DEBUG,) * 2 if "_get_" in point.name else (logging.INFO, logging.WARNING)
    for script in scripts:
        began = time.monotonic()
        ended = await _run(script, environment, until - began)
        took = time.monotonic() - began
        if ended.status == 0:
            log.log(told_at, "hook %s/%s: done in %.3f s%s", point.name, script.name, took, ended.complaint)
            continue
        log.log(worse, "hook %s/%s failed after %.3f s: %s", point.name, script.name, took, ended.complaint)
        failure = failure or HookFailed(point.name, script.name, ended.complaint)
        if ended.stops:
            break
        if ended.status != 1:
            log.log(worse, "hook %s/%s: exit status %d has no meaning", point.name, script.name, ended.status)
    return failure


async def _run(script: Script, environment: Mapping[str, str], seconds: float) -> _Ended:
    command = Command(
        [str(script.path)], LIMITS, environment=environment, output_most=OUTPUT_MOST, leaves_daemon=True
    )  # fmt: skip
    if seconds <= 0:
        return _Ended(NOT_ENDED, "the scripts before it left no time for it")
    try:
        ended = await processes.run(command, seconds=seconds)
    except Stalled:
        return _Ended(NOT_ENDED, f"it had not ended after {seconds:.0f} s and was killed")
    except (Flooded, OSError) as error:
        return _Ended(NOT_ENDED, str(error))
    if ended.status == 0:
        return _Ended(0, f": {ended.complaint}" if ended.errors.strip() else "")
    return _Ended(ended.status, ended.complaint)


def environment_of(variables: Mapping[str, str]) -> dict[str, str]:
    """What custom properties may be called and hold: none may change how programs are found and started."""
    found = {}
    for name, value in variables.items():
        if name in RESERVED or name.startswith(RESERVED_BEGINNINGS):
            log.warning("hooks are not told of the property %s: the name is taken", name)
        elif not name or "=" in name or "\0" in name + value or not _fits(name, value):
            log.warning("hooks are not told of the property %r: it cannot be a variable", name[:60])
        else:
            found[name] = value
    found["PYTHONPATH"] = str(IMPORTABLE)
    found["PYTHONDONTWRITEBYTECODE"] = "1"
    return found


def _fits(name: str, value: str) -> bool:
    try:
        return len(os.fsencode(name)) + len(os.fsencode(value)) < VARIABLE_MOST
    except UnicodeEncodeError:
        return False


def _read(file: Path) -> bytes:
    """A script may have left anything there. Raises OSError."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as opened:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > PAYLOAD_MOST:
            raise OSError(f"it is no file, or has more than {PAYLOAD_MOST} bytes")
        return opened.read(PAYLOAD_MOST)
