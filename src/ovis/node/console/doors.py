"""The two HTTP doors to consoles, beside JSON-RPC on the agent's port.

    POST /console/tickets   {"vmID": ..., "kind": "serial" | "vnc", "force": false, "seconds": 30}
                            -> 201 {"ticket": ..., "path": "/console?ticket=...", "seconds": 30}
    GET  /console?ticket=…  as WebSocket: the console's bytes in binary messages, both ways

The first needs the right to administer, as VM.setTicket does; the second needs the ticket. The screen is opened past
its password, because the ticket says the same. Why this is no verb: docs/decisions/0006.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qs

import msgspec

from ovis.node.console.far_ends import SocketEnd, StreamEnd
from ovis.node.console.tickets import SECONDS_MOST, Kind, Ticket, Tickets
from ovis.node.errors import NodeError, Recovering, TooManyCalls, VmNotFound, VmNotRunning
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError, OperationFailed, OperationRefused
from ovis.wire.routes import FarEnd, HttpRequest, HttpResponse, Routes, Tunnels, fault
from ovis.wire.service import Access

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

TICKETS_PATH = "/console/tickets"
CONSOLE_PATH = "/console"


class _Wish(msgspec.Struct, forbid_unknown_fields=True, rename={"vm_id": "vmID"}):
    vm_id: str
    kind: Kind
    force: bool = False
    seconds: Annotated[float, msgspec.Meta(gt=0, le=SECONDS_MOST)] = 30.0


class ConsoleDoors:
    def __init__(self, vms: Callable[[], Vms], clock: Callable[[], float]) -> None:
        """`vms` raises Recovering as long as they are not known. `clock`: seconds, monotonic."""
        self._vms = vms
        self.tickets = Tickets(clock)
        self.routes: Routes = {("POST", TICKETS_PATH): self._give}
        self.tunnels: Tunnels = {CONSOLE_PATH: self._open}

    async def _give(self, request: HttpRequest) -> HttpResponse:
        if Access.ADMINISTER not in request.caller.access:
            return fault(HTTPStatus.FORBIDDEN, "Tickets for consoles need the right to administer")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return fault(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json")
        try:
            wish = msgspec.json.decode(request.body, type=_Wish)
        except (msgspec.DecodeError, RecursionError) as error:
            return fault(HTTPStatus.BAD_REQUEST, str(error))
        try:
            vm = self._running(wish.vm_id)
            if wish.kind is Kind.VNC and _vnc_index(vm) is None:
                return fault(HTTPStatus.CONFLICT, f"VM {vm.id} has no VNC screen")
            word = self.tickets.give(Ticket(vm.id, wish.kind, wish.force, request.caller.name), seconds=wish.seconds)
        except NodeError as error:
            return _refusal(error)
        answer = {"ticket": word, "path": f"{CONSOLE_PATH}?ticket={word}", "seconds": wish.seconds}
        return HttpResponse(HTTPStatus.CREATED, msgspec.json.encode(answer), {"content-type": "application/json"})

    async def _open(self, request: HttpRequest) -> FarEnd | HttpResponse:
        ticket = self.tickets.take(parse_qs(request.query).get("ticket", [""])[0])
        if ticket is None:
            return fault(HTTPStatus.FORBIDDEN, "This ticket is used, too old, or was never given")
        try:
            vm = self._running(ticket.vm_id)
            far = await self._far_end(vm, ticket)
        except NodeError as error:
            return _refusal(error)
        except (HypervisorError, OSError) as error:
            log.info("the %s console of VM %s was not opened: %s", ticket.kind.value, ticket.vm_id, error)
            return fault(_status_of(error), str(error))
        log.info(
            "the %s console of VM %s is open for %s with a ticket of %s",
            ticket.kind.value, vm.id, request.caller.name, ticket.giver,
        )  # fmt: skip
        return self._vms().consoles.begin(vm.id, ticket.kind, far)

    async def _far_end(self, vm: Vm, ticket: Ticket) -> FarEnd:
        consoles = self._vms().hypervisor.consoles
        if ticket.kind is Kind.SERIAL:
            return StreamEnd(await consoles.open_console(vm.id, force=ticket.force))
        index = _vnc_index(vm)
        if index is None:
            raise OperationRefused(f"VM {vm.id} has no VNC screen")
        return await SocketEnd.of(await consoles.open_graphics(vm.id, index))

    def _running(self, vm_id: str) -> Vm:
        """Raises Recovering, VmNotFound, VmNotRunning."""
        vm = self._vms().find(vm_id)
        vm.require_qemu()
        return vm


def _vnc_index(vm: Vm) -> int | None:
    return next((index for index, device in enumerate(vm.definition.graphics) if device.kind == "vnc"), None)


def _refusal(error: NodeError) -> HttpResponse:
    match error:
        case VmNotFound():
            status = HTTPStatus.NOT_FOUND
        case Recovering() | TooManyCalls():
            status = HTTPStatus.SERVICE_UNAVAILABLE
        case VmNotRunning():
            status = HTTPStatus.CONFLICT
        case _:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
    return fault(status, str(error))


def _status_of(error: Exception) -> HTTPStatus:
    match error:
        case DomainNotFound():
            return HTTPStatus.NOT_FOUND
        case OperationRefused() | OperationFailed():
            return HTTPStatus.CONFLICT
        case _:
            return HTTPStatus.SERVICE_UNAVAILABLE
