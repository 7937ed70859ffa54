"""A virtual host as seen from outside, and the file in which it is kept."""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.rig import network
from deploy.rig.processes import Process, in_pid_namespace_of

RECORD = "host.json"
DAEMON_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
"""Nothing of the starter's: a variable such as SANLOCK_RUN_DIR would lead them to the starter's places."""
_READY_SECONDS = 60.0


class RigError(Exception):
    """A virtual host could not be made or found."""


@dataclass(frozen=True)
class VirtualHost:
    name: str
    index: int
    uuid: str
    folder: Path
    owner: Process
    """Who made it."""
    ends_with_owner: bool
    first_process: Process | None = None

    @property
    def run_dir(self) -> Path:
        """The host's /run, as seen from outside."""
        return self.folder / "run"

    @property
    def log_dir(self) -> Path:
        return self.folder / "log"

    @property
    def libvirt_socket(self) -> Path:
        return self.run_dir / "libvirt/libvirt-sock"

    @property
    def libvirt_uri(self) -> str:
        """For any process of the machine."""
        return f"qemu+unix:///system?socket={self.libvirt_socket}"

    @property
    def address(self) -> str:
        """On the switch, for the other hosts of the rig."""
        return str(network.host_address(self.index))

    @property
    def bridge(self) -> str:
        """The bridge for guests; a DHCP server hands out addresses of `guest_network` there."""
        return network.GUEST_BRIDGE

    @property
    def guest_network(self) -> str:
        return str(network.guest_network(self.index))

    @property
    def is_up(self) -> bool:
        return self.first_process is not None and self.first_process.is_alive

    def command(self, command: Sequence[str]) -> list[str]:
        """The command line that runs `command` inside the host."""
        if self.first_process is None:
            raise RigError(f"virtual host {self.name} is not up")
        return ["nsenter", "--all", "--target", str(self.first_process.pid), "--", *command]

    def exec(
        self, command: Sequence[str], *, deadline: float = 60, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside. Raises subprocess.CalledProcessError, subprocess.TimeoutExpired."""
        return subprocess.run(
            self.command(command),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=deadline,
            check=check,
        )

    def processes(self, program: str | None = None) -> list[int]:
        """Numbers, as seen from outside, of the host's processes; of one program (the kernel's 15 bytes) if given."""
        if self.first_process is None or not self.is_up:
            return []
        found = in_pid_namespace_of(self.first_process)
        return sorted(pid for pid, name in found.items() if program in (None, name))

    def start_libvirtd(self) -> None:
        """Start it again after a test has killed it; returns when it answers. Raises RigError.

        What the dead one was just starting may hold its files for a moment longer.
        """
        variables = [f"{name}={value}" for name, value in DAEMON_ENVIRONMENT.items()]
        command = ["env", "--ignore-environment", *variables, "libvirtd", "--daemon", "--listen"]
        until = time.monotonic() + _READY_SECONDS
        while (started := self.exec(command, check=False)).returncode:
            if time.monotonic() > until:
                raise RigError(f"libvirtd of {self.name} does not start: {started.stderr.strip()}")
            time.sleep(0.2)
        await_libvirt(self)


def await_libvirt(host: VirtualHost) -> None:
    until = time.monotonic() + _READY_SECONDS
    while True:
        asked = subprocess.run(
            ["virsh", "--connect", host.libvirt_uri, "version"],
            capture_output=True,
            text=True,
            timeout=_READY_SECONDS,
            check=False,
        )
        if asked.returncode == 0:
            return
        if not host.is_up:
            raise RigError(f"virtual host {host.name} ended while it started")
        if time.monotonic() > until:
            raise TimeoutError(f"libvirtd does not answer after {_READY_SECONDS:.0f} s: {asked.stderr.strip()}")
        time.sleep(0.05)


def write(host: VirtualHost) -> None:
    new = host.folder / f"{RECORD}.new"
    new.write_text(json.dumps({**asdict(host), "folder": str(host.folder)}))
    new.rename(host.folder / RECORD)


def read(folder: Path) -> VirtualHost:
    held = json.loads((folder / RECORD).read_text())
    first = held.pop("first_process")
    return VirtualHost(
        **{**held, "folder": folder, "owner": Process(**held["owner"])},
        first_process=Process(**first) if first else None,
    )
