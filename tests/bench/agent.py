"""The agent under test: a real `ovisd` with files and ports of its own, ended when its context is left."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from clients import Address
from vms import create_params

from ovis.wire import certificates
from ovis.wire.blocking import BlockingConnection
from ovis.wire.errors import RpcError, WireError
from ovis.wire.target import UnixTarget

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv/bin/python"
OVISD = ROOT / ".venv/bin/ovisd"
OVIS = ROOT / ".venv/bin/ovis"
_PROGRAM = Path(__file__).with_name("agent_program.py")
_START_SECONDS = 20.0
_RECOVERING = 99
_STOP_SECONDS = 10.0
_WORD_SECONDS = 10.0
_LOOK_SECONDS = 0.001
"""Between two tries to connect: what a start is measured to."""


def environment() -> dict[str, str]:
    """For programs under test: compiled modules are kept (and beside the tree), as they are on an installed system.

    Without them each start compiles everything, which doubles its time and adds 10 MB to the memory.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(ROOT / "build/bench-bytecode")}


class AgentFailed(Exception):
    """The agent did not start, stop or answer as it should."""


@dataclass(frozen=True)
class Setting:
    """How the agent is configured. `obedient`: it runs as `agent_program`."""

    uri: str = "simulated:"
    obedient: bool = True
    sample_seconds: float = 15.0
    calls: int = 256
    calls_per_connection: int = 64


@dataclass(frozen=True)
class Place:
    """Where an agent keeps its files, and the ports it listens on."""

    folder: Path
    port: int
    plain_port: int


class Agent:
    def __init__(self, process: subprocess.Popen[str], place: Place) -> None:
        self.process = process
        self.folder = place.folder
        self._place = place
        self.vms = 0

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def socket(self) -> Path:
        return self.folder / "run/ovisd.sock"

    def address(self, *, tls: bool) -> Address:
        """Where it listens on loopback."""
        if not tls:
            return Address("127.0.0.1", self._place.plain_port)
        return Address("127.0.0.1", self._place.port, certificates.ensure(self.folder / "pki").admin)

    def connect(self) -> BlockingConnection:
        return BlockingConnection.open(UnixTarget(str(self.socket)))

    def add_vms(self, number: int, *, sampled: bool = True) -> None:
        """Create VMs until there are `number`, and wait until all are up and (`sampled`) all is known of them."""
        connection = self.connect()
        try:
            while self.vms < number:
                params = msgspec.json.encode(create_params(self.vms, self.folder / "disks"))
                connection.call("VM.create", params, timeout=10)
                self.vms += 1
            _wait_until(lambda: _are_up(connection, number, sampled=sampled), 60, f"{number} VMs are not up")
        except RpcError as error:
            raise AgentFailed(f"VM {self.vms} cannot be created: {error}") from error
        finally:
            connection.close()

    def ask(self, word: str) -> Mapping[str, float]:
        """Let the obedient hypervisor do something."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        readable, _, _ = select.select([self.process.stdout], [], [], _WORD_SECONDS)
        answer = self.process.stdout.readline() if readable else ""
        if not answer:
            raise AgentFailed(f"no answer to {word!r}")
        found = json.loads(answer)
        assert isinstance(found, dict)
        return found

    def log(self) -> str:
        """The end of it."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]


@contextmanager
def running(setting: Setting) -> Iterator[Agent]:
    """An agent that answers and knows its VMs."""
    with prepared(setting) as place, started(place, obedient=setting.obedient) as agent:
        await_answer(agent)
        await_recovered(agent)
        yield agent


@contextmanager
def prepared(setting: Setting) -> Iterator[Place]:
    """A folder with all that an agent needs. Below `build`: state is written to a disk, as on a real host."""
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as name:
        place = Place(Path(name), *_free_ports(2))
        (place.folder / "disks").mkdir()
        certificates.ensure(place.folder / "pki")
        (place.folder / "ovisd.toml").write_text(_configuration(place, setting), encoding="utf-8")
        yield place


@contextmanager
def started(place: Place, *, obedient: bool) -> Iterator[Agent]:
    """The process; it may not answer yet."""
    program = [PYTHON, _PROGRAM] if obedient else [OVISD]
    with open(place.folder / "log", "ab") as log:
        process = subprocess.Popen(
            [*program, "--config", place.folder / "ovisd.toml"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(),
        )
    with process:
        try:
            yield Agent(process, place)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def await_answer(agent: Agent) -> None:
    """Return as soon as Host.ping2 is answered over the Unix socket."""

    def answers() -> bool:
        if agent.process.poll() is not None:
            raise AgentFailed(f"the agent ended at once:\n{agent.log()}")
        try:
            connection = agent.connect()
        except WireError:
            return False
        try:
            connection.call("Host.ping2", None, timeout=5)
        finally:
            connection.close()
        return True

    _wait_until(answers, _START_SECONDS, "the agent does not answer", every=_LOOK_SECONDS)


def await_recovered(agent: Agent) -> None:
    connection = agent.connect()

    def knows() -> bool:
        try:
            connection.call("Host.getAllVmStats", None, timeout=5)
        except RpcError as error:
            if error.code != _RECOVERING:
                raise
            return False
        return True

    try:
        _wait_until(knows, _START_SECONDS, "the agent does not find its VMs")
    finally:
        connection.close()


def _wait_until(holds: Callable[[], bool], seconds: float, otherwise: str, *, every: float = 0.05) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AgentFailed(otherwise)
        time.sleep(every)


def _are_up(connection: BlockingConnection, number: int, *, sampled: bool) -> bool:
    answer = msgspec.json.decode(bytes(connection.call("Host.getAllVmStats", None)))
    needed = {"netIfaces", "disks"} if sampled else set()
    return len(answer) == number and all(vm["status"] == "Up" and needed <= vm.keys() for vm in answer)


def _configuration(place: Place, setting: Setting) -> str:
    folder = place.folder
    return f"""run_folder = "{folder}/run"
state_folder = "{folder}/state"
[listen]
address = "127.0.0.1"
port = {place.port}
plain_address = "127.0.0.1"
plain_port = {place.plain_port}
[tls]
folder = "{folder}/pki"
[hypervisor]
uri = "{setting.uri}"
acceleration = "tcg"
deadline_seconds = 60
[vms]
allowed_paths = ["{folder}"]
sample_seconds = {setting.sample_seconds}
[limits]
calls = {setting.calls}
calls_per_connection = {setting.calls_per_connection}
[log]
level = "WARNING"
"""


def _free_ports(count: int) -> list[int]:
    """Free on loopback a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()
