"""VM.setTicket on a simulated VM: what QEMU is told, and what becomes of who is connected."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from vm_host import ID, VmHost, vm_host

from ovis.client.types import VmTicketConflictAction as Action
from ovis.node.console import passwords
from ovis.node.console.after_disconnect import DisconnectAction, DisconnectPolicy
from ovis.node.console.passwords import LONG_AGO, TicketFailed, Wish
from ovis.node.console.tickets import Kind
from ovis.node.errors import BadParameter, VmNotRunning
from ovis.node.hypervisor.interface import GraphicsConnected
from ovis.node.hypervisor.simulated.consoles import pair

VNC = "<graphics type='vnc' port='-1'/>"
SPICE = "<graphics type='spice' port='-1'/>"
WISH = Wish("secret", 120, Action.KEEP)


def run(folder: Path, body: Callable[[VmHost], Awaitable[None]], devices: str = VNC) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20), vm_host(folder) as host:
            await host.started(devices=devices)
            await body(host)

    asyncio.run(whole())


async def put(host: VmHost, **changes: object) -> None:
    await passwords.set_password(host.vms, host.vms.find(ID), dataclasses.replace(WISH, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(("given", "used"), [("secret", "secret"), ("longer than 8", "longer t"), ("ä" * 5, "ä" * 4)])
def test_password_holds_for_its_time(tmp_path: Path, given: str, used: str) -> None:
    async def body(host: VmHost) -> None:
        before = host.vms.clock()
        await put(host, password=given)
        told = host.hypervisor.consoles.passwords[ID]
        assert told.password == used
        assert before + 119 < told.until < host.vms.clock() + 121

    run(tmp_path, body)


@pytest.mark.parametrize("closing", [{"password": ""}, {"seconds": 0}, {"seconds": -5}])
def test_empty_password_and_no_time_close_the_console(tmp_path: Path, closing: dict[str, object]) -> None:
    async def body(host: VmHost) -> None:
        await put(host, **closing)
        told = host.hypervisor.consoles.passwords[ID]
        assert told.until == LONG_AGO
        assert told.password not in ("", "secret")

    run(tmp_path, body)


def test_vnc_password_opens_one_connection(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        consoles = host.hypervisor.consoles
        await put(host)
        host.hypervisor.publish(GraphicsConnected(ID, "", ""))  # through the agent, past the password
        await asyncio.sleep(0.01)
        assert consoles.passwords[ID].password == "secret"
        host.hypervisor.publish(GraphicsConnected(ID, "192.0.2.1", "4000"))
        await host.until(lambda: consoles.passwords[ID].until == LONG_AGO)
        assert consoles.passwords[ID].password != "secret"

    run(tmp_path, body)


def test_spice_password_holds_for_all_its_connections(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        await put(host, password="longer than eight", action=Action.DISCONNECT)
        host.hypervisor.publish(GraphicsConnected(ID, "192.0.2.1", "4000"))
        await asyncio.sleep(0.01)
        told = host.hypervisor.consoles.passwords[ID]
        assert (told.password, told.connected) == ("longer than eight", "disconnect")

    run(tmp_path, body, SPICE)


def test_fail_refuses_while_somebody_is_connected(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        host.hypervisor.consoles.clients[ID] = 1
        with pytest.raises(TicketFailed):
            await put(host, action=Action.FAIL)
        assert ID not in host.hypervisor.consoles.passwords
        host.hypervisor.consoles.clients[ID] = 0
        await put(host, action=Action.FAIL)

    run(tmp_path, body)


def test_disconnect_closes_what_leads_through_the_agent(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        screen, other = pair()[0], pair()[0]
        host.vms.consoles.begin(ID, Kind.VNC, screen)
        host.vms.consoles.begin(ID, Kind.SERIAL, other)
        await put(host, action=Action.KEEP)
        assert not screen.reason
        await put(host, action=Action.DISCONNECT)
        assert screen.reason
        assert not other.reason
        assert len(host.vms.consoles) == 1

    run(tmp_path, body)


def test_disconnect_action_is_kept_with_the_domain(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        await put(host, disconnect_action="logout")
        await put(host, disconnect_action="logout", disconnect_delay=60.0)
        vm = host.vms.find(ID)
        assert DisconnectPolicy.read(vm.definition.metadata) == DisconnectPolicy(DisconnectAction.LOGOUT, 60.0)
        await put(host)
        assert DisconnectPolicy.read(vm.definition.metadata).action is DisconnectAction.LOGOUT
        with pytest.raises(BadParameter, match="disconnectAction"):
            await put(host, disconnect_action="EXPLODE")

    run(tmp_path, body)


def test_vm_without_screen_or_without_qemu_is_refused(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        with pytest.raises(TicketFailed):
            await put(host)
        host.hypervisor.stop(ID)
        await host.until(lambda: host.vms.find(ID).is_down)
        with pytest.raises(VmNotRunning):
            await put(host)

    run(tmp_path, body, devices="")


def test_password_is_refused_when_it_cannot_be_typed(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        with pytest.raises(BadParameter):
            await put(host, password="a\0b")

    run(tmp_path, body)
