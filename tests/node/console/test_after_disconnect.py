"""What happens in the guest when nobody looks at it any more."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from vm_host import ID, VmHost, vm_host

from ovis.node.console import after_disconnect
from ovis.node.console.after_disconnect import DisconnectAction
from ovis.node.hypervisor.interface import GraphicsConnected, GraphicsDisconnected

CHANNEL = "ovirt-guest-agent.0"
DEVICES = f"<graphics type='vnc'/><channel type='unix'><target type='virtio' name='{CHANNEL}'/></channel>"


class Screen:
    def __init__(self, host: VmHost) -> None:
        self.host = host
        self.heard: list[str] = []

    def come(self, port: str) -> None:
        self.host.hypervisor.publish(GraphicsConnected(ID, "192.0.2.1", port))

    def leave(self, port: str) -> None:
        self.host.hypervisor.publish(GraphicsDisconnected(ID, "192.0.2.1", port))

    async def listen(self) -> None:
        stream = self.host.hypervisor.consoles.channels[ID, CHANNEL]
        await stream.write(b'{"__name__": "heartbeat"}\n')
        line = b""
        while data := await stream.read():
            *lines, line = (line + data).split(b"\n")
            self.heard += [json.loads(found)["__name__"] for found in lines]


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(after_disconnect, "GRACE", 0.05)


def run(folder: Path, action: DisconnectAction, body: Callable[[Screen], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20), vm_host(folder) as host:
            element = f"<ovirt-vm:consoleDisconnectAction>{action.value}</ovirt-vm:consoleDisconnectAction>"
            await host.started(devices=DEVICES, metadata=element)
            await host.until(lambda: (ID, CHANNEL) in host.hypervisor.consoles.channels)
            screen = Screen(host)
            listening = asyncio.ensure_future(screen.listen())
            await host.until(lambda: host.vms.desktops.answers(ID))
            try:
                await body(screen)
            finally:
                listening.cancel()

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("action", "command"), [(DisconnectAction.LOCK_SCREEN, "lock-screen"), (DisconnectAction.LOGOUT, "log-off")]
)
def test_last_client_that_leaves_is_acted_upon(tmp_path: Path, action: DisconnectAction, command: str) -> None:
    async def body(screen: Screen) -> None:
        screen.come("1")
        screen.come("2")
        screen.leave("1")
        await asyncio.sleep(0.1)
        assert command not in screen.heard
        screen.leave("2")
        await screen.host.until(lambda: command in screen.heard)

    run(tmp_path, action, body)


def test_client_that_comes_back_has_not_gone(tmp_path: Path) -> None:
    async def body(screen: Screen) -> None:
        screen.come("1")
        screen.leave("1")
        screen.come("2")
        await asyncio.sleep(0.15)
        assert "lock-screen" not in screen.heard

    run(tmp_path, DisconnectAction.LOCK_SCREEN, body)


def test_who_never_came_in_changes_nothing_for_who_is_there(tmp_path: Path) -> None:
    async def body(screen: Screen) -> None:
        screen.come("1")
        screen.leave("77")
        await asyncio.sleep(0.15)
        assert "lock-screen" not in screen.heard

    run(tmp_path, DisconnectAction.LOCK_SCREEN, body)


def test_who_never_came_in_shuts_nothing_down(tmp_path: Path) -> None:
    async def body(screen: Screen) -> None:
        vm: Any = screen.host.vms.find(ID)
        screen.leave("77")
        await asyncio.sleep(0.15)
        assert not vm.is_down
        assert vm.status != "Powering down"
        screen.come("1")
        screen.leave("1")
        await screen.host.until(lambda: vm.is_down or vm.status == "Powering down")

    run(tmp_path, DisconnectAction.SHUTDOWN, body)
