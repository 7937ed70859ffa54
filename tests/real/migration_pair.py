"""Two virtual hosts, each with the real agent in its network, and one tiny guest that goes from one to the other.

The guest counts on its serial console; both hosts append what they get of it to the same file, so a lost, repeated or
restarted count shows there.
"""

import json
import os
import re
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import libvirt
import libvirt_qemu

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost, virtual_host
from ovis.client import types
from ovis.client.node import Node
from ovis.wire import certificates
from ovis.wire.errors import RpcError
from tests.real import guest_shell
from tests.real.agent_process import AgentProcess

DOMAIN = (Path(__file__).parent / "tiny_domain.xml").read_text()
DISK = (
    "<disk type='file'><driver name='qemu' type='raw'/><source file='{path}'/><target dev='vda' bus='virtio'/></disk>"
)
CHANNEL = "<channel type='unix'><target type='virtio' name='ovirt-guest-agent.0'/></channel>"
NUMA = "<numa><cell id='0' cpus='0' memory='128' unit='MiB'/></numa>"
SCREEN = "<graphics type='vnc' port='-1' autoport='yes'/><video><model type='vga'/></video>"
CONSOLE = "<serial type='file'><source path='{path}' append='on'/></serial>"
PATIENCE = 100.0
COUNT = "i=0; while :; do i=$((i+1)); echo COUNT $i. > /dev/ttyS0; sleep 0.02; done"


class DamagedGuest(AssertionError):
    """Its own kernel says that its memory is not as it should be. Seen with QEMU 7.2's emulation on a busy machine,
    most of all under post-copy; a test then takes another guest, and fails when that is damaged, too."""


DAMAGE = ("general protection fault", "Oops", "BUG:", "Out of memory", "panic")
NO_SUCH_VM = 1
UP = types.VmStatus.UP


