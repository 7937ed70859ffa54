"""Connecting by mounting: what NFS, GlusterFS and other file systems have in common.

What is mounted at the place decides, and of that the source, never the name: two remote paths can have one name
(formats/repository.py). A mount that is there is adopted, whoever made it, so a crash of the agent at any point leaves
nothing that the next call does not understand.

    not mounted ──────────────> mount, check access ──> connected
    mounted, same source ─────> check access ─────────> connected
      └─ stale or silent, nobody needs it ──> unmount lazily, then as if not mounted
      └─ stale or silent, but needed ──────────────────> an error; nothing is touched
    mounted, other source ────────────────────────────> an error
"""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar, Self

from msgspec import Struct

from ovis.node.errors import NodeError
from ovis.node.privileged.access import Access, AccessState, CheckAccess
from ovis.node.privileged.errors import TookTooLong
from ovis.node.privileged.mount_table import Mounted
from ovis.node.privileged.mounts import Mount, Unmount
from ovis.node.storage.connections.errors import CannotMount, InUse, NotUsable, UnknownFileSystem
from ovis.node.storage.connections.interface import Tools

log = logging.getLogger(__name__)

SILENT = "it does not answer"
UNKNOWN = ("unknown filesystem type", "you might need a /sbin/mount.")
"""What mount(8) says when the kernel does not know the type, or when its helper program is not installed."""


@dataclass(frozen=True)
class Place:
    """`source` and `options` as for mount(8)."""

    source: str
    target: PurePosixPath
    type: str
    options: tuple[str, ...] = ()


class MountedServer(Struct, frozen=True):
    """What is connected by mounting; the kinds say where and how."""

    brings_devices: ClassVar[bool] = False

    def place(self, tools: Tools) -> Place:
        raise NotImplementedError

    async def connect(self, tools: Tools) -> None:
        await connect(self.place(tools), tools)

    async def disconnect(self, tools: Tools) -> None:
        await disconnect(self.place(tools), tools)

    def is_connected(self, tools: Tools) -> bool:
        return is_connected(self.place(tools), tools)

    def kept(self) -> Self:
        return self


async def connect(place: Place, tools: Tools) -> None:
    """Raises CannotMount, NotUsable, PrivilegedError, OSError."""
    there = mounted_at(place.target, tools)
    if there is not None:
        if not same_source(there.source, place.source):
            raise CannotMount(place.source, f"{there.source} is mounted at {place.target}, where it would have to be")
        access = await check(place.target, tools)
        if access.state is AccessState.USABLE:
            return
        if access.state is AccessState.DENIED:
            raise NotUsable(place.source, access.problem)
        await _give_up_stale(place, access, tools)
    os.makedirs(place.target, mode=0o755, exist_ok=True)
    try:
        await _mount(place, tools)
    except BaseException as error:
        # one that an earlier call gave up may have come through meanwhile
        if not isinstance(error, (NodeError, OSError)) or not is_connected(place, tools):
            _remove_folder(place.target)
            raise
    try:
        await _must_be_usable(place, tools)
    except BaseException:
        await _unmount(place.target, tools, lazy=True)
        _remove_folder(place.target)
        raise


async def disconnect(place: Place, tools: Tools) -> None:
    """Not there: done. Raises InUse, PrivilegedError."""
    there = mounted_at(place.target, tools)
    if there is None or not same_source(there.source, place.source):
        return
    if users := tools.users(place.target):
        raise InUse(place.source, users)
    await tools.let_go(place.target)
    problem = await _unmount(place.target, tools)
    if problem == SILENT:
        log.warning("%s does not unmount, as its server does not answer; it is taken out of sight", place.source)
        problem = await _unmount(place.target, tools, lazy=True)
    if problem:
        raise InUse(place.source, [problem])
    _remove_folder(place.target)


def is_connected(place: Place, tools: Tools) -> bool:
    there = mounted_at(place.target, tools)
    return there is not None and same_source(there.source, place.source)


def mounted_at(target: PurePosixPath, tools: Tools) -> Mounted | None:
    """The topmost."""
    return next((mounted for mounted in reversed(tools.mounted()) if mounted.target == target), None)


def same_source(one: str, other: str) -> bool:
    """`server:volume` and `server:/volume` are one for GlusterFS, and a closing slash says nothing."""
    return _plain(one) == _plain(other)


async def check(path: PurePosixPath, tools: Tools) -> Access:
    try:
        return await tools.root.call(CheckAccess(path=str(path)), seconds=tools.access_seconds)
    except TookTooLong:
        return Access(AccessState.BROKEN, SILENT)


async def _must_be_usable(place: Place, tools: Tools) -> None:
    access = await check(place.target, tools)
    if access.state is not AccessState.USABLE:
        raise NotUsable(place.source, access.problem)


async def _mount(place: Place, tools: Tools) -> None:
    request = Mount(source=place.source, target=str(place.target), type=place.type, options=place.options)
    try:
        result = await tools.root.call(request, seconds=tools.mount_seconds)
    except TookTooLong as error:
        raise CannotMount(place.source, f"{SILENT} within {error.seconds:g} s") from error
    if not result.ok:
        is_unknown = any(words in result.complaint for words in UNKNOWN)
        raise (UnknownFileSystem if is_unknown else CannotMount)(place.source, result.complaint)


async def _give_up_stale(place: Place, access: Access, tools: Tools) -> None:
    if users := tools.users(place.target):
        raise CannotMount(
            place.source, f"it is mounted and {access.problem or access.state.value}, but needed by {', '.join(users)}"
        )
    log.warning("%s at %s: %s; it is mounted anew", place.source, place.target, access.problem or access.state.value)
    await tools.let_go(place.target)
    if problem := await _unmount(place.target, tools, lazy=True):
        raise CannotMount(place.source, f"its dead mount does not go away: {problem}")


async def _unmount(target: PurePosixPath, tools: Tools, *, lazy: bool = False) -> str:
    """Why it is still there; "" when it is gone. A dead server cannot tell whether anything is in use.

    The kernel says goodbye to the server after the mount has left the table, and waits for that: the table decides.
    """
    try:
        request = Unmount(target=str(target), lazy=lazy, force=lazy)
        result = await tools.root.call(request, seconds=tools.access_seconds)
    except TookTooLong:
        return SILENT if mounted_at(target, tools) else ""
    return "" if result.ok else result.complaint


def _remove_folder(target: PurePosixPath) -> None:
    with contextlib.suppress(OSError):  # not empty, still mounted: it does no harm
        os.rmdir(target)


def _plain(source: str) -> str:
    server, colon, path = source.partition(":/")
    text = f"{server}:{path}" if colon and server else source
    return text.rstrip("/") or "/"
