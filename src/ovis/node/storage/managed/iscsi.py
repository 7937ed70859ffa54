"""A unit of iSCSI targets, as a multipath map of all ways to it.

data: {"target_portal", "target_iqn", "target_lun"}, or lists of equal length {"target_portals", "target_iqns",
"target_luns"}; {"auth_username", "auth_password"} for CHAP. A portal is host:port, IPv6 in brackets.

    log in on each way ─> the unit's disks appear ─> multipathd makes a map of them ─> the agent owns it
    map and disks away ─> log out of sessions that serve nothing else

One way is enough to begin with; the map takes the others in when they come. A disk without a map would lose its path
for good at the first error, so it is not used. A session is also somebody else's when another disk of it is in use, it
is a connection of storage domains, or another managed volume is remembered with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from ovis.node.errors import BadParameter, NodeError
from ovis.node.privileged.client import Root
from ovis.node.privileged.devices import OwnDevice, ReadDmsetup, SettleDevices
from ovis.node.privileged.iscsi import Credentials
from ovis.node.privileged.multipath import RemoveMap
from ovis.node.privileged.protocol import Secret
from ovis.node.storage.connections import iscsi_sessions
from ovis.node.storage.connections.errors import InUse
from ovis.node.storage.connections.iscsi import DEFAULT_PORT, IscsiTarget
from ovis.node.storage.connections.iscsi_sessions import Session
from ovis.node.storage.devices import maps
from ovis.node.storage.devices.maps import MultipathMap
from ovis.node.storage.managed.driver import Attachment, Connection, Tools, parsed
from ovis.node.storage.managed.errors import DriverFailed, UnsupportedDevice

LOOKS = 60
LOOK_PERIOD = 0.5
"""A unit is there within a second of the login, its map soon after; 30 s leave room for a loaded array."""


class _Data(Struct, frozen=True):
    target_portal: str = ""
    target_iqn: str = ""
    target_lun: int = 0
    target_portals: list[str] = []
    target_iqns: list[str] = []
    target_luns: list[int] = []
    auth_username: str | None = None
    auth_password: str | None = None


@dataclass(frozen=True)
class Way:
    target: str
    host: str
    port: int
    unit: int

    def is_of(self, session: Session | None) -> bool:
        mine = (self.target, self.host, self.port)
        return session is not None and (session.target, session.host, session.port) == mine


def ways(data: _Data) -> list[Way]:
    """Raises BadParameter."""
    several = (data.target_portals, data.target_iqns, data.target_luns)
    if any(several):
        if len({len(one) for one in several}) != 1:
            raise BadParameter("connection_info.data", "target_portals, _iqns and _luns must be of equal length")
        return [_way(*one) for one in zip(*several, strict=True)]
    if not data.target_portal or not data.target_iqn:
        raise BadParameter("connection_info.data", "target_portal and target_iqn are needed")
    return [_way(data.target_portal, data.target_iqn, data.target_lun)]


def _way(portal: str, target: str, unit: int) -> Way:
    address = portal.partition(",")[0]  # what follows is the portal group
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        host, port = address, str(DEFAULT_PORT)
    if not port.isdecimal():
        raise BadParameter("connection_info.data", f"{portal!r} is no portal: host:port is needed")
    return Way(target, host.strip("[]"), int(port), unit)


class IscsiDriver:
    def __init__(self, *, looks: int = LOOKS) -> None:
        self._looks = looks

    def check(self, connection: Connection) -> None:
        ways(parsed(connection.data, _Data))

    async def attach(self, volume: str, connection: Connection, tools: Tools) -> Attachment:
        data = parsed(connection.data, _Data)
        wanted = ways(data)
        await self._log_in(wanted, data, tools)
        await tools.root.call(SettleDevices())
        found = await self._wait(wanted, tools)
        await tools.root.call(OwnDevice(path=str(found.path)))
        return Attachment(str(found.path), multipath=found.name, wwn=found.guid)

    async def detach(self, volume: str, connection: Connection, attachment: Attachment | None, tools: Tools) -> None:
        wanted = ways(parsed(connection.data, _Data))
        found = await asyncio.to_thread(_find, wanted, attachment, _sysfs(tools))
        if found is not None:
            removed = await tools.root.call(RemoveMap(name=found.name))
            if not removed.ok:
                raise DriverFailed(f"taking {found.name} from the host, where it stays,", removed.complaint)
        shared = [
            way for other in await tools.others(volume) if other.kind == connection.kind for way in _ways_of(other)
        ]
        for way in wanted:
            if not any((way.target, way.host, way.port) == (one.target, one.host, one.port) for one in shared):
                await self._log_out(way, tools)

    async def _log_in(self, wanted: list[Way], data: _Data, tools: Tools) -> None:
        credentials = None
        if data.auth_username:
            credentials = Credentials(data.auth_username, Secret(data.auth_password or ""))

        async def log_in(way: Way) -> NodeError | OSError | None:
            try:
                server = IscsiTarget(way.target, way.host, way.port, credentials=credentials)
                await server.connect(tools.connections().tools)
            except (NodeError, OSError) as error:
                return error
            return None

        # at once: a portal that is away costs 20 s
        problems = [problem for problem in await asyncio.gather(*map(log_in, wanted)) if problem is not None]
        if len(problems) == len(wanted):
            raise DriverFailed("every login", "; ".join(str(problem) for problem in problems)) from problems[0]

    async def _wait(self, wanted: list[Way], tools: Tools) -> MultipathMap:
        for _ in range(self._looks):
            found = await asyncio.to_thread(_find, wanted, None, _sysfs(tools))
            if found is not None:
                return found
            await tools.sleep(LOOK_PERIOD)
        disks = [disk for way in wanted for disk in await asyncio.to_thread(_disks, way, _sysfs(tools))]
        seconds = self._looks * LOOK_PERIOD
        if disks:
            raise UnsupportedDevice(", ".join(disks), f"multipathd has made no map of it within {seconds:g} s")
        units = ", ".join(f"{way.target} unit {way.unit}" for way in wanted)
        raise DriverFailed(f"waiting {seconds:g} s for a disk", f"none has appeared of {units}")

    async def _log_out(self, way: Way, tools: Tools) -> None:
        connections = tools.connections()
        if any(
            isinstance(server, IscsiTarget) and (server.target, server.host, server.port) == (*_place(way),)
            for server in connections.known()
        ):
            return
        is_open = await _open_maps(tools.root)
        if not await asyncio.to_thread(_is_needed, way, is_open, _sysfs(tools)):
            # something that lies on one of its disks still keeps it
            with contextlib.suppress(InUse):
                await IscsiTarget(way.target, way.host, way.port).disconnect(connections.tools)


async def _open_maps(root: Root) -> set[str]:
    """Names of the devices of device mapper that something has open, a VM for instance."""
    listed = (await root.call(ReadDmsetup())).check("listing the devices of device mapper").output.decode()
    rows = [line.split("\t") for line in listed.splitlines()]
    return {row[0] for row in rows if len(row) == 5 and row[4] != "0"}


def _is_needed(way: Way, is_open: set[str], sysfs: Path) -> bool:
    return any(
        found.name in is_open and any(way.is_of(path.session) for path in found.paths) for found in maps.read(sysfs)
    )


def _place(way: Way) -> tuple[str, str, int]:
    return way.target, way.host, way.port


def _ways_of(connection: Connection) -> list[Way]:
    try:
        return ways(parsed(connection.data, _Data))
    except BadParameter:  # it was never attached
        return []


def _sysfs(tools: Tools) -> Path:
    return tools.connections().tools.sysfs


def _find(wanted: list[Way], attachment: Attachment | None, sysfs: Path) -> MultipathMap | None:
    """By the disk's own name where that is known: a way may lead to another disk today."""
    for found in maps.read(sysfs):
        if attachment is not None and attachment.wwn is not None:
            if found.guid == attachment.wwn:
                return found
        elif any(way.is_of(path.session) and way.unit == path.unit for way in wanted for path in found.paths):
            return found
    return None


def _disks(way: Way, sysfs: Path) -> list[str]:
    """Of the unit, on this way."""
    mine = [session for session in iscsi_sessions.read(sysfs) if way.is_of(session)]
    return [disk for session in mine for disk in session.disks if _unit(sysfs, disk) == way.unit]


def _unit(sysfs: Path, disk: str) -> int:
    text = os.path.basename(os.path.realpath(sysfs / "block" / disk / "device")).rpartition(":")[2]
    return int(text) if text.isdecimal() else -1
