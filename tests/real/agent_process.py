"""The real agent as a process of its own, on a virtual host's libvirtd: started, killed and started again by tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client.node import Node
from ovis.wire.errors import WireError
from ovis.wire.target import UnixTarget

START_SECONDS = 60.0


@dataclass
class AgentProcess:
    """`start`, `kill` and `stop` may be called in any order; the folder keeps the state between them."""

    folder: Path
    configuration: Path
    process: subprocess.Popen[bytes] | None = None
    extra: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    """Put before the program: to run it in the network of a virtual host."""

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "ovisd.sock"

    def start(self) -> None:
        """Returns when VM verbs are answered."""
        log = (self.folder / "ovisd.log").open("ab")
        program = Path(sys.executable).with_name("ovisd")
        self.process = subprocess.Popen(
            [*self.prefix, program, "--config", self.configuration],
            stderr=log,
            stdout=log,
            env={**os.environ, **self.extra},
        )
        log.close()
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.client() as node:
                    node.host.get_vm_list(deadline=5)
                    return
            except WireError as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    tail = (self.folder / "ovisd.log").read_text()[-3000:]
                    raise RuntimeError(f"the agent does not become ready: {error}\n{tail}") from error
            time.sleep(0.02)

    def client(self) -> Node:
        return Node.open(UnixTarget(str(self.socket)))

    def kill(self) -> None:
        """As if the power of this one process had been cut."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> float:
        """Seconds that a stop in good order took."""
        assert self.process is not None
        started = time.monotonic()
        self.process.terminate()
        self.process.wait(timeout=60)
        return time.monotonic() - started


@contextmanager
def agent_process(
    folder: Path,
    host: VirtualHost,
    guest: TinyGuest,
    *,
    sample_seconds: float = 1,
    policy_seconds: float | None = None,
) -> Iterator[AgentProcess]:
    """An agent with all its files in `folder`; not started yet, and gone at the end. `policy_seconds`: between two runs
    of its own rules; None: they do not interfere."""
    configuration = folder / "ovisd.toml"
    configuration.write_text(f"""\
run_folder = "{folder}/run"
state_folder = "{folder}/state"
[listen]
address = ""
[hypervisor]
uri = "{host.libvirt_uri}"
acceleration = "tcg"
[policy]
enabled = {"false" if policy_seconds is None else "true"}
seconds = {policy_seconds or 10}
[vms]
allowed_paths = ["{folder}", "{guest.kernel.parent}"]
sample_seconds = {sample_seconds}
guest_agent_seconds = 1
""")
    agent = AgentProcess(folder, configuration)
    try:
        yield agent
    finally:
        if agent.process is not None and agent.process.poll() is None:
            agent.process.kill()
            agent.process.wait()
