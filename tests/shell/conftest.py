"""A small agent for the command line's tests: real server, real sockets, answers from a table."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ovis.shell.main import main
from ovis.wire.certificates import ensure
from ovis.wire.endpoints import Endpoint, TlsEndpoint, UnixEndpoint
from ovis.wire.errors import RpcError
from ovis.wire.events import Bus, Subscription
from ovis.wire.listener import Server
from ovis.wire.routes import FarEnd, HttpRequest, HttpResponse
from ovis.wire.service import Caller

DEADLINE = 10.0

VM_UP = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0001"
VM_DOWN = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0002"

VM_STATS: list[dict[str, Any]] = [
    {
        "vmId": VM_UP,
        "vmName": "web",
        "status": "Up",
        "cpuUser": "41.50",
        "cpuSys": "3.25",
        "memUsage": "37",
        "monitorResponse": "0",
        "clientIp": "",
        "elapsedTime": "3725",
        "statusTime": "1",
        "guestIPs": "192.0.2.7 fe80::1",
        "balloonInfo": {"balloon_cur": "1048576", "balloon_max": "2097152"},
        "disks": {"vda": {"readRate": "1048576.00", "writeRate": "2048.00"}},
        "network": {"vnet0": {"name": "vnet0", "rx": "1000", "tx": "500", "sampleTime": 100.0}},
    },
    {
        "vmId": VM_DOWN,
        "status": "Down",
        "exitCode": 0,
        "exitReason": 5,
        "exitMessage": "Shut down by its user",
        "timeOffset": "0",
    },
]

HOST_STATS: dict[str, Any] = {
    "cpuIdle": "58.75",
    "cpuLoad": "1.25",
    "memUsed": "92",
    "swapTotal": 1024,
    "swapFree": 512,
    "elapsedTime": "86461",
    "vmCount": 2,
}

ANSWERS: dict[str, Any] = {
    "Host.ping2": True,
    "Host.getVMList": [{"vmId": VM_UP, "status": "Up"}, {"vmId": VM_DOWN, "status": "Down"}],
    "Host.getAllVmStats": VM_STATS,
    "VM.getStats": VM_STATS[:1],
    "Host.getStats": HOST_STATS,
    "Host.getCapabilities": {"cpuThreads": "8", "memSize": "16384", "kvmEnabled": "true"},
    "VM.destroy": RpcError(1, "No VM here has this id"),
    "VM.reset": RpcError(-32001, "VM.reset needs the right to operate; uid:7 lacks it"),
    "VM.pause": RpcError(-32002, "VM.pause was not done within 30 s"),
    "VM.cont": None,  # never answered
}


class FakeGuest:
    """What is at the far end of a console: shouts back, and leaves at "exit"."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.reason = ""
        self.is_closed = threading.Event()
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self._said.put_nowait(b"login: ")

    async def read(self) -> bytes:
        return await self._said.get()

    async def write(self, data: bytes) -> None:
        self.got += data
        if b"exit" in self.got:
            self.reason = "the VM is off"
            self._said.put_nowait(b"")
        self._said.put_nowait(data.upper())

    async def close(self) -> None:
        self.is_closed.set()


class FakeAgent:
    """Also the service behind its server. `calls` is what arrived, newest last."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, str]] = []
        self.answers = dict(ANSWERS)
        self.bus = Bus()
        self.socket = ""
        self.port = 0
        self.pki = Path()
        self.subscribed = threading.Event()
        self.guests: list[FakeGuest] = []
        self.wishes: list[dict[str, Any]] = []
        self.console_refusal: HttpResponse | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    def call_now(self, method: str, params: msgspec.Raw | None, caller: Caller, *, flow: str) -> bytes | None:
        return None

    async def call(self, method: str, params: msgspec.Raw | None, caller: Caller, *, flow: str) -> bytes:
        self.calls.append((method, json.loads(bytes(params)) if params else None, flow))
        answer = self.answers.get(method, True)
        if isinstance(answer, RpcError):
            raise answer
        if method == "Host.echo":
            answer = self.calls[-1][1]["message"]
        if answer is None:
            await asyncio.sleep(DEADLINE)
        return json.dumps(answer).encode()

    async def give_ticket(self, request: HttpRequest) -> HttpResponse:
        self.wishes.append(json.loads(request.body))
        return self.console_refusal or HttpResponse(201, b'{"path": "/console?ticket=t"}')

    async def open_console(self, request: HttpRequest) -> FarEnd:
        self.guests.append(FakeGuest())
        return self.guests[-1]

    def subscribe(self, pattern: str, caller: Caller) -> Subscription:
        subscription = self.bus.subscribe(pattern)
        self.subscribed.set()
        return subscription

    def publish(self, name: str, params: dict[str, Any]) -> None:
        self._later(lambda: self.bus.publish(name, params))

    def stop(self) -> None:
        """Safe to repeat."""
        if self._loop is not None and not self._loop.is_closed():
            self._later(self._stop.set)

    def _later(self, do: Callable[[], object]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(do)

    async def serve(self, endpoints: Iterable[Endpoint], ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        async with Server(
            self,
            endpoints,
            routes={("POST", "/console/tickets"): self.give_ticket},
            tunnels={"/console": self.open_console},
        ) as server:
            for address in server.addresses:
                if isinstance(address, str):
                    self.socket = address
                else:
                    self.port = address[1]
            ready.set()
            await self._stop.wait()
            await server.stop(grace=0)


@contextmanager
def running(folder: Path, *more: Endpoint) -> Iterator[FakeAgent]:
    """An agent in a thread of this process, at `agent.socket` and, with a TLS endpoint, at `agent.port`."""
    agent = FakeAgent()
    ready = threading.Event()
    endpoints = [UnixEndpoint(str(folder / "agent.sock")), *more]
    thread = threading.Thread(target=lambda: asyncio.run(agent.serve(endpoints, ready)), name="fake agent")
    thread.start()
    try:
        assert ready.wait(DEADLINE), "the fake agent did not start"
        yield agent
    finally:
        agent.stop()
        thread.join(DEADLINE)
        assert not thread.is_alive(), "the fake agent did not stop"


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, and what it wrote."""

    code: int
    out: str
    err: str


class Ovis:
    """Runs `ovis` in this process, with the agent's socket."""

    def __init__(self, agent: FakeAgent, capsys: pytest.CaptureFixture[str]) -> None:
        self.agent = agent
        self._capsys = capsys

    def __call__(self, *words: str) -> Ended:
        code = main(words)
        out, err = self._capsys.readouterr()
        return Ended(code, out, err)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[FakeAgent]:
    with running(tmp_path) as agent:
        yield agent


@pytest.fixture
def ovis(agent: FakeAgent, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ovis:
    monkeypatch.setenv("OVIS_SOCKET", agent.socket)
    return Ovis(agent, capsys)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ended]:
    """Runs `ovis` where no agent is."""
    monkeypatch.setenv("OVIS_SOCKET", str(tmp_path / "nobody.sock"))

    def run(*words: str) -> Ended:
        code = main(words)
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return run


@pytest.fixture
def tls_agent(tmp_path: Path) -> Iterator[FakeAgent]:
    """One that listens with TLS too; the certificates are in `agent.pki`."""
    pki = tmp_path / "pki"
    with running(tmp_path, TlsEndpoint(ensure(pki).node, "127.0.0.1", 0)) as agent:
        agent.pki = pki
        yield agent
