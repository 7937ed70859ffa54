"""How agent and helper speak: frames over one Unix stream socket, many calls at a time.

    frame     size (64 bits, big-endian) | MessagePack of one message
    agent     Call(number, seconds, request, ties)    request: one of table.VERBS, tagged with its name; ties: ties.py
              Cancel(number)                      the command's process group is ended; the answer still comes
    helper    Answer(number, result)              exactly one Answer or Failure per call
              Failure(number, kind, text, number of the error)
              Progress(number, done, total)       any number of them before

Either side closes the socket when the other breaks this. When the agent's side closes, all its calls are cancelled.
"""

from __future__ import annotations

import asyncio
import struct
from enum import Enum
from typing import ClassVar, Generic, TypeVar

import msgspec
from msgspec import Struct

from ovis.node.privileged.errors import CommandFailed

REQUEST_LIMIT = 1 << 20
ANSWER_LIMIT = 80 << 20
"""Reports of LVM with 10,000 volumes are about 10 MB."""

_SIZE = struct.Struct(">Q")
T_co = TypeVar("T_co", covariant=True)


class ProtocolError(Exception):
    """The other side does not keep to the protocol."""


class Secret(Struct, frozen=True):
    """Text that is never shown."""

    text: str

    def __repr__(self) -> str:
        return "********"


class CommandResult(Struct, frozen=True):
    """`status` as of asyncio: negative for a signal. `output` and `errors` are whole."""

    status: int
    output: bytes = b""
    errors: bytes = b""

    @property
    def ok(self) -> bool:
        return self.status == 0

    @property
    def complaint(self) -> str:
        """For a person: the last lines that it wrote on standard error, else on standard output."""
        text = (self.errors.strip() or self.output.strip()).decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return " / ".join(lines[-4:])[:800] or "it says nothing"

    def check(self, what: str) -> CommandResult:
        """Itself. Raises CommandFailed."""
        if not self.ok:
            raise CommandFailed(what, self.status, self.complaint)
        return self


class Request(Struct, Generic[T_co], frozen=True, kw_only=True, tag=True, tag_field="verb", forbid_unknown_fields=True):
    """Arguments of one verb, answered with a T."""

    answer: ClassVar[type] = CommandResult
    seconds: ClassVar[float] = 60
    """Deadline of a call that names none."""

    @property
    def is_tied(self) -> bool:
        """Whether it changes what a lease protects, so that its command must not outlive the lease."""
        return False


class TiedRequest(Request[CommandResult], frozen=True, kw_only=True):
    """Writes to a device of a domain, and must not do so when the lease that allows it is gone."""

    @property
    def is_tied(self) -> bool:
        return True


class TieNumbers(Struct, frozen=True):
    """What keeps a lease held: an open file of the agent's process. `holder`: the process that sanlock knows; 0: the
    file itself is the lock."""

    descriptor: int
    inode: int
    holder: int = 0


class Call(Struct, frozen=True, tag=True):
    """The commands of a call inherit its `ties`, and are killed when the holder of one has ended."""

    number: int
    seconds: float
    request: msgspec.Raw
    ties: tuple[TieNumbers, ...] = ()
    flow: str = ""
    """Of the call that the agent works for: it stands in the helper's log as in the agent's."""


class Cancel(Struct, frozen=True, tag=True):
    number: int


class Answer(Struct, frozen=True, tag=True):
    number: int
    result: msgspec.Raw


class Progress(Struct, frozen=True, tag=True):
    """Bytes."""

    number: int
    done: int
    total: int


class FailureKind(Enum):
    REFUSED = "refused"
    BUSY = "busy"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    KERNEL = "kernel"
    """`error` is the errno, `what` the file."""
    LOST = "lost"
    """The lease that it worked under."""
    INTERNAL = "internal"


class Failure(Struct, frozen=True, tag=True):
    number: int
    kind: FailureKind
    what: str
    problem: str = ""
    error: int = 0
    is_left: bool = False
    """A command was killed and does not end: the kernel still works for it."""


encode = msgspec.msgpack.Encoder().encode
from_agent = msgspec.msgpack.Decoder(Call | Cancel).decode
from_helper = msgspec.msgpack.Decoder(Answer | Failure | Progress).decode


def frame(message: Struct) -> bytes:
    data = encode(message)
    return _SIZE.pack(len(data)) + data


async def read_frame(reader: asyncio.StreamReader, limit: int) -> bytes | None:
    """The next message; None when the other side has closed. Raises ProtocolError, OSError."""
    try:
        size = _SIZE.unpack(await reader.readexactly(_SIZE.size))[0]
        if size > limit:
            raise ProtocolError(f"a message of {size} bytes, the limit is {limit}")
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        return None
    except ConnectionError:
        return None
