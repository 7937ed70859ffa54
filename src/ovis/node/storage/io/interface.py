"""What storage asks of a file system, through a process that may hang without harm.

Paths are absolute and lie below the folder that the process was started for (the mount point of a domain); others are
refused, and so is every link on the way: the owner of a hostile export cannot lead us elsewhere.

Every call has a deadline (`seconds`, None: the default of the process) and raises IoTimeout when it passes, the process
having been replaced: then nobody knows whether the kernel still does it. Errors of the kernel come as OSError.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from ovis.node.errors import NodeError


class IoFailure(NodeError):
    """Storage did not answer. `IoTimeout`: in time; `IoLost`: its process ended before; `IoStuck`: nobody was asked."""

    wire_name = "AccessTimeout"


class IoTimeout(IoFailure):
    def __init__(self, operation: str, path: PurePosixPath, seconds: float) -> None:
        super().__init__(f"{operation} of {path} took longer than {seconds:g} s; it may still happen")
        self.operation, self.path, self.seconds = operation, path, seconds


class IoLost(IoFailure):
    """A look is done again by another process before it raises this."""

    def __init__(self, operation: str, path: PurePosixPath) -> None:
        super().__init__(f"{operation} of {path} was cut off with its process; it may have happened, or still happen")
        self.operation, self.path = operation, path


class IoStuck(IoFailure):
    def __init__(self, operation: str, path: PurePosixPath, abandoned: int) -> None:
        super().__init__(
            f"{operation} of {path} was not tried: {abandoned} processes hang in the kernel on this storage already"
        )
        self.operation, self.path, self.abandoned = operation, path, abandoned


@dataclass(frozen=True)
class FileFacts:
    """`size` and `allocated` in bytes, `modified` in seconds since 1970; `kind`: file, folder, link or other."""

    kind: str
    size: int
    allocated: int
    modified: float
    mode: int
    links: int = 1


@dataclass(frozen=True)
class Space:
    """Bytes of the file system, as an unprivileged writer sees them."""

    total: int
    free: int


class FileIo(Protocol):
    """All writing calls are durable (file and folder flushed) when they return."""

    async def read(
        self, path: PurePosixPath, *, offset: int = 0, size: int, direct: bool = False, seconds: float | None = None
    ) -> bytes:
        """At most `size` bytes. `direct`: past every cache; offset and size are multiples of 4096."""

    async def write(
        self, path: PurePosixPath, data: bytes, *, offset: int = 0, direct: bool = False, seconds: float | None = None
    ) -> None:
        """In place, into a file (or device) that exists."""

    async def replace(
        self, path: PurePosixPath, data: bytes, *, mode: int = 0o644, seconds: float | None = None
    ) -> None:
        """Old or new, never a third: written beside, flushed, renamed over it, the folder flushed."""

    async def create(
        self, path: PurePosixPath, *, size: int = 0, mode: int = 0o644, allocate: bool = False,
        seconds: float | None = None,
    ) -> None:  # fmt: skip
        """A new file of zeros; FileExistsError if there is one. `allocate`: with its blocks (then ENOSPC comes now, and
        the file is gone again); the deadline counts anew for each 256 MiB."""

    async def resize(
        self, path: PurePosixPath, size: int, *, allocate: bool = False, seconds: float | None = None
    ) -> None:
        """`allocate` as for `create`; without room the old size is there again."""

    async def make_folder(self, path: PurePosixPath, *, mode: int = 0o755, seconds: float | None = None) -> None: ...

    async def rename(self, path: PurePosixPath, to: PurePosixPath, *, seconds: float | None = None) -> None: ...

    async def link(self, path: PurePosixPath, to: PurePosixPath, *, seconds: float | None = None) -> None:
        """Another name of the same file (a hard link). FileExistsError if `to` is there."""

    async def remove(self, path: PurePosixPath, *, missing_ok: bool = False, seconds: float | None = None) -> None: ...

    async def remove_tree(self, path: PurePosixPath, *, seconds: float | None = None) -> None:
        """A folder and what is in it; links are removed, not followed. Nothing there: nothing to do."""

    async def facts(self, path: PurePosixPath, *, seconds: float | None = None) -> FileFacts:
        """Of the thing itself: a link is a link. FileNotFoundError."""

    async def names(self, path: PurePosixPath, *, seconds: float | None = None) -> Collection[str]:
        """What is in a folder."""

    async def tree(
        self, path: PurePosixPath, *, depth: int = 1, seconds: float | None = None
    ) -> Mapping[PurePosixPath, FileFacts]:
        """Everything below a folder down to `depth` levels, paths relative to it; one call for many volumes."""

    async def listing(
        self, path: PurePosixPath, *, seconds: float | None = None
    ) -> Mapping[str, Mapping[str, FileFacts]]:
        """The folders in a folder and what is in each: a tree of depth 2, at a third of the agent's time."""

    async def space(self, path: PurePosixPath, *, seconds: float | None = None) -> Space: ...

    async def read_delay(self, path: PurePosixPath, *, seconds: float | None = None) -> float:
        """How long reading the first block past every cache took, in seconds. The path check of a domain."""
