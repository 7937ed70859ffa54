"""The hosted engine: what its high availability service says of this host, and its maintenance modes.

The service has its own client library for the distribution's Python, and changes how the two speak; so a small program
asks it (hosted_engine_client.py), now and then in the background. Statistics tell the last answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ovis.client.types import HaMaintenanceMode, HostedEngineStatus
from ovis.node import processes
from ovis.node.errors import NodeError

log = logging.getLogger(__name__)

PROGRAM = ("/usr/bin/python3", str(Path(__file__).with_name("hosted_engine_client.py")))
SECONDS = 60.0
"""The service answers from its memory; what concerns all hosts it reads from shared storage."""
EVERY = 60.0
_NOT_INSTALLED = 3


class NoHostedEngine(NodeError):
    wire_name = "ResourceUnavailable"

    def __init__(self, problem: str) -> None:
        super().__init__(f"this host does not run a hosted engine: {problem}")


class MaintenanceFailed(NodeError):
    wire_name = "SetHAPolicyFailed"

    def __init__(self, mode: str, problem: str) -> None:
        super().__init__(f"the maintenance mode {mode} of the hosted engine may be as it was: {problem}")


class HostedEngine:
    """`program`: hosted_engine_client.py, or in tests something that behaves like it."""

    def __init__(self, program: Sequence[str] = PROGRAM, *, seconds: float = SECONDS) -> None:
        self._program = tuple(program)
        self._seconds = seconds
        self._failing = False
        self.status = _unknown()

    async def follow(self, every: float = EVERY) -> None:
        """Until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(every)

    async def refresh(self) -> None:
        """Ask now. Without an answer the host is set up for it, and not active."""
        try:
            ended = await self._run("status")
            problem = "" if ended.status == 0 else ended.complaint
            found = None if problem else _decoded(ended.output)
        except (processes.Stalled, OSError, msgspec.DecodeError) as error:
            found, problem = None, str(error)
        if problem and not self._failing:
            log.warning("the hosted engine's service does not tell its state: %s", problem)
        elif self._failing and not problem:
            log.info("the hosted engine's service tells its state again")
        self._failing = bool(problem)
        self.status = found or _unknown()

    async def set_maintenance(self, mode: HaMaintenanceMode, *, enabled: bool) -> None:
        """May be repeated. Raises NoHostedEngine, MaintenanceFailed."""
        try:
            ended = await self._run("maintenance", mode.value, "yes" if enabled else "no")
        except (processes.Stalled, OSError) as error:
            raise MaintenanceFailed(mode.value, str(error)) from error
        if ended.status == _NOT_INSTALLED:
            raise NoHostedEngine(ended.complaint)
        if ended.status:
            raise MaintenanceFailed(mode.value, ended.complaint)
        await self.refresh()

    async def _run(self, *words: str) -> processes.Ended:
        return await processes.run(processes.Command((*self._program, *words)), seconds=self._seconds)


def _unknown() -> HostedEngineStatus:
    return HostedEngineStatus(configured=True, active=False, global_maintenance=False, local_maintenance=False, score=0)


def _decoded(output: bytes) -> HostedEngineStatus:
    """The last line; the library may have printed before."""
    return msgspec.json.decode((output.strip().splitlines() or [b""])[-1], type=HostedEngineStatus)
