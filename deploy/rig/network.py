"""The rig's network: one switch for all hosts of a rig, and one bridge in each host for its guests.

      network namespace ovis-rig-XXXXXX            network namespace of the host (has no name, dies with it)
      bridge "switch" 10.77.0.254 ── p1 ─── veth ─── eth0 10.77.0.1      ovisbr0 10.78.1.1/24 ── guests, by DHCP
                                  └─ p2 ─── veth ─── eth0 10.77.0.2      ovisbr0 10.78.2.1/24 ── guests, by DHCP

Neither reaches the machine's own network.
"""

import subprocess
from ipaddress import IPv4Address, IPv4Network

GUEST_BRIDGE = "ovisbr0"
HOST_INDEXES = range(1, 251)
_SWITCH_NETWORK = IPv4Network("10.77.0.0/24")
_SECONDS = 10


def host_address(index: int) -> IPv4Address:
    return _SWITCH_NETWORK[index]


def guest_network(index: int) -> IPv4Network:
    return IPv4Network(f"10.78.{index}.0/24")


def guest_gateway(index: int) -> IPv4Address:
    return guest_network(index)[1]


def run(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Switch:
    """The switch of one rig. Its methods are called under the rig's lock."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    @property
    def exists(self) -> bool:
        return any(line.split()[0] == self.namespace for line in run("ip", "netns", "list").splitlines())

    def ensure(self) -> None:
        if self.exists:
            return
        run("ip", "netns", "add", self.namespace)
        self._ip("link", "set", "lo", "up")
        self._ip("link", "add", "switch", "type", "bridge", "forward_delay", "0")
        self._ip("address", "add", f"{_SWITCH_NETWORK[254]}/24", "dev", "switch")
        self._ip("link", "set", "switch", "up")

    def connect(self, index: int, pid: int) -> None:
        """Give the network namespace of process `pid` an eth0 that is plugged into the switch."""
        self._ip("link", "add", f"p{index}", "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        self._ip("link", "set", f"p{index}", "master", "switch", "up")

    def disconnect(self, index: int) -> None:
        """Safe to repeat; the kernel removes the port too, at some moment after the host's last process."""
        port = f"p{index}"
        if not self._has(port):
            return
        try:
            self._ip("link", "delete", port)
        except OSError:
            if self._has(port):
                raise

    def remove(self) -> None:
        if self.exists:
            run("ip", "netns", "delete", self.namespace)

    def _has(self, port: str) -> bool:
        links = self._ip("-oneline", "link", "show") if self.exists else ""
        return port in {line.split()[1].split("@")[0].rstrip(":") for line in links.splitlines()}

    def _ip(self, *arguments: str) -> str:
        return run("ip", "-n", self.namespace, *arguments)


def configure_host(index: int) -> None:
    """Inside the host's network namespace: addresses, routes and the bridge for guests."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", f"{host_address(index)}/24", "dev", "eth0")
    run("ip", "link", "set", "eth0", "up")
    run("ip", "route", "add", "default", "via", str(_SWITCH_NETWORK[254]))
    run("ip", "link", "add", GUEST_BRIDGE, "type", "bridge", "forward_delay", "0")
    run("ip", "address", "add", f"{guest_gateway(index)}/24", "dev", GUEST_BRIDGE)
    run("ip", "link", "set", GUEST_BRIDGE, "up")


def dhcp_server(index: int) -> list[str]:
    """The command of the DHCP and DNS server for the host's guests; it goes to the background by itself."""
    network = guest_network(index)
    return [
        "dnsmasq",
        "--conf-file=/dev/null",
        f"--interface={GUEST_BRIDGE}",
        "--bind-interfaces",
        "--except-interface=lo",
        f"--dhcp-range={network[50]},{network[250]},12h",
        "--dhcp-authoritative",
        "--no-ping",  # no second of waiting whether an address is in use: nobody else hands them out here
        "--no-resolv",
        "--domain=rig.test",
        "--user=root",
        "--pid-file=/run/dnsmasq.pid",
        "--dhcp-leasefile=/run/dnsmasq.leases",
        "--log-facility=/var/log/libvirt/dnsmasq.log",
    ]
