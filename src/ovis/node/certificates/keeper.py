"""The agent's task that keeps its certificates good.

It looks at the times in them, which costs nothing, every hour: the clock may jump. Signing needs a library of 7 MB, so
it is done by a program that ends again. New connections get the new certificate, those that are open stay.

    good ── two thirds of its life gone ──> due ──> renewed: good
                                             │ the authority is elsewhere, or the disk is full: said in the log
                                             v
                                          expired: the agent serves on; clients refuse it, but not on its Unix socket
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.wire.validity import renewal_time, validity

if TYPE_CHECKING:
    from ovis.node.config import Tls

log = logging.getLogger(__name__)

LOOK_SECONDS = 3600.0
PROGRAM_SECONDS = 60.0
_REMEDY = "`ovis node certificate show` says more, `ovis node certificate renew` renews by hand"


class NotRenewed(Exception):
    """With what the program said."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Keeper:
    """`watched`: certificates that are looked at. `renew` makes those that are due; None: nobody here can."""

    watched: tuple[Path, ...]
    renew: Callable[[], Awaitable[None]] | None
    clock: Callable[[], datetime] = now
    _said: str = field(default="", init=False)

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Renew what is due. What stands in the way is said once, until it changes."""
        due = self._due()
        if due and self.renew is not None:
            try:
                await self.renew()
            except (NotRenewed, OSError) as error:
                self._say(f"{due} could not be renewed: {error}; {_REMEDY}")
                return
            log.info("certificates renewed; new connections use them")
            due = self._due()
        self._say(f"{due}, and nothing on this host renews it: {_REMEDY}" if due else "")

    def _due(self) -> str:
        """Empty: none. A file that cannot be read is the listener's to complain about."""
        today = self.clock()
        for path in self.watched:
            try:
                begin, end = validity(path.read_text(encoding="ascii", errors="replace"))
            except (OSError, ValueError):
                continue
            if end < today:
                return f"{path} has expired at {end}"
            if renewal_time(begin, end) <= today:
                return f"{path} expires at {end}"
            if begin > today:
                return f"{path} is valid only from {begin} on"
        return ""

    def _say(self, words: str) -> None:
        if words and words != self._said:
            log.warning("%s", words)
        elif self._said and not words:
            log.info("certificates are good again")
        self._said = words


def keeper(tls: Tls) -> Keeper:
    """For the agent's own: renewed only where the authority's key lies beside them, under the usual names."""
    files = tls.files
    watched = (Path(files.certificate), Path(files.ca))
    usual = (
        watched == (tls.folder / "node.pem", tls.folder / "ca.pem") and Path(files.key) == tls.folder / "node-key.pem"
    )
    if not usual or not (tls.folder / "ca-key.pem").exists():
        return Keeper(watched, None)

    async def renew() -> None:
        await renew_by_program(tls.folder)

    return Keeper((*watched, tls.folder / "admin.pem"), renew)


async def renew_by_program(folder: Path) -> None:
    """Raises NotRenewed, OSError; then nothing is half written, and it may be repeated."""
    from ovis.node.processes import Command, Limits, Stalled, run

    line = [sys.executable, "-P", "-m", "ovis.node.certificates", "--folder", str(folder), "renew"]
    try:
        ended = await run(Command(line, Limits(is_background=True)), seconds=PROGRAM_SECONDS)
    except Stalled as error:
        raise NotRenewed(str(error)) from error
    if ended.status:
        raise NotRenewed(ended.complaint)
