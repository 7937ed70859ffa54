"""What leads into a VM beside its own network: serial console, channels of programs in the guest, graphics.

Part of the hypervisor: `libvirt_consoles` for libvirt, `simulated.consoles` for the twin.
"""

import socket
from dataclasses import dataclass
from typing import Literal, Protocol

TOO_SLOW = "its reader is too slow"
"""The reason of a stream whose other end says more than is read."""


class StreamLost(Exception):
    """The stream has ended; nothing more can be sent."""


class ByteStream(Protocol):
    """Bytes both ways, used from the event loop. Unread bytes are bounded: a reader that is too slow loses the stream.

    The end is told by `read`, not by an exception: a VM that stops is nothing unusual.
    """

    @property
    def reason(self) -> str:
        """Why it ended; empty while it has not."""
        ...

    async def read(self) -> bytes:
        """What has come, at least one byte; empty at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Returns when all of it was taken. Raises StreamLost, HypervisorError at its deadline."""
        ...

    async def close(self) -> None:
        """Safe to repeat. A `read` that waits comes back empty."""
        ...


Connected = Literal["keep", "disconnect", "fail"]


@dataclass(frozen=True)
class GraphicsPassword:
    """`until`: Unix time in seconds up to which it opens new connections.

    `connected`: what happens to who is connected now; None leaves it to the protocol, and is all that VNC can do.
    """

    password: str
    until: float
    connected: Connected | None = None


class Consoles(Protocol):
    async def open_console(self, domain_id: str, *, force: bool = False, deadline: float | None = None) -> ByteStream:
        """The first serial console. `force` takes it away from who has it.

        Raises OperationFailed when somebody else has it, OperationRefused when there is none.
        """
        ...

    async def open_channel(self, domain_id: str, name: str, *, deadline: float | None = None) -> ByteStream:
        """The host's end of a channel of type unix. Raises OperationRefused, OperationFailed."""
        ...

    async def open_graphics(self, domain_id: str, index: int, *, deadline: float | None = None) -> socket.socket:
        """A new client connection of the graphics device with this index, not asked for its password.

        Non-blocking; the caller closes it. Raises OperationRefused.
        """
        ...

    async def set_graphics_password(
        self, domain_id: str, index: int, password: GraphicsPassword, *, deadline: float | None = None
    ) -> None:
        """Raises OperationRefused, OperationFailed: the former password still holds."""
        ...

    async def vnc_clients(self, domain_id: str, *, deadline: float | None = None) -> int:
        """How many clients QEMU's VNC server has."""
        ...
