"""Consoles of simulated domains. What runs "in the guest" holds the far ends: `serial`, `channels`, `screens`."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from ovis.node.hypervisor.consoles import ByteStream, GraphicsPassword, StreamLost
from ovis.node.hypervisor.errors import OperationFailed, OperationRefused
from ovis.node.hypervisor.simulated.domain import SimulatedDomain

Enter = Callable[[str, str, float | None], Awaitable[SimulatedDomain]]


class SimulatedStream:
    """One end; what is written to `other` is read here."""

    def __init__(self) -> None:
        self.other: SimulatedStream
        self.reason = ""
        self._unread = bytearray()
        self._come = asyncio.Event()

    async def read(self) -> bytes:
        while not self._unread and not self.reason:
            self._come.clear()
            await self._come.wait()
        data = bytes(self._unread)
        self._unread.clear()
        return data

    async def write(self, data: bytes) -> None:
        await asyncio.sleep(0)
        if self.reason:
            raise StreamLost(self.reason)
        self.other._unread += data
        self.other._come.set()

    async def close(self) -> None:
        self.end("closed")
        self.other.end("the other end is closed")

    def end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self._come.set()


def pair() -> tuple[SimulatedStream, SimulatedStream]:
    near, far = SimulatedStream(), SimulatedStream()
    near.other, far.other = far, near
    return near, far


class SimulatedConsoles:
    """By domain: the far end of the newest console, channel (with its name) and graphics connection."""

    def __init__(self, enter: Enter) -> None:
        self._enter = enter
        self.serial: dict[str, SimulatedStream] = {}
        self.channels: dict[tuple[str, str], SimulatedStream] = {}
        self.screens: dict[str, list[socket.socket]] = {}
        self.passwords: dict[str, GraphicsPassword] = {}
        self.clients: dict[str, int] = {}

    async def open_console(self, domain_id: str, *, force: bool = False, deadline: float | None = None) -> ByteStream:
        domain = await self._enter("open_console", domain_id, deadline)
        if domain.root.find("devices/serial") is None and domain.root.find("devices/console") is None:
            raise OperationRefused("no console device")
        before = self.serial.get(domain_id)
        if before is not None and not before.reason:
            if not force:
                raise OperationFailed("Active console session exists for this domain")
            await before.close()
        near, self.serial[domain_id] = pair()
        return near

    async def open_channel(self, domain_id: str, name: str, *, deadline: float | None = None) -> ByteStream:
        domain = await self._enter("open_channel", domain_id, deadline)
        if not any(t.get("name") == name for t in domain.root.iterfind("devices/channel/target")):
            raise OperationRefused(f"no channel {name}")
        near, self.channels[domain_id, name] = pair()
        return near

    async def open_graphics(self, domain_id: str, index: int, *, deadline: float | None = None) -> socket.socket:
        self._graphics(await self._enter("open_graphics", domain_id, deadline), index)
        near, far = socket.socketpair()
        near.setblocking(False)
        self.screens.setdefault(domain_id, []).append(far)
        return near

    async def set_graphics_password(
        self, domain_id: str, index: int, password: GraphicsPassword, *, deadline: float | None = None
    ) -> None:
        kind = self._graphics(await self._enter("set_graphics_password", domain_id, deadline), index)
        if kind == "vnc" and password.connected not in (None, "keep"):
            raise OperationRefused("VNC supports connected='keep' only")
        if kind == "vnc" and len(password.password) > 8:
            raise OperationRefused("VNC passwords have 8 characters at most")
        self.passwords[domain_id] = password

    async def vnc_clients(self, domain_id: str, *, deadline: float | None = None) -> int:
        await self._enter("vnc_clients", domain_id, deadline)
        return self.clients.get(domain_id, 0)

    def end(self, domain_id: str) -> None:
        """The domain is gone, and what led into it."""
        for stream in (self.serial.pop(domain_id, None), *self._channels_of(domain_id)):
            if stream is not None:
                stream.end("the domain is gone")
                stream.other.end("the domain is gone")
        for screen in self.screens.pop(domain_id, []):
            screen.close()

    def _channels_of(self, domain_id: str) -> list[SimulatedStream]:
        return [self.channels.pop(key) for key in list(self.channels) if key[0] == domain_id]

    def _graphics(self, domain: SimulatedDomain, index: int) -> str:
        found = domain.root.findall("devices/graphics")
        if index >= len(found):
            raise OperationRefused(f"no graphics device with index {index}")
        return found[index].get("type", "")
