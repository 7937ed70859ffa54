"""Looking for disks that came, went or grew.

A rescan asks every target and every Fibre Channel adapter, so it takes as long as the slowest: one runs at a time, who
comes while it runs gets the next one, and none is waited for beyond its deadline. What fails is logged: a list of the
disks that are known is better than none.
"""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

from ovis.node.errors import NodeError
from ovis.node.privileged.client import Root
from ovis.node.privileged.devices import RescanHosts, SettleDevices
from ovis.node.privileged.iscsi import RescanSessions
from ovis.node.privileged.protocol import CommandResult, Request
from ovis.node.storage.shared_call import SharedCall

log = logging.getLogger(__name__)

SECONDS = 60.0
NO_SESSION = 21  # iscsiadm(8): ISCSI_ERR_NO_OBJS_FOUND


class Rescan:
    def __init__(self, root: Root, sysfs: Path) -> None:
        self._root = root
        self._sysfs = sysfs
        self._shared = SharedCall(self._rescan, "rescan of disks")

    async def run(self) -> None:
        """A whole rescan that begins after this call."""
        await self._shared()

    async def close(self) -> None:
        await self._shared.close()

    async def _rescan(self) -> None:
        hosts = await asyncio.to_thread(fibre_channel_hosts, self._sysfs)
        await asyncio.gather(
            self._try("of iSCSI sessions", RescanSessions(), fine=(0, NO_SESSION)),
            self._try("of Fibre Channel", RescanHosts(hosts=hosts)),
        )
        await self._try("until udev is done", SettleDevices(), fine=(0, 1))

    async def _try(self, what: str, request: Request[Any], *, fine: tuple[int, ...] = (0,)) -> None:
        try:
            result = await self._root.call(request, seconds=SECONDS)
        except (NodeError, OSError) as error:
            log.warning("rescan %s: %s", what, error)
            return
        if isinstance(result, CommandResult) and result.status not in fine:
            log.warning("rescan %s ended with %d: %s", what, result.status, result.complaint)


def fibre_channel_hosts(sysfs: Path) -> list[int]:
    folder = sysfs / "class/fc_host"
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return sorted(int(match[1]) for name in names if (match := re.fullmatch(r"host(\d+)", name)))
