"""What the agent and an ovis-io process say to each other over their socket, little-endian.

    request    u32   bytes that follow              answer    u32   bytes that follow
               u32   call, chosen by the agent                u32   call
               u8    operation                                u32   errno, 0: done
               u8    flags                                          body
               u32   mode
               u64   offset (or levels of a tree)   body      read, read_delay: the data, seconds as f64
               u64   size                                     space: total u64, free u64
               u16   bytes of path                            names: names, each behind a NUL
               u16   bytes of to                              facts, tree: rows
               path, to, data                                 errors: which path, as text

    row        u8 kind   u32 mode   u32 links   u64 size   u64 allocated   f64 modified   u16 bytes of name   name

Both sides run the same files, so there are no versions. Paths are bytes as the kernel has them. Only `struct` is
imported: each module costs every ovis-io process memory and time to start.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

READ, WRITE, REPLACE, CREATE, RESIZE, ALLOCATE, MAKE_FOLDER, RENAME, LINK, REMOVE, REMOVE_TREE = range(1, 12)
FACTS, NAMES, TREE, SPACE, READ_DELAY = range(12, 17)
OPERATIONS = (
    "", "read", "write", "replace", "create", "resize", "allocate", "make folder", "rename", "link", "remove",
    "remove tree", "facts", "names", "tree", "space", "read delay",
)  # fmt: skip
LOOKS = frozenset({READ, FACTS, NAMES, TREE, SPACE, READ_DELAY})
"""Operations that change nothing: may be done again whatever became of the first try."""

DIRECT = 1
MISSING_OK = 2

KINDS = ("file", "folder", "link", "other")
FILE, FOLDER, SYMLINK, OTHER = range(4)
CHUNK = 1 << 20
"""The most data in one message, so that a process with all threads busy stays small."""
WHOLE_LIMIT = 4 << 20
"""The most that is replaced as a whole."""
LIMIT = 64 << 20
"""The longest message: a tree of half a million names."""

LENGTH = struct.Struct("<I")
REQUEST = struct.Struct("<IBBIQQHH")
ANSWER = struct.Struct("<II")
ROW = struct.Struct("<BIIQQdH")
SPACE_BODY = struct.Struct("<QQ")
DELAY_BODY = struct.Struct("<d")


class Request:
    __slots__ = ("call", "data", "flags", "mode", "offset", "operation", "path", "size", "to")

    def __init__(
        self,
        operation: int,
        path: bytes,
        *,
        call: int = 0,
        flags: int = 0,
        mode: int = 0,
        offset: int = 0,
        size: int = 0,
        to: bytes = b"",
        data: bytes = b"",
    ) -> None:
        self.operation, self.path, self.call, self.flags, self.mode = operation, path, call, flags, mode
        self.offset, self.size, self.to, self.data = offset, size, to, data

    def pack(self, call: int) -> bytes:
        fixed = REQUEST.pack(
            call, self.operation, self.flags, self.mode, self.offset, self.size, len(self.path), len(self.to)
        )
        length = len(fixed) + len(self.path) + len(self.to) + len(self.data)
        return b"".join((LENGTH.pack(length), fixed, self.path, self.to, self.data))


def unpack_request(raw: bytes) -> Request:
    """`raw` without its length. Raises struct.error."""
    call, operation, flags, mode, offset, size, path_length, to_length = REQUEST.unpack_from(raw)
    path_end = REQUEST.size + path_length
    to_end = path_end + to_length
    return Request(
        operation, raw[REQUEST.size : path_end], call=call, flags=flags, mode=mode, offset=offset, size=size,
        to=raw[path_end:to_end], data=raw[to_end:],
    )  # fmt: skip


def pack_answer(call: int, code: int, body: bytes) -> bytes:
    return b"".join((LENGTH.pack(ANSWER.size + len(body)), ANSWER.pack(call, code), body))


def rows(body: bytes) -> Iterator[tuple[int, int, int, int, int, float, bytes]]:
    """(kind, mode, links, size, allocated, modified, name) of each row. Raises struct.error when cut short."""
    at = 0
    while at < len(body):
        kind, mode, links, size, allocated, modified, length = ROW.unpack_from(body, at)
        at += ROW.size
        yield kind, mode, links, size, allocated, modified, body[at : at + length]
        at += length