class Pair:
    """`here` is the number (0, 1) of the host that has the guest."""

    count = COUNT
    """What the guest does."""

    def __init__(self, folder: Path, hosts: list[VirtualHost], agents: list[AgentProcess], guest: TinyGuest) -> None:
        self.folder = folder
        self.hosts = hosts
        self.agents = agents
        self.guest = guest
        self.vm_id = ""
        self.here = 0
        self.console = folder / "console.log"

    @property
    def there(self) -> int:
        return 1 - self.here

    # The guest

    def boot(self, *, counting: bool = True) -> str:
        """On the host `here`; returns when its agent answers and, with `counting`, it counts."""
        self.vm_id = str(uuid.uuid4())
        self.console = self.new_console(f"console-{self.vm_id[:8]}.log")
        text = self.description(self.vm_id, self.console)
        with self.client() as node:
            node.vm.create(self.vm_id, types.VmParameters(vm_id=self.vm_id, xml=text))
        until("the guest is up", lambda: self.status() is UP)
        self.until_agent_answers()
        if counting:
            self.execute(self.count)
            until("the guest counts", lambda: len(self.counts()) > 3)
        return self.vm_id

    def until_agent_answers(self) -> None:
        with domain(self.hosts[self.here], self.vm_id) as found:
            until("its QEMU agent answers", lambda: guest_shell.is_there(found))

    def description(self, vm_id: str, console: Path) -> str:
        """Domain XML of the guest, its console in a file for both hosts."""
        text = DOMAIN.format(
            name=f"vm-{vm_id[:8]}",
            uuid=vm_id,
            kernel=self.guest.kernel,
            initrd=self.guest.initrd,
            mac="52:54:00:" + ":".join(f"{b:02x}" for b in uuid.UUID(vm_id).bytes[:3]),
            bridge=self.hosts[0].bridge,
        )
        disk = self.new_disk(console)
        text = text.replace("</cpu>", f"{NUMA}</cpu>")
        text = text.replace("<serial type='pty'/>", CONSOLE.format(path=console))
        return text.replace("<console type='pty'/>", DISK.format(path=disk) + SCREEN + CHANNEL)

    def new_console(self, name: str) -> Path:
        console = self.folder / name
        console.touch()
        return console

    def new_disk(self, console: Path) -> Path:
        disk = console.with_suffix(".disk")
        with disk.open("wb") as file:
            file.truncate(16 << 20)
        return disk

    def execute(self, script: str) -> None:
        command = {"execute": "guest-exec", "arguments": {"path": "/bin/sh", "arg": ["-c", script]}}
        with domain(self.hosts[self.here], self.vm_id) as found:
            libvirt_qemu.qemuAgentCommand(found, json.dumps(command), 10, 0)

    def shell(self, script: str) -> str:
        """What the script, run in the guest, has to say."""
        with domain(self.hosts[self.here], self.vm_id) as found:
            return guest_shell.run(found, script)

    def counts(self) -> list[int]:
        """All numbers that have come out of the console so far, in order."""
        return [int(n) for n in re.findall(r"COUNT (\d+)\.", self.told())]

    def told(self) -> str:
        """All that has come out of the console so far."""
        return self.console.read_text(errors="replace")

    def has_broken(self) -> bool:
        return bool(self.damage())

    def damage(self) -> str:
        """The line in which the guest's kernel tells that it has found its memory damaged."""
        for line in self.told().splitlines():
            if any(word in line for word in DAMAGE) and "soft lockup" not in line:  # that one is a busy machine
                return line
        return ""

    def assert_counted_on(self, *, seconds: float = PATIENCE) -> None:
        """The guest goes on counting, and has never lost, repeated or restarted a count."""
        before = len(self.counts())
        until("the guest goes on counting", lambda: self.has_broken() or len(self.counts()) > before + 5, seconds)
        if self.has_broken():
            raise DamagedGuest(f"the guest's memory is damaged ({self.damage()}), see {self.console}")
        found = self.counts()
        assert found == list(range(found[0], found[0] + len(found)))

    # The agents

    def client(self, number: int | None = None) -> Node:
        return self.agents[self.here if number is None else number].client()

    def status(self, number: int | None = None, *, vm_id: str = "") -> types.VmStatus | None:
        """None: no such VM."""
        stats = self.stats(number, vm_id=vm_id)
        return None if stats is None else types.VmStatus(stats.status)

    def stats(self, number: int | None = None, *, vm_id: str = "") -> Any:
        with self.client(number) as node:
            try:
                return node.vm.get_stats(vm_id or self.vm_id)[0]
            except RpcError as error:
                if error.code == NO_SUCH_VM:
                    return None
                raise

    def migration(self) -> types.MigrationStats:
        with self.client() as node:
            return node.vm.get_migration_status(self.vm_id)

    def migrate(self, **changes: Any) -> None:
        """Begin to move it to the other host."""
        wish = types.MigrateParams(dst=self.hosts[self.there].address, **changes)
        with self.client() as node:
            node.vm.migrate(self.vm_id, wish)

    def arrived(self) -> None:
        """Wait for a success, and take the place over."""
        until("it runs there", lambda: self.status(self.there) is UP)
        until("it is down here", lambda: self.status() is types.VmStatus.DOWN)
        assert self.stats().exit_reason == 4
        with self.client() as node:
            node.vm.destroy(self.vm_id)
        self.here = self.there

    def stayed(self) -> None:
        """Wait for a failure: it runs here, and nobody there knows of it."""
        until("it is up here", lambda: self.status() is UP)
        until("it is forgotten there", lambda: self.status(self.there) is None)
        self.assert_one_copy(self.here)

    def assert_one_copy(self, number: int) -> None:
        running = [n for n, host in enumerate(self.hosts) if self.vm_id in runs(host)]
        assert running == [number]

    def revive(self) -> None:
        """Start what a failed test has left dead."""
        for agent in self.agents:
            if agent.process is None or agent.process.poll() is not None:
                agent.start()

    def clean(self) -> None:
        for host in self.hosts:
            for vm_id in domains(host):
                with domain(host, vm_id) as found:
                    found.destroy()


