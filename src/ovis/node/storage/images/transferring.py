"""Image.upload and Image.download: the content of a volume goes to, or comes from, an HTTP address, as it is stored.

curl does it, in a process with limits: HTTP and HTTPS alone, also after a redirection. The headers, which may be an
access token, reach it through memory and are never written down: a transfer that a crash cut short is not gone on with.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ovis.node import processes
from ovis.node.errors import BadParameter
from ovis.node.processes import Command, Limits
from ovis.node.storage import claims
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.leases.held import inherited
from ovis.node.storage.tasks.steps import Step, step
from ovis.node.storage.volumes import reading
from ovis.node.storage.volumes.errors import TransferFailed
from ovis.node.storage.volumes.plan import Plan

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.tasks.steps import Work

LIMITS = Limits(memory=1 << 30, is_background=True)
CONNECT_SECONDS = 60
STALL_SECONDS = 300  # without a byte
LONGEST_SECONDS = 7 * 86_400.0
_HEADERS: dict[str, Mapping[str, str]] = {}


class Direction(StrEnum):
    UPLOAD = "upload"
    DOWNLOAD = "download"


@step("image.transfer")
@dataclass(frozen=True)
class Transfer(Step):
    """`headers`: under which name they are remembered by the agent that was asked."""

    domain: DomainId
    image: ImageId
    volume: VolumeId
    direction: Direction
    url: str
    headers: str

    async def do(self, work: Work) -> None:
        headers = _HEADERS.get(self.headers)
        if headers is None:
            raise TransferFailed(f"volume {self.volume}", "its transfer was cut short by a restart; begin it again")
        domain = await work.storage.domain(self.domain)
        chain = (await reading.image(domain, self.image)).chain(self.volume)
        async with work.storage.prepared.active(domain, chain[-1:]) as paths:
            await transfer(self.direction, self.url, headers, paths[self.volume])
        _HEADERS.pop(self.headers, None)

    async def undo(self, work: Work) -> None:
        _HEADERS.pop(self.headers, None)


async def plan(
    domain: Domain,
    image_id: ImageId,
    volume: VolumeId | None,
    direction: Direction,
    url: str,
    headers: Mapping[str, str],
) -> Plan:
    """`volume` None: the leaf. Raises NoSuchImage, BrokenChain, BadParameter."""
    if urlsplit(url).scheme not in ("http", "https") or any(ord(letter) < 33 for letter in url):
        raise BadParameter("methodArgs.url", "is no HTTP address")
    for name, value in headers.items():
        if not (name + value).isprintable() or ":" in name:
            raise BadParameter("methodArgs.headers", "a header is one line NAME: VALUE")
    top = (await reading.image(domain, image_id)).chain(volume)[-1]
    key = str(uuid.uuid4())
    _HEADERS[key] = dict(headers)
    wanted = claims.image(domain.id, image_id, exclusive=direction is Direction.DOWNLOAD)
    return Plan((Transfer(domain.id, image_id, top.id, direction, url, key),), (wanted,))


async def transfer(direction: Direction, url: str, headers: Mapping[str, str], path: PurePosixPath) -> None:
    """Raises TransferFailed; the content of a volume that was to receive is undefined then."""
    with _as_file(headers) as descriptor:
        ends = ["--upload-file", str(path)] if direction is Direction.UPLOAD else ["--output", str(path)]
        words = [
            *("curl", "--disable", "--silent", "--show-error", "--fail", "--location", "--proto", "=http,https"),
            *("--proto-redir", "=http,https", "--connect-timeout", str(CONNECT_SECONDS), "--speed-limit", "1"),
            *("--speed-time", str(STALL_SECONDS), "--header", f"@/dev/fd/{descriptor}", *ends, "--url", url),
        ]
        command = Command(words, limits=LIMITS, descriptors=[descriptor, *inherited()])
        try:
            ended = await processes.run(command, seconds=LONGEST_SECONDS)
        except (processes.Stalled, OSError) as error:
            raise TransferFailed(str(path), str(error)) from error
    if ended.status:
        raise TransferFailed(str(path), f"{direction.value} failed: {ended.complaint}")


@contextmanager
def _as_file(headers: Mapping[str, str]) -> Iterator[int]:
    descriptor = os.memfd_create("headers", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, "".join(f"{name}: {value}\n" for name, value in headers.items()).encode())
        yield descriptor
    finally:
        os.close(descriptor)
