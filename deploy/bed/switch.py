"""The switch that beds are plugged into: networks of their own, away from the machine's.

    namespace of the switch:   bridge "main" 10.88.0.254/24 ──┬─ port1 ── vec0 of one bed   10.88.0.1
                                                              └─ port2 ── vec0 of another   10.88.0.2
                               bridge "data" 10.88.1.254/24 ──── port3 ── vec1 of the other 10.88.1.2

The namespace has no name: it lives as long as a process in it, and that one ends with whoever made the switch, so
nothing is left behind even by a kill.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Self

MAIN = "main"
_NETWORKS = IPv4Network("10.88.0.0/16")
_SECONDS = 20
_CLONE_NEWNET = 0x40000000


class Switch:
    """A context manager. Beds plugged into it are to be stopped first."""

    def __init__(self) -> None:
        self._networks: dict[str, IPv4Network] = {}
        self._holder: subprocess.Popen[bytes] | None = None
        self._ports = 0

    def __enter__(self) -> Self:
        # Its standard input is open until we end, however that comes to pass.
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec cat > /dev/null"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._holder.stdout
        if not self._holder.stdout.readline():
            self.close()
            raise OSError("no network namespace: only root can make one")
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def network(self, name: str = MAIN) -> IPv4Network:
        """Made when it is first asked for."""
        if name not in self._networks:
            network = IPv4Network(f"{_NETWORKS.network_address + 256 * len(self._networks)}/24")
            self.ip("link", "add", name, "type", "bridge", "forward_delay", "0")
            self.ip("address", "add", f"{network[254]}/{network.prefixlen}", "dev", name)
            self.ip("link", "set", name, "up")
            self._networks[name] = network
        return self._networks[name]

    def close(self) -> None:
        if self._holder is not None:
            for pipe in (self._holder.stdin, self._holder.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()
            self._holder.wait(_SECONDS)
            self._holder = None

    @property
    def namespace(self) -> Path:
        if self._holder is None:
            raise OSError("the switch is not there")
        return Path(f"/proc/{self._holder.pid}/ns/net")

    def new_port(self, network: str = MAIN) -> str:
        """The name of a tap device that is plugged into the network."""
        self.network(network)
        self._ports += 1
        port = f"port{self._ports}"
        self.ip("tuntap", "add", "dev", port, "mode", "tap")
        self.ip("link", "set", port, "master", network, "up")
        return port

    def cut(self, port: str) -> None:
        """What is sent through the port is lost from now on; the bed does not see that its cable is dead.

        The port itself stays up: the bed's card gives up for good when it cannot write to it.
        """
        self.ip("link", "set", port, "nomaster")

    def mend(self, port: str, network: str = MAIN) -> None:
        self.ip("link", "set", port, "master", network)

    def ip(self, *arguments: str) -> str:
        command = ["nsenter", f"--net={self.namespace}", "ip", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread makes meanwhile are on the switch, at .254 of each of its networks."""
        with Path("/proc/thread-self/ns/net").open() as own, self.namespace.open() as there:
            _set_namespace(there.fileno())
            try:
                yield
            finally:
                _set_namespace(own.fileno())


_LIBC = ctypes.CDLL(None, use_errno=True)


def _set_namespace(number: int) -> None:
    # os.setns comes with Python 3.12
    if _LIBC.setns(number, _CLONE_NEWNET):
        failure = ctypes.get_errno()
        raise OSError(failure, f"setns: {os.strerror(failure)}")
