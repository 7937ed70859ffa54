"""The agent of the other host, as a migration sees it."""

from __future__ import annotations

import logging
import re
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import msgspec

from ovis.client.types import ExitedVmStats, RunningVmStats, VmDefinition, VmStatus
from ovis.node import flows
from ovis.node.errors import BadParameter
from ovis.node.vm.migration.settings import MigrationSettings
from ovis.node.vm.migration.verdict import There
from ovis.node.vm.states import ExitReason
from ovis.wire.errors import CallTimeout, ConnectionLost, RpcError, WireError
from ovis.wire.target import TcpTarget

if TYPE_CHECKING:
    from ovis.client.node import AsyncNode

log = logging.getLogger(__name__)

NO_SUCH_VM = 1
LIMIT_EXCEEDED = 82
LOOK_SECONDS = 10.0
GREETING_SECONDS = 5.0
# One that leaves from there has run there, unless "there" is this very host: its end will tell.
ON_ITS_WAY = {VmStatus.MIGRATION_DESTINATION: There.WAITING, VmStatus.MIGRATION_SOURCE: There.UNKNOWN}
NEVER_RAN = {ExitReason.MIGRATION_FAILED, ExitReason.POSTCOPY_MIGRATION_FAILED}
_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.%]+)\]|(?P<name>[^\[\]:/\s]+))(?::(?P<port>[0-9]{1,5}))?")
_BARE_V6 = re.compile(r"[0-9A-Fa-f:.%]*:[0-9A-Fa-f:.%]*:[0-9A-Fa-f:.%]*")


class PeerError(Exception):
    """The other agent could not be reached, or did not agree; nothing of the VM is there, or the other side says so."""


class PeerRefused(PeerError):
    """It answered: nothing of the VM is there because of this."""


class PeerFull(PeerRefused):
    """As many arrive there as may."""


class Peer(Protocol):
    async def prepare(self, vm_id: str, vm: VmDefinition, *, incoming_limit: int | None) -> VmDefinition:
        """Announce the VM; the answer is how the other side has entered it. Raises PeerFull, PeerError."""
        ...

    async def look(self, vm_id: str) -> There:
        """There.UNKNOWN when it does not say."""
        ...

    async def forget(self, vm_id: str) -> bool:
        """Drop what has not run there; whether that is certain now."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class AgentPeer:
    """Over TLS with this host's own certificate, whose right is `peer`.

    In our own framing, or in STOMP where the other side knows that only: agents that are no Ovis, in a mixed cluster,
    close a connection that begins otherwise, or wait for more.
    """

    def __init__(self, address: str, settings: MigrationSettings) -> None:
        host, port = split(address)
        self._target = TcpTarget(
            host, port or settings.port, settings.tls, check_hostname=settings.check_host_name
        )  # fmt: skip
        self._prepare_deadline = settings.prepare_deadline
        self._stomp_only = False
        self._node: AsyncNode | None = None

    async def prepare(self, vm_id: str, vm: VmDefinition, *, incoming_limit: int | None) -> VmDefinition:
        try:
            node = await self._connected()
            state = await node.vm.migration_create(vm_id, vm, incoming_limit, deadline=self._prepare_deadline)
        except RpcError as error:
            kind = PeerFull if error.code == LIMIT_EXCEEDED else PeerRefused
            raise kind(f"{self._target} refuses: {error}") from error
        except (WireError, msgspec.ValidationError) as error:
            raise PeerError(str(error)) from error
        return state.params

    async def look(self, vm_id: str) -> There:
        try:
            node = await self._connected()
            (found,) = await node.vm.get_stats(vm_id, deadline=LOOK_SECONDS)
        except RpcError as error:
            return There.ABSENT if error.code == NO_SUCH_VM else There.UNKNOWN
        except (WireError, msgspec.ValidationError, ValueError):
            return There.UNKNOWN
        match found:
            case ExitedVmStats(exit_reason=reason):
                return There.FAILED if reason in NEVER_RAN else There.ENDED
            case RunningVmStats(status=status):
                return ON_ITS_WAY.get(status, There.RUNS)
            case _:
                return There.UNKNOWN

    async def forget(self, vm_id: str) -> bool:
        try:
            node = await self._connected()
            await node.vm.destroy(vm_id, 0, deadline=60)
        except RpcError as error:
            return error.code == NO_SUCH_VM
        except (WireError, msgspec.ValidationError):
            return False
        return True

    async def _connected(self) -> AsyncNode:
        if self._node is not None and not self._node.is_open:
            await self._node.close()
            self._node = None
        if self._node is None:
            from ovis.client.node import AsyncNode  # 1.3 MB that an agent needs when a VM leaves it

            if not self._stomp_only:
                self._node = await AsyncNode.open(self._target, flow=flows.current())
                if await _answers(self._node):
                    return self._node
                await self._node.close()
            from ovis.wire.stomp_connection import StompConnection

            log.debug("%s does not answer in our framing: it is spoken to in STOMP", self._target)
            self._node = AsyncNode(await StompConnection.open(self._target), flow=flows.current())
            if not self._stomp_only:
                await self._node.host.ping2(deadline=GREETING_SECONDS)
                self._stomp_only = True
        return self._node

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._node is not None:
            await self._node.close()


async def _answers(node: AsyncNode) -> bool:
    """Whether it understood us. Raises RpcError, which says that it did and has something against us."""
    try:
        await node.host.ping2(deadline=GREETING_SECONDS)
    except (ConnectionLost, CallTimeout):
        return False
    return True


def split(address: str, field: str = "params.dst") -> tuple[str, int | None]:
    """host, host:port, [IPv6]:port or a bare IPv6 address. Raises BadParameter."""
    text = address.strip()
    if _BARE_V6.fullmatch(text):
        return text, None
    match = _ADDRESS.fullmatch(text)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or (port is not None and not 0 < port < 65536):
        raise BadParameter(field, f"{address[:80]!r} is not host or host:port")
    return match["v6"] or match["name"], port


def in_uri(host: str) -> str:
    return f"[{host}]" if ":" in host else host
