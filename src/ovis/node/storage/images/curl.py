"""The content of one file or device to or from an HTTP address, by curl in a process with limits.

HTTP and HTTPS alone. Address and headers, either of which may hold a token, reach curl in a file in memory. A
redirection is followed only where no headers were given, as curl would send them on to wherever it leads, and never
from HTTPS to HTTP. Names are not expanded, and settings of users are not read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from ovis.node import processes
from ovis.node.processes import Command, Ended, Limits
from ovis.node.storage.leases.held import inherited, keeper
from ovis.node.storage.volumes.errors import TransferFailed

LIMITS = Limits(memory=1 << 30, is_background=True)
CONNECT_SECONDS = 60
STALL_SECONDS = 300  # without a byte
LONGEST_SECONDS = 7 * 86_400.0
FLUSH_SECONDS = 600.0
_PERCENT = re.compile(rb"(\d{1,3})\.\d%")
_RESULT = re.compile(rb"\novis (\d{3}) (\d+)\n")
_LENGTH = re.compile(rb"(?im)^content-length: *(\d{1,18})\r?$")
OnPercent = Callable[[int], None]


class Direction(StrEnum):
    UPLOAD = "upload"
    DOWNLOAD = "download"


@dataclass(frozen=True)
class Address:
    url: str
    headers: Mapping[str, str]


async def send(path: PurePosixPath, to: Address, *, on_percent: OnPercent) -> None:
    """By PUT. Raises TransferFailed."""
    await _run(["curl", "--upload-file", str(path)], to, Direction.UPLOAD, path, on_percent)


async def fetch(path: PurePosixPath, source: Address, *, limit: int, on_percent: OnPercent) -> int:
    """Replace the content by GET, and flush it. Returns the bytes that came. Raises TransferFailed, also for more than
    `limit`; then the content is undefined."""
    words = ["prlimit", f"--fsize={limit}", "--", "curl", "--max-filesize", str(limit), "--output", str(path)]
    came = await _run(words, source, Direction.DOWNLOAD, path, on_percent)
    flushed = await _processed(["sync", "--", str(path)], path, seconds=FLUSH_SECONDS)
    if flushed.status:
        raise TransferFailed(str(path), f"cannot be flushed: {flushed.complaint}")
    return came


async def length(path: PurePosixPath, source: Address) -> int | None:
    """Bytes that `fetch` would bring, as far as the server says so when it is asked for the headers alone."""
    try:
        ended, _ = await _done(["curl", "--head"], source, Direction.DOWNLOAD, path, lambda now: None)
    except TransferFailed:
        return None  # it may still answer GET
    found = _LENGTH.findall(ended.output)
    return int(found[-1]) if found else None


async def _run(
    program: Sequence[str], address: Address, direction: Direction, path: PurePosixPath, on_percent: OnPercent
) -> int:
    _, result = await _done(program, address, direction, path, on_percent)
    return int(result[2])


async def _done(
    program: Sequence[str], address: Address, direction: Direction, path: PurePosixPath, on_percent: OnPercent
) -> tuple[Ended, re.Match[bytes]]:
    def heard(chunk: bytes) -> bool:
        found = _PERCENT.findall(chunk)
        if found:
            on_percent(min(int(found[-1]), 100))
        return bool(found)

    with _as_file(_settings(address)) as descriptor:
        words = [
            *program,
            *("--disable", "--globoff", "--fail", "--progress-bar", "--stderr", "-", "--proto", "=http,https"),
            *("--connect-timeout", str(CONNECT_SECONDS), "--speed-limit", "1", "--speed-time", str(STALL_SECONDS)),
            *(
                "--config",
                f"/dev/fd/{descriptor}",
                "--write-out",
                f"\novis %{{http_code}} %{{size_{direction.value}}}\n",
            ),
        ]
        ended = await _processed(words, path, descriptor, seconds=LONGEST_SECONDS, heard=heard)
    result = _RESULT.search(ended.output)
    if ended.status or result is None or not result[1].startswith(b"2"):
        raise TransferFailed(str(path), f"{direction.value} failed: {_complaint(ended, result)}")
    return ended, result


async def _processed(
    words: Sequence[str],
    path: PurePosixPath,
    *descriptors: int,
    seconds: float,
    heard: Callable[[bytes], bool] | None = None,
) -> Ended:
    command = Command(words, limits=LIMITS, descriptors=[*descriptors, *inherited()], when_stuck=keeper())
    try:
        return await processes.run(command, seconds=seconds, on_output=heard)
    except (processes.Stalled, OSError) as error:
        raise TransferFailed(str(path), str(error)) from error


def _complaint(ended: Ended, result: re.Match[bytes] | None) -> str:
    lines = ended.output.decode(errors="replace").replace("\r", "\n").splitlines()
    said = [line.strip() for line in lines if line.startswith("curl: ")]
    if not said and result is not None:
        return f"the server answered {int(result[1])}, and redirections are not followed with headers"
    return said[-1][:300] if said else ended.complaint


def _settings(address: Address) -> str:
    """curl's own form: source curl(1), --config."""
    lines = [f"url = {_quoted(address.url)}"]
    lines += [f"header = {_quoted(f'{name}: {value}')}" for name, value in address.headers.items()]
    if not address.headers:
        safe = "=https" if address.url.startswith("https:") else "=http,https"
        lines += ["location", "max-redirs = 5", f"proto-redir = {_quoted(safe)}"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@contextmanager
def _as_file(text: str) -> Iterator[int]:
    descriptor = os.memfd_create("transfer", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
        yield descriptor
    finally:
        os.close(descriptor)
