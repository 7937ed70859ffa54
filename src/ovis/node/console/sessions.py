"""The consoles that are open through this agent, so that they can be closed."""

from __future__ import annotations

from ovis.node.console.tickets import Kind
from ovis.wire.routes import FarEnd


class Session:
    """A far end that is known here as long as it is open."""

    def __init__(self, sessions: ConsoleSessions, vm_id: str, kind: Kind, far: FarEnd) -> None:
        self.vm_id = vm_id
        self.kind = kind
        self._sessions = sessions
        self._far = far
        self._why = ""

    @property
    def reason(self) -> str:
        return self._why or self._far.reason

    async def read(self) -> bytes:
        data = await self._far.read()
        return b"" if self._why else data

    async def write(self, data: bytes) -> None:
        await self._far.write(data)

    async def close(self) -> None:
        self._sessions.forget(self)
        await self._far.close()

    async def end(self, why: str) -> None:
        """Close it from this side; its client is told why."""
        self._why = why
        await self.close()


class ConsoleSessions:
    def __init__(self) -> None:
        self._open: set[Session] = set()

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, vm_id: str, kind: Kind, far: FarEnd) -> Session:
        session = Session(self, vm_id, kind, far)
        self._open.add(session)
        return session

    def forget(self, session: Session) -> None:
        """Safe to repeat."""
        self._open.discard(session)

    async def end(self, vm_id: str, kind: Kind, why: str) -> None:
        """Close those of a VM."""
        for session in [s for s in self._open if s.vm_id == vm_id and s.kind is kind]:
            await session.end(why)
