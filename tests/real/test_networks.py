"""Networks of the host through the agent's API: cards (veth) in a virtual host, other ends in a namespace beside it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.client.types import SetupNetworkNetAttributes as Wish
from ovis.client.types import SetupNetworkOptions
from ovis.node.network.store import Store
from ovis.node.network_files import NetworkFiles
from ovis.wire.errors import RpcError
from tests.real.agent_process import AgentProcess, agent_process

DOMAIN = (Path(__file__).parent / "tiny_domain.xml").read_text()
VM = "0b5e77ed-0000-4000-8000-0000000000e7"
MAC = "52:54:00:00:00:e7"
GATEWAY = "10.91.0.254"
PREFIX = "fd00:91"
STATIC = {"ipaddr": "10.91.0.7", "netmask": "255.255.255.0", "gateway": GATEWAY}
UNCHECKED = SetupNetworkOptions(connectivity_check=False)
SECONDS = 60


@dataclass
class Site:
    """A host with `card0` and `card1`; both lead to the bridge `lan` in `outside`, where addresses are leased."""

    agent: AgentProcess
    vhost: VirtualHost
    outside: str
    folder: Path

    def set_up(self, options: SetupNetworkOptions = UNCHECKED, **networks: Wish) -> None:
        with self.agent.client() as node:
            node.host.setup_networks(dict(networks), options=options, deadline=SECONDS)

    def capabilities(self) -> types.VdsmNetworkCapabilities:
        with self.agent.client() as node:
            return node.host.get_network_capabilities()

    def inside(self, *command: str) -> str:
        assert self.vhost.first_process is not None
        return run("nsenter", "--net", "--target", str(self.vhost.first_process.pid), *command)

    def helper(self) -> int:
        assert self.agent.process is not None
        tasks = Path(f"/proc/{self.agent.process.pid}/task").glob("*/children")
        children = [int(number) for file in tasks for number in file.read_text().split()]
        (found,) = [n for n in children if "privileged" in Path(f"/proc/{n}/comm").read_text()]
        return found

    def sees(self, address: str) -> bool:
        """Whether the other side reaches the host there: even a refusal is an answer."""
        ask = f"import socket; socket.create_connection(({address!r}, 9), timeout=1)"
        command = ["ip", "netns", "exec", self.outside, sys.executable, "-I", "-c", ask]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        return done.returncode == 0 or "ConnectionRefusedError" in done.stderr

    def leases(self) -> str:
        file = self.folder / "dnsmasq.leases"
        return file.read_text() if file.exists() else ""


@pytest.fixture(scope="module")
def site(vhost: VirtualHost, guest_image: TinyGuest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("networks")
    assert vhost.first_process is not None
    outside = f"ovis-out-{os.getpid()}"
    run("ip", "netns", "add", outside)
    server = None
    try:
        lan = ["link add lan type bridge forward_delay 0", "link set lan up"]
        lan += [f"address add {GATEWAY}/24 dev lan", f"address add {PREFIX}::1/64 dev lan nodad"]
        for line in lan:
            run("ip", "-n", outside, *line.split())
        for number in (0, 1):
            peer = ("peer", "name", f"card{number}", "netns", str(vhost.first_process.pid))
            run("ip", "-n", outside, "link", "add", f"o{number}", "type", "veth", *peer)
            run("ip", "-n", outside, "link", "set", f"o{number}", "master", "lan", "up")
        server = dhcp_server(outside, folder)
        with agent_process(folder, vhost, guest_image) as agent:
            resolver = folder / "resolv.conf"
            resolver.write_text("nameserver 192.0.2.1\n")
            with agent.configuration.open("a") as file:
                file.write(f'[network]\nfolder = "{folder}/state/vdsm"\nresolver = "{resolver}"\n')
            look = 'mount -t sysfs none /sys && exec "$@"'  # at the devices of that network
            agent.prefix = ("nsenter", "--net", "--target", str(vhost.first_process.pid), "--")
            agent.prefix += ("unshare", "--mount", "--propagation", "private", "sh", "-c", look, "sh")
            agent.start()
            yield Site(agent, vhost, outside, folder)
            if agent.process is None or agent.process.poll() is not None:
                agent.start()
            left = Store(folder / "state/vdsm").running().networks  # also after a test that failed in the middle
            with agent.client() as node:
                node.host.setup_networks({name: Wish(remove=True) for name in left}, options=UNCHECKED)
    finally:
        if server is not None:
            server.kill()
            server.wait()
        run("ip", "netns", "delete", outside)


def dhcp_server(namespace: str, folder: Path) -> subprocess.Popen[bytes]:
    options = ["--interface=lan", "--bind-interfaces", "--except-interface=lo", "--dhcp-authoritative", "--no-ping"]
    options += ["--dhcp-range=10.91.0.100,10.91.0.150,1h", "--no-resolv", "--port=0", "--keep-in-foreground"]
    options += ["--enable-ra", f"--dhcp-range={PREFIX}::100,{PREFIX}::1ff,slaac,64,1h", "--ra-param=lan,4,60"]
    options += ["--user=root", f"--dhcp-leasefile={folder}/dnsmasq.leases", f"--pid-file={folder}/dnsmasq.pid"]
    command = ["ip", "netns", "exec", namespace, "dnsmasq", "--conf-file=/dev/null", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout


def until(what: str, true: Callable[[], bool], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def test_a_network_is_made_reached_told_saved_and_removed(site: Site) -> None:
    site.set_up(red=Wish(nic="card0", **STATIC))
    assert site.sees("10.91.0.7")
    found = site.capabilities()
    red = found.networks["red"]
    assert isinstance(red, types.NetInfoBridgedNetwork)
    assert (red.addr, red.ports, red.iface) == ("10.91.0.7", ["card0"], "red")
    assert found.net_config_dirty
    with site.agent.client() as node:
        node.host.set_safe_network_config()
        assert "red" in node.host.get_capabilities().networks
    assert not site.capabilities().net_config_dirty
    assert f"default via {GATEWAY}" in site.inside("ip", "route", "show", "table", "all")
    site.set_up(red=Wish(remove=True))
    assert "red" not in site.capabilities().networks
    assert not site.sees("10.91.0.7")


def test_an_address_by_dhcp_and_its_client_go_with_the_network(site: Site) -> None:
    site.set_up(blue=Wish(nic="card1", bootproto="dhcp", bridged=False))

    def leased() -> str:
        words = site.inside("ip", "-4", "-o", "address", "show", "dev", "card1").split()
        return words[3].partition("/")[0] if len(words) > 3 else ""

    until("an address is leased", lambda: leased().startswith("10.91.0.1"))
    assert site.sees(leased())
    assert "10.91.0.0/24" in site.inside("ip", "rule", "show")
    folder = site.folder / "state/vdsm/staging/ovis/dhcp"
    os.kill(int((folder / "card1.4.pid").read_text()), signal.SIGKILL)
    files = NetworkFiles(site.folder / "state/vdsm")
    until("the client has died", files.lost_client)
    site.agent.kill()
    site.agent.start()
    until("the agent has started another one", lambda: not files.lost_client())
    site.set_up(blue=Wish(remove=True))
    assert leased() == ""
    assert "10.91.0.0/24" not in site.inside("ip", "rule", "show")
    assert not list(folder.glob("*.pid"))


def test_addresses_by_routers_and_by_dhcpv6(site: Site) -> None:
    def addresses() -> set[str]:
        words = site.inside("ip", "-6", "-o", "address", "show", "dev", "green", "scope", "global").split()
        return {word for word in words if word.startswith(PREFIX)}

    site.set_up(green=Wish(nic="card1", dhcpv6=True))
    until("an address by DHCPv6", lambda: any(address.startswith(f"{PREFIX}::1") for address in addresses()))
    site.set_up(green=Wish(nic="card1", ipv6autoconf=True))
    until("an address by a router", lambda: any(address.endswith("/64") for address in addresses()))
    site.set_up(green=Wish(nic="card1"))
    assert not addresses()
    site.set_up(green=Wish(remove=True))


def test_a_change_that_cuts_the_manager_off_is_taken_back(site: Site) -> None:
    site.set_up(red=Wish(nic="card0", **STATIC))
    before = site.inside("ip", "route")
    wrong = Wish(nic="card0", ipaddr="10.92.0.7", netmask="255.255.255.0")
    with pytest.raises(RpcError) as caught:
        site.set_up(SetupNetworkOptions(connectivity_timeout=1), red=wrong)
    assert caught.value.code == 10
    assert site.sees("10.91.0.7")
    assert site.inside("ip", "route") == before


def test_a_client_that_comes_keeps_the_change(site: Site) -> None:
    confirmed = threading.Event()

    def confirm() -> None:
        with site.agent.client() as node:
            while not confirmed.is_set():
                node.host.confirm_connectivity()
                time.sleep(0.05)

    asking = threading.Thread(target=confirm)
    asking.start()
    try:
        site.set_up(SetupNetworkOptions(connectivity_timeout=60), red=Wish(nic="card0", mtu=1400, **STATIC))
    finally:
        confirmed.set()
        asking.join()
    assert site.capabilities().networks["red"].mtu == 1400
    assert site.sees("10.91.0.7")


def test_wrong_wishes_name_their_field_and_change_nothing(site: Site) -> None:
    before = site.inside("ip", "link")
    for wish, code, field in (
        (Wish(nic="nothere"), 23, "nic"),
        (Wish(nic="card1", vlan="4095"), 26, "vlan"),
        (Wish(nic="card1", ipaddr="10.1.1.1", netmask="255.0.255.0"), 22, "netmask"),
    ):
        with pytest.raises(RpcError, match=f"networks.wrong.{field}") as caught:
            site.set_up(wrong=wish)
        assert caught.value.code == code
    assert site.inside("ip", "link") == before


@pytest.mark.parametrize("victim", ["helper", "agent", "both"])
def test_a_death_in_the_middle_leaves_what_was(site: Site, victim: str) -> None:
    site.set_up(red=Wish(nic="card0", **STATIC))
    failed: list[Exception] = []

    def change() -> None:
        try:
            wish = Wish(nic="card0", ipaddr="10.92.0.7", netmask="255.255.255.0")
            site.set_up(SetupNetworkOptions(connectivity_timeout=200), red=wish)
        except Exception as error:  # noqa: BLE001  # whichever way the connection ends
            failed.append(error)

    changing = threading.Thread(target=change)
    changing.start()
    until("the change is made", lambda: "10.92.0.7" in site.inside("ip", "-4", "address"))
    helper = site.helper()
    if victim in ("helper", "both"):
        os.kill(helper, signal.SIGKILL)
    if victim in ("agent", "both"):
        site.agent.kill()
        until("the helper has gone", lambda: not Path(f"/proc/{helper}/comm").exists())
        site.agent.start()
    changing.join(SECONDS)
    assert failed
    until("the network is as before", lambda: site.sees("10.91.0.7"))
    assert "10.92.0.7" not in site.inside("ip", "-4", "address")


def test_a_boot_makes_the_saved_networks_before_the_agent_starts(site: Site) -> None:
    site.set_up(SetupNetworkOptions(connectivity_check=False, commit_on_success=True), red=Wish(nic="card0", **STATIC))
    state = site.folder / "state/vdsm"
    site.agent.kill()
    site.inside("ip", "link", "delete", "red")
    (state / "staging/ovis/boot").write_text("the boot before this one")
    command = (sys.executable, "-m", "ovis.node.privileged.restore_networks", "--network-state", str(state))
    site.inside(*command, "--resolver", str(site.folder / "resolv.conf"))
    assert site.sees("10.91.0.7")
    site.agent.start()
    found = site.capabilities()
    assert "red" in found.networks
    assert not found.net_config_dirty


def test_a_helper_killed_at_each_step_leaves_what_was(vhost: VirtualHost, tmp_path: Path) -> None:
    program = Path(__file__).with_name("network_deaths.py")
    print(done := run("unshare", "--net", sys.executable, str(program), str(tmp_path)))
    assert int(done.split()[0]) > 10


def test_a_guest_talks_through_the_bridge(site: Site, guest_image: TinyGuest) -> None:
    site.set_up(red=Wish(nic="card0", **STATIC))
    names = {"name": "talker", "uuid": VM, "mac": MAC, "bridge": "red"}
    xml = DOMAIN.format(kernel=guest_image.kernel, initrd=guest_image.initrd, **names)
    with site.agent.client() as node:
        node.vm.create(VM, types.VmParameters(vm_id=VM, xml=xml))
        try:
            until("the guest has a lease from outside", lambda: MAC in site.leases())
            address = next(line.split()[2] for line in site.leases().splitlines() if MAC in line)
            until("the guest answers", lambda: site.sees(address))
            with pytest.raises(RpcError, match="running VMs"):
                site.set_up(red=Wish(remove=True))
            _mirror(node, "red")
            assert "Egress Mirror to device vnet" in site.inside("tc", "filter", "show", "dev", "red", "ingress")
            _mirror(node, filter_="vdsm-no-mac-spoofing")
            assert "clsact" not in site.inside("tc", "qdisc", "show", "dev", "red")
            until("the guest answers with its own MAC address", lambda: site.sees(address))
        finally:
            node.vm.destroy(VM)


def _mirror(node: Node, *networks: str, filter_: str | None = None) -> None:
    """To the guest's card."""
    wanted = types.vmUpdateInterfaceDeviceParams(
        alias="net0", filter=filter_, port_mirroring=[*networks], device_type="interface"
    )
    node.vm.update_device(VM, wanted)
