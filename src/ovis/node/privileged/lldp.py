"""Reading lldpd: its socket is for root and its own group alone. Nothing is told to it."""

from __future__ import annotations

from typing import ClassVar, Literal

from ovis.node.privileged.protocol import CommandResult, Request
from ovis.node.privileged.work import Work


class ReadLldp(Request[CommandResult], frozen=True, kw_only=True):
    """`neighbors`: what was heard; `interfaces`: where lldpd listens. Both in the one form of its JSON that never
    changes by the number of entries (json0). Fails where lldpd does not run, or its program is not installed.
    """

    seconds: ClassVar[float] = 10

    what: Literal["interfaces", "neighbors"] = "neighbors"


async def read_lldp(request: ReadLldp, work: Work) -> CommandResult:
    details = ("details",) if request.what == "neighbors" else ()
    return await work.run("lldpcli", "-f", "json0", "show", request.what, *details)
