"""Screens as their clients see them: a browser's noVNC through the agent, a SPICE client with a password."""

import base64
import json
import os
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.types import VmStatus, VmTicketConflictAction
from tests.real.agent_process import AgentProcess, agent_process

DOMAIN = """<domain type='qemu'><name>{name}</name><uuid>{id}</uuid><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>{devices}</devices></domain>"""
VNC = "<graphics type='vnc' autoport='yes' passwd='none'/><video><model type='vga'/></video>"
SPICE = """<graphics type='spice' autoport='yes' passwd='none' passwdValidTo='1970-01-01T00:00:01'>
<listen type='address' address='127.0.0.1'/></graphics><video><model type='qxl'/></video>"""
SPICE_LOGIN = Path(__file__).with_name("spice_login.py")


@pytest.fixture(scope="module")
def agent(
    vhost: VirtualHost, guest_image: TinyGuest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    with agent_process(tmp_path_factory.mktemp("screens"), vhost, guest_image) as process:
        process.start()
        yield process


@pytest.fixture
def machine(agent: AgentProcess, request: pytest.FixtureRequest) -> Iterator[str]:
    """A running VM with the devices that the test names."""
    vm_id = str(uuid.uuid4())
    xml = DOMAIN.format(id=vm_id, name=f"screen-{vm_id[:8]}", devices=request.param)
    with agent.client() as node:
        node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=xml))
        wait("it runs", lambda: node.vm.get_stats(vm_id)[0].status is not VmStatus.WAIT_FOR_LAUNCH)
    yield vm_id
    with agent.client() as node:
        node.vm.destroy(vm_id)


def wait(what: str, is_so: Callable[[], object], *, seconds: float = 40.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"not in time: {what}"
        time.sleep(0.1)


class Browser:
    """What noVNC makes of a WebSocket, written anew here: masked binary messages, the subprotocol `binary`."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20)
        self._socket.connect(str(path))
        self._raw = b""
        self._rfb = b""

    def post(self, path: str, body: object) -> dict[str, str]:
        data = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + data)
        status, headers = self._head()
        assert status == 201
        answer: dict[str, str] = json.loads(self._take(int(headers["content-length"])))
        return answer

    def upgrade(self, path: str) -> dict[str, str]:
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        status, headers = self._head()
        assert status == 101
        return headers

    def send(self, data: bytes) -> None:
        mask = os.urandom(4)
        assert len(data) < 126
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self._socket.sendall(bytes([0x82, 0x80 | len(data)]) + mask + masked)

    def take(self, size: int) -> bytes:
        """Of what the server said in its messages."""
        while len(self._rfb) < size:
            opcode, length = struct.unpack("!BB", self._take(2))
            if length == 126:
                (length,) = struct.unpack("!H", self._take(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self._take(8))
            data = self._take(length)
            assert opcode & 0x0F in (0, 2), (opcode, data)
            self._rfb += data
        taken, self._rfb = self._rfb[:size], self._rfb[size:]
        return taken

    def _head(self) -> tuple[int, dict[str, str]]:
        while b"\r\n\r\n" not in self._raw:
            self._more()
        head, _, self._raw = self._raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        return int(first.split()[1]), {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }

    def _take(self, size: int) -> bytes:
        while len(self._raw) < size:
            self._more()
        taken, self._raw = self._raw[:size], self._raw[size:]
        return taken

    def _more(self) -> None:
        data = self._socket.recv(1 << 16)
        assert data, "the agent closed the connection"
        self._raw += data


@pytest.mark.parametrize("machine", [VNC], indirect=True)
def test_a_browser_gets_the_picture_with_a_ticket(agent: AgentProcess, machine: str) -> None:
    ticket = Browser(agent.socket).post("/console/tickets", {"vmID": machine, "kind": "vnc"})
    browser = Browser(agent.socket)
    assert browser.upgrade(ticket["path"]).get("sec-websocket-protocol") == "binary"
    assert browser.take(12) == b"RFB 003.008\n"
    browser.send(b"RFB 003.008\n")
    assert browser.take(2) == b"\x01\x01"
    browser.send(b"\x01")
    assert browser.take(4) == b"\0\0\0\0"
    browser.send(b"\x01")
    width, height, bits, *_ = struct.unpack("!HHB3xHHHBBB3xI", browser.take(24))
    browser.take(len(f"QEMU (screen-{machine[:8]})"))
    assert width >= 640
    assert height >= 400
    browser.send(struct.pack("!BxHi", 2, 1, 0))  # raw pixels only
    browser.send(struct.pack("!BBHHHH", 3, 0, 0, 0, 16, 16))
    kind, rectangles = struct.unpack("!BxH", browser.take(4))
    assert (kind, rectangles >= 1) == (0, True)
    _, _, w, h, encoding = struct.unpack("!HHHHi", browser.take(12))
    assert encoding == 0
    assert len(browser.take(w * h * bits // 8)) >= 16 * 16 * bits // 8


def spice(host: VirtualHost, port: int, password: str) -> bool:
    command = [sys.executable, str(SPICE_LOGIN), str(port), password]
    return host.exec(command, check=False, deadline=20).returncode == 0


@pytest.mark.parametrize("machine", [SPICE], indirect=True)
def test_a_spice_password_opens_until_its_time_is_over(agent: AgentProcess, vhost: VirtualHost, machine: str) -> None:
    with agent.client() as node:
        stats = node.vm.get_stats(machine)[0]
        assert isinstance(stats, types.RunningVmStats)
        port = stats.display_port
        assert isinstance(port, int)
        assert not spice(vhost, port, "ticket")
        node.vm.set_ticket(machine, "ticket-longer-than-vnc", 60, VmTicketConflictAction.DISCONNECT)
        assert not spice(vhost, port, "wrong")
        assert spice(vhost, port, "ticket-longer-than-vnc")
        assert spice(vhost, port, "ticket-longer-than-vnc"), "SPICE takes a password more than once"

        assert vhost.first_process is not None
        inside = ["nsenter", "--net", "--target", str(vhost.first_process.pid), "--", sys.executable, SPICE_LOGIN]
        stays = [*inside, str(port), "ticket-longer-than-vnc", "stay"]
        with subprocess.Popen(stays, stdout=subprocess.PIPE) as client:
            try:
                assert client.stdout is not None
                assert client.stdout.readline() == b"in\n"
                node.vm.set_ticket(machine, "another", 60, VmTicketConflictAction.KEEP)
                assert client.poll() is None
                node.vm.set_ticket(machine, "yet another", 60, VmTicketConflictAction.DISCONNECT)
                assert client.wait(timeout=20) == 0
            finally:
                client.kill()
        node.vm.set_ticket(machine, "yet another", 0, VmTicketConflictAction.DISCONNECT)
        assert not spice(vhost, port, "yet another")
