"""Two beds, each with the real agent and libvirt, their disks on a third one's NFS, and a tiny guest that goes from one
to the other.

    network "main":      the test ── agents and libvirt of both hosts       always there
    network "moving":    agent to agent, the guest's memory                 tests cut it
    network "storage":   NFS                                                tests cut it

Each host writes what it gets of the guest's console to a file of its own; put together in the order in which the guest
was there, a lost, repeated or restarted count shows.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt

from deploy.bed import project
from deploy.bed.hosts import Hosts
from deploy.bed.line import Job
from deploy.bed.machine import Bed
from deploy.bed.settings import Mode, Share
from deploy.guest.tiny_guest import TinyGuest
from ovis.client.node import Node
from ovis.wire import certificates
from ovis.wire.certificates import MadeFiles
from ovis.wire.errors import WireError
from ovis.wire.target import TcpTarget
from tests.real import guest_shell
from tests.real.migration_pair import COUNT, Pair, until

NAMES = ("one", "two")
MAIN, MOVING, STORAGE = NETWORKS = ("main", "moving", "storage")
SHARED = Path("/srv/shared")
CONSOLES = Path("/var/log/guests")
MEMORY_MIB = 1400
START_SECONDS = 90.0


@dataclass
class BedHost:
    beds: Hosts
    bed: Bed
    bridge: str = "guests"

    @property
    def address(self) -> str:
        """Under which the other host knows it."""
        return str(self.beds.address(self.bed.name, MOVING))

    @contextmanager
    def libvirt(self) -> Iterator[Any]:
        with self.beds.switch.entered():
            connection = libvirt.open(f"qemu+tcp://{self.beds.address(self.bed.name)}/system")
        try:
            yield connection
        finally:
            connection.close()

    def running(self) -> set[str]:
        """The ids of the VMs whose CPUs run."""
        with self.libvirt() as connection:
            rows = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, 0)
            return {domain.UUIDString() for domain, stats in rows if stats["state.state"] == libvirt.VIR_DOMAIN_RUNNING}


class BedAgent:
    """The agent of a host."""

    def __init__(self, host: BedHost, pki: MadeFiles) -> None:
        self.host = host
        self.pki = pki
        self.process: Job | None = None

    def start(self) -> None:
        """Returns when VM verbs are answered."""
        program = project.PYTHON.with_name("ovisd")
        script = f"exec {program} --config /etc/ovisd.toml >> /var/log/ovisd.log 2>&1"
        self.process = self.host.bed.begin(["sh", "-c", script])
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.client() as node:
                    node.host.get_vm_list(deadline=5)
                    return
            except WireError as error:
                if time.monotonic() > end or self.process.code is not None:
                    raise RuntimeError(f"the agent does not become ready: {error}\n{self.log()}") from error
            time.sleep(0.1)

    def client(self) -> Node:
        address = str(self.host.beds.address(self.host.bed.name))
        with self.host.beds.switch.entered():
            return Node.open(TcpTarget(address, tls=self.pki.admin))

    def log(self) -> str:
        return self.host.bed.run(["tail", "-n", "60", "/var/log/ovisd.log"], check=False).out


class BedPair(Pair):
    """The pair of the real tier, over real networks and NFS."""

    hosts: list[BedHost]
    agents: list[BedAgent]
    count = COUNT.replace("0.02", "0.1")  # the beds share what processors there are

    def __init__(self, hosts: list[BedHost], agents: list[BedAgent], guest: TinyGuest) -> None:
        super().__init__(CONSOLES, hosts, agents, guest)
        self._stays: list[tuple[int, int]] = []

    # The guest

    def boot(self, *, counting: bool = True) -> str:
        self._stays = [(self.here, 0)]
        return super().boot(counting=counting)

    def new_console(self, name: str) -> Path:
        for host in self.hosts:
            host.bed.shell(f"mkdir -p {CONSOLES}; touch {CONSOLES / name}")
        return CONSOLES / name

    def new_disk(self, console: Path) -> Path:
        disk = SHARED / f"{console.stem}.disk"
        self.hosts[self.here].bed.run(["truncate", "-s", "16M", disk])
        return disk

    def description(self, vm_id: str, console: Path) -> str:
        text = super().description(vm_id, console)
        return text.replace("<driver name='qemu' type='raw'/>", "<driver name='qemu' type='raw' cache='none'/>")

    def told(self) -> str:
        files = [host.bed.run(["cat", self.console]).out for host in self.hosts]
        pieces = []
        for position, (number, begin) in enumerate(self._stays):
            end = next((size for other, size in self._stays[position + 1 :] if other == number), None)
            pieces.append(files[number][begin:end])
        return "".join(pieces)

    def moves_on(self) -> None:
        """Before a migration: where its console will go on if it arrives."""
        there = self.hosts[self.there].bed.run(["cat", self.console]).out
        self._next = (self.there, len(there))

    def migrate(self, **changes: Any) -> None:
        self.moves_on()
        super().migrate(**changes)

    def arrived(self) -> None:
        here = self.there
        super().arrived()
        assert self.here == here
        self._stays.append(self._next)

    @contextmanager
    def domain(self) -> Iterator[Any]:
        with self.hosts[self.here].libvirt() as connection:
            yield connection.lookupByUUIDString(self.vm_id)

    def until_it_stands_still(self) -> None:
        """libvirt has stopped it on the source for the switch-over, or has done with that already."""
        with self.hosts[self.here].libvirt() as connection:
            found = connection.lookupByUUIDString(self.vm_id)
            until("it stands still", lambda: not _runs(found))

    def until_agent_answers(self) -> None:
        with self.domain() as found:
            until("its QEMU agent answers", lambda: guest_shell.is_there(found), 120)

    def execute(self, script: str) -> None:
        with self.domain() as found:
            guest_shell.start(found, script)

    def assert_one_copy(self, number: int) -> None:
        assert [n for n, host in enumerate(self.hosts) if self.vm_id in host.running()] == [number]

    def clean(self) -> None:
        for host in self.hosts:
            with host.libvirt() as connection:
                for found in connection.listAllDomains():
                    found.destroy()

    @contextmanager
    def cut(self, number: int, *networks: str) -> Iterator[None]:
        """This host hears and says nothing on these networks."""
        bed = self.hosts[number].bed
        cards = [NETWORKS.index(network) for network in networks]
        for card in cards:
            bed.unplug(card)
        try:
            yield
        finally:
            for card in cards:
                bed.plug(card)


def _runs(domain: libvirt.virDomain) -> bool:
    try:
        return bool(domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING)
    except libvirt.libvirtError:  # it has gone
        return False


@contextmanager
def bed_pair(beds: Hosts, folder: Path, guest: TinyGuest) -> Iterator[BedPair]:
    """Both agents are started."""
    addresses = [str(beds.address(name, network)) for name in NAMES for network in (MAIN, MOVING)]
    pki = certificates.ensure(folder / "pki", names=addresses, host_name="pair")
    _start_server(beds)
    with ExitStack() as stack:
        hosts = [_start_host(beds, name, folder) for name in NAMES]
        agents = [BedAgent(host, pki) for host in hosts]
        for host, agent in zip(hosts, agents, strict=True):
            host.bed.run(["tee", "/etc/ovisd.toml"], given=_configuration(host, folder, guest).encode())
            agent.start()
        both = BedPair(hosts, agents, guest)
        stack.callback(both.clean)
        yield both


def _start_server(beds: Hosts) -> None:
    server = beds.start("server", networks=NETWORKS, memory_mib=512, services=("udev", "nfs"))
    server.shell(f"mkdir -p {SHARED}; exportfs -i -o rw,sync,no_subtree_check,no_root_squash '*:{SHARED}'")


def _start_host(beds: Hosts, name: str, folder: Path) -> BedHost:
    shares = (*project.shares(), Share(folder, Mode.READ_ONLY))
    bed = beds.start(name, networks=NETWORKS, memory_mib=MEMORY_MIB, shares=shares)
    bed.shell(f"""
        mkdir -p {SHARED} /etc/pki/qemu
        mount -t nfs -o vers=4.2,soft,timeo=100,retrans=3 {beds.address("server", STORAGE)}:{SHARED} {SHARED}
        cp {folder}/pki/ca.pem /etc/pki/qemu/ca-cert.pem
        for side in server client; do
          cp {folder}/pki/node.pem /etc/pki/qemu/$side-cert.pem
          cp {folder}/pki/node-key.pem /etc/pki/qemu/$side-key.pem
        done
        ip link add guests type bridge; ip link set guests up
    """)
    bed.serve("libvirt")
    return BedHost(beds, bed)


def _configuration(host: BedHost, folder: Path, guest: TinyGuest) -> str:
    return f"""\
run_folder = "/run/ovis"
state_folder = "/var/lib/ovis"
[listen]
address = "0.0.0.0"
[tls]
folder = "{folder}/pki"
[hypervisor]
uri = "qemu:///system"
acceleration = "tcg"
[vms]
allowed_paths = ["{SHARED}", "{CONSOLES}", "{guest.kernel.parent}"]
sample_seconds = 1
guest_agent_seconds = 2
display_address = "{host.address}"
[migration]
daemon_uri = "qemu+tcp://{{host}}/system"
sample_seconds = 0.2
retry_seconds = 0.5
appear_seconds = 60
"""