@contextmanager
def pair(
    folder: Path, guest: TinyGuest, *, vms: str = "", kind: type[Pair] = Pair, lock_manager: str = ""
) -> Iterator[Pair]:
    """Both agents are started. `vms`: more settings of that section. `lock_manager`: of libvirt; it knows processes by
    their numbers within a host, so the agents are processes of the hosts then."""
    with ExitStack() as stack:
        hosts = [stack.enter_context(virtual_host(f"mig{number}", lock_manager=lock_manager)) for number in (0, 1)]
        made = certificates.ensure(folder / "pki", names=[host.address for host in hosts], host_name="pair")
        install_for_qemu(hosts, Path(made.node.key).parent)
        agents = []
        for number, host in enumerate(hosts):
            agent = _agent(folder / str(number), host, folder, guest, vms)
            if lock_manager:
                agent.prefix = (*host.command([]), "setpriv", "--pdeathsig", "KILL")
            stack.callback(_end, agent)
            agents.append(agent)
        for agent in agents:
            agent.start()
        yield kind(folder, hosts, agents, guest)


def _agent(own: Path, host: VirtualHost, shared: Path, guest: TinyGuest, vms: str) -> AgentProcess:
    own.mkdir()
    configuration = own / "ovisd.toml"
    configuration.write_text(f"""\
run_folder = "{own}/run"
state_folder = "{own}/state"
[listen]
address = "{host.address}"
[tls]
folder = "{shared}/pki"
[hypervisor]
uri = "{host.libvirt_uri}"
acceleration = "tcg"
[vms]
allowed_paths = ["{shared}", "{guest.kernel.parent}"]
sample_seconds = 1
guest_agent_seconds = 1
display_address = "{host.address}"
{vms}
[migration]
daemon_uri = "qemu+tcp://{{host}}/system"
unsafe = true
sample_seconds = 0.2
retry_seconds = 0.5
appear_seconds = 20
""")
    assert host.first_process is not None
    inside = ("nsenter", "--net", "--mount", "--target", str(host.first_process.pid), "--")
    return AgentProcess(own, configuration, prefix=inside)


def install_for_qemu(hosts: list[VirtualHost], pki: Path) -> None:
    """Certificates for encrypted migration, under the names that QEMU wants; libvirtd reads them as it starts."""
    for host in hosts:
        folder = host.folder / "etc" / "qemu-pki"
        folder.mkdir()
        for mine, theirs in (("ca.pem", "ca-cert.pem"), ("node.pem", "{}-cert.pem"), ("node-key.pem", "{}-key.pem")):
            for side in ("server", "client"):
                shutil.copy(pki / mine, folder / theirs.format(side))
        with (host.folder / "etc" / "qemu.conf").open("a") as settings:
            settings.write('\nmigrate_tls_x509_cert_dir = "/etc/libvirt/qemu-pki"\n')
            settings.write("keepalive_interval = 1\nkeepalive_count = 3\n")  # a cut network is noticed in seconds
        restart_libvirtd(host)


def restart_libvirtd(host: VirtualHost) -> None:
    kill_libvirtd(host)
    host.start_libvirtd()


def kill_libvirtd(host: VirtualHost) -> None:
    for pid in host.processes("libvirtd"):
        os.kill(pid, signal.SIGKILL)
    until("libvirtd is dead", lambda: not host.processes("libvirtd"))


def _end(agent: AgentProcess) -> None:
    if agent.process is not None and agent.process.poll() is None:
        agent.process.kill()
        agent.process.wait()


@contextmanager
def domain(host: VirtualHost, vm_id: str) -> Iterator[Any]:
    connection = libvirt.open(host.libvirt_uri)
    try:
        yield connection.lookupByUUIDString(vm_id)
    finally:
        connection.close()


def domains(host: VirtualHost) -> dict[str, int]:
    """{id: libvirt's state}."""
    connection = libvirt.open(host.libvirt_uri)
    try:
        rows = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, 0)
        return {found.UUIDString(): int(stats["state.state"]) for found, stats in rows}
    finally:
        connection.close()


def runs(host: VirtualHost) -> set[str]:
    return {vm_id for vm_id, state in domains(host).items() if state == libvirt.VIR_DOMAIN_RUNNING}


def until(what: str, is_so: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)
