"""One way to an iSCSI target: through one portal and one interface of this host. Several of them are several paths.

The secret is not kept by the agent: open-iscsi's own record has it, and logging in again uses that.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

import msgspec
from msgspec import Struct

from ovis.client.types import ConnectionRefParameters
from ovis.node.privileged.errors import TookTooLong
from ovis.node.privileged.iscsi import Credentials, DiscoverTargets, LogIn, LogOut, Portal, RescanSessions, SetInterface
from ovis.node.privileged.protocol import CommandResult, Secret
from ovis.node.storage.connections import iscsi_sessions
from ovis.node.storage.connections.errors import (
    DiscoveryFailed,
    InterfaceFailed,
    InUse,
    LoginFailed,
    LoginRefused,
    LogoutFailed,
)
from ovis.node.storage.connections.interface import Tools
from ovis.node.storage.connections.iscsi_sessions import Session
from ovis.node.storage.connections.parameters import needed

# exit statuses of iscsiadm(8)
DONE, EXISTS, NOTHING_THERE, REFUSED = 0, 15, 21, 24
DEFAULT_INTERFACE = "default"
DEFAULT_PORT = 3260
SILENT = "the portal does not answer"


class IscsiTarget(Struct, frozen=True, tag_field="kind", tag="iscsi"):
    """`credentials` None: none, or those of the record when `recorded`."""

    brings_devices: ClassVar[bool] = True

    target: str
    host: str
    port: int = DEFAULT_PORT
    group: int = 1
    interface: str = DEFAULT_INTERFACE
    network_device: str = ""
    credentials: Credentials | None = None
    recorded: bool = False

    @classmethod
    def asked(cls, given: ConnectionRefParameters) -> IscsiTarget:
        return cls(
            target=needed("iqn", given.iqn),
            host=needed("connection", given.connection).strip("[]"),
            port=given.port or DEFAULT_PORT,
            group=1 if given.tpgt is None else given.tpgt,
            interface=given.iface_name or given.net_iface_name or DEFAULT_INTERFACE,
            network_device=given.net_iface_name or "",
            credentials=Credentials(given.user, Secret(given.password or "")) if given.user else None,
        )

    @property
    def name(self) -> str:
        way = "" if self.interface == DEFAULT_INTERFACE else f" through {self.interface}"
        return f"iscsi {self.target} at {self._portal},{self.group}{way}"

    async def connect(self, tools: Tools) -> None:
        if self.network_device and self.interface != DEFAULT_INTERFACE:
            made = await tools.root.call(SetInterface(name=self.interface, network_device=self.network_device))
            if not made.ok:
                raise InterfaceFailed(self.interface, made.complaint)
        result = await self._log_in(tools)
        if result.status == REFUSED:
            raise LoginRefused(self.name)
        if result.status == EXISTS:
            await tools.root.call(RescanSessions())  # units that the target has got since
        elif result.status != DONE:
            raise LoginFailed(self.name, result.complaint)

    async def disconnect(self, tools: Tools) -> None:
        if users := await asyncio.to_thread(self._users, tools):
            raise InUse(self.name, users)
        result = await tools.root.call(LogOut(target=self.target, portal=self._portal, interface=self.interface))
        if result.status not in (DONE, NOTHING_THERE):
            raise LogoutFailed(self.name, result.complaint)

    def is_connected(self, tools: Tools) -> bool:
        return self._session(tools) is not None

    def kept(self) -> IscsiTarget:
        return msgspec.structs.replace(self, credentials=None, recorded=self.recorded or self.credentials is not None)

    async def _log_in(self, tools: Tools) -> CommandResult:
        request = LogIn(
            target=self.target,
            portal=self._portal,
            interface=self.interface,
            credentials=self.credentials,
            recorded=self.recorded,
        )
        try:
            return await tools.root.call(request)
        except TookTooLong as error:
            raise LoginFailed(self.name, SILENT) from error

    @property
    def _portal(self) -> Portal:
        return Portal(self.host, self.port, self.group)

    def _users(self, tools: Tools) -> list[str]:
        session = self._session(tools)
        return [] if session is None else iscsi_sessions.users_without(session, tools.sysfs)

    def _session(self, tools: Tools) -> Session | None:
        mine = (self.target, self.host, self.port, self.interface)
        return next((s for s in tools.sessions(tools.sysfs) if (s.target, s.host, s.port, s.interface) == mine), None)


async def discover(
    tools: Tools, host: str, port: int, credentials: Credentials | None, *, with_ipv6: bool
) -> list[str]:
    """Lines `address:port,group target`. Raises DiscoveryFailed, LoginRefused, PrivilegedError."""
    portal = Portal(host.strip("[]"), port)
    try:
        result = await tools.root.call(DiscoverTargets(portal=portal, credentials=credentials))
    except TookTooLong as error:
        raise DiscoveryFailed(str(portal), SILENT) from error
    if result.status == REFUSED:
        raise LoginRefused(str(portal))
    if result.status == NOTHING_THERE:
        return []
    if not result.ok:
        raise DiscoveryFailed(str(portal), result.complaint)
    lines = [line.strip() for line in result.output.decode(errors="replace").splitlines() if line.strip()]
    return [line for line in lines if with_ipv6 or not line.startswith("[")]
