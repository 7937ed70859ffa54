"""`make demo`: a real virtual machine under the agent, on a private virtual host; nothing of the machine is touched.

    ONCE=1             stop after the table; exit code 0 only if the guest agent answered
    DEMO_HOST=system   use the machine's own libvirtd instead of a private virtual host

What it makes (virtual host, agent, certificates, VM) is removed at the end, also after Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.demo import storage
from deploy.guest.tiny_guest import GuestNotBuilt, TinyGuest, built
from deploy.rig.virtual_host import RigError, missing, virtual_host
from ovis.client import types
from ovis.client.node import AsyncNode
from ovis.wire import certificates
from ovis.wire.errors import ConnectionLost, WireError
from ovis.wire.events import Event, Lost
from ovis.wire.target import TcpTarget
from ovis.wire.tls import TlsFiles

START_SECONDS = 15.0
GUEST_SECONDS = 90.0
DOMAIN_XML = Path(__file__).with_name("domain.xml")

console = Console(highlight=False)


class DemoFailed(Exception):
    """The demo cannot go on; the text says why and what to do."""


@dataclass(frozen=True)
class Place:
    """Where the VM will run: libvirt's URI and the XML of a network card that works there."""

    libvirt_uri: str
    interface: str


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is going on, and how long it took."""
    started = time.monotonic()
    with console.status(what) if console.is_terminal else nullcontext():
        yield
    console.print(f"[green]✓[/] {what} [dim]{time.monotonic() - started:.1f} s[/]")


@contextmanager
def place() -> Iterator[Place]:
    """The machine's own libvirtd, or a private virtual host for as long as the block runs."""
    if os.environ.get("DEMO_HOST") == "system":
        yield Place("qemu:///system", "<interface type='user'><model type='virtio'/></interface>")
        return
    if reason := missing():
        raise DemoFailed(
            f"no private virtual host can be made here: {reason}. DEMO_HOST=system uses your own libvirtd."
        )
    host = virtual_host("demo")
    with step("a private virtual host with its own libvirtd"):
        made = host.__enter__()
    try:
        card = f"<interface type='bridge'><source bridge='{made.bridge}'/><model type='virtio'/></interface>"
        yield Place(made.libvirt_uri, card)
    finally:
        host.__exit__(None, None, None)


@dataclass(frozen=True)
class Agent:
    """A running agent of this demo."""

    port: int
    socket: Path
    tls: TlsFiles
    log: Path

    async def connect(self) -> AsyncNode:
        """Over TLS. Raises ConnectionLost."""
        return await AsyncNode.open(TcpTarget("localhost", self.port, tls=self.tls), flow="demo")


@asynccontextmanager
async def agent(folder: Path, libvirt_uri: str, guest: TinyGuest) -> AsyncIterator[Agent]:
    """`ovisd` with everything of its own in `folder`."""
    pki = folder / "pki"
    made = certificates.ensure(pki)
    port = _free_port()
    configuration = folder / "ovisd.toml"
    configuration.write_text(_configuration(folder, port, libvirt_uri, guest))
    log = folder / "ovisd.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("ovisd")), "--config", str(configuration), stderr=output, stdout=output
        )
    try:
        running = Agent(port, folder / "run" / "ovisd.sock", made.admin, log)
        await _until_ready(running, process)
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _configuration(folder: Path, port: int, libvirt_uri: str, guest: TinyGuest) -> str:
    return f"""\
run_folder = "{folder}/run"
state_folder = "{folder}/state"
[listen]
address = "localhost"
port = {port}
[tls]
folder = "{folder}/pki"
[hypervisor]
uri = "{libvirt_uri}"
guest_image_folder = "{guest.kernel.parent}"
[vms]
allowed_paths = ["{folder}", "{guest.kernel.parent}"]
sample_seconds = 2
guest_agent_seconds = 5
""" + storage.CONFIGURATION.format(folder=folder, user=os.geteuid(), group=os.getegid())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _until_ready(running: Agent, process: asyncio.subprocess.Process) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            async with await running.connect() as node:
                await node.host.get_vm_list()
                return
        except (WireError, OSError) as error:
            if process.returncode is not None or time.monotonic() > until:
                tail = running.log.read_text(errors="replace")[-3000:]
                raise DemoFailed(f"the agent does not answer: {error}\n{tail}") from error
        await asyncio.sleep(0.05)


async def create_vm(node: AsyncNode, where: Place, guest: TinyGuest, disk: storage.Disk) -> str:
    """Create the tiny guest's VM through the typed client; returns its id."""
    vm_id = str(uuid.uuid4())
    xml = DOMAIN_XML.read_text().format(
        id=vm_id,
        kernel=guest.kernel,
        initrd=guest.initrd,
        interface=where.interface,
        name=f"demo-{vm_id[:8]}",
        disk=disk.metadata,
    )
    await node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=xml))
    return vm_id


async def until_guest_answers(node: AsyncNode, vm_id: str) -> types.RunningVmStats:
    """Wait for the guest's own facts: its name, and an address beside the loopback one."""
    until = time.monotonic() + GUEST_SECONDS
    while True:
        stats = (await node.vm.get_stats(vm_id))[0]
        if isinstance(stats, types.ExitedVmStats):
            raise DemoFailed(f"the VM ended: {stats.exit_message}")
        assert isinstance(stats, types.RunningVmStats)
        if stats.guest_ips and stats.guest_os_info:
            return stats
        if time.monotonic() > until:
            raise DemoFailed(f"the guest agent did not answer within {GUEST_SECONDS:.0f} s; status {stats.status}")
        await asyncio.sleep(0.2)


async def show(node: AsyncNode, stats: types.RunningVmStats, vm_id: str, disk: storage.Disk) -> None:
    """The table of the VM, and what runs its code."""
    capabilities = await node.host.get_capabilities()
    definition = (await node.host.get_vm_full_list([vm_id]))[0]
    memory = f"{(definition.mem_size or 0) >> 20} MiB"
    cpu = f"{stats.cpu_user_percent + stats.cpu_sys_percent:.0f} % of a host CPU"
    table = Table(title="A real virtual machine under Ovis", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for row in (
        ("id", vm_id),
        ("name", definition.vm_name),
        ("status", stats.status),
        ("guest OS", stats.guest_os_info.distribution if stats.guest_os_info else stats.guest_os),
        ("guest name", stats.guest_fqdn),
        ("address", stats.guest_ips),
        ("memory", memory),
        ("CPU", cpu),
        ("disk", f"{disk.volume.size >> 20} MiB, thin, image {disk.volume.image} of storage domain {disk.domain}"),
        ("runs on", f"{capabilities.acceleration}: {capabilities.acceleration_reason}"),
    ):
        table.add_row(*row)
    console.print(table)


def how_to_go_on(running: Agent, vm_id: str) -> None:
    console.print("\nThe agent runs until Ctrl-C. In another terminal, from this folder:")
    ovis = f".venv/bin/ovis node --socket {running.socket}"
    for command in (
        "top",
        "storage list",
        "image list",
        f"VM getStats vmID={vm_id}",
        "policy what-if",
        "network list",
        "hooks list",
        f"VM shutdown vmID={vm_id}",
        "Host getCapabilities -o json",
    ):
        console.print(f"  {ovis} {command}", soft_wrap=True)
    for page in ("health", "metrics"):
        console.print(f"  curl --unix-socket {running.socket} http://host/{page}", soft_wrap=True)
    console.print("\nEvents:")


async def follow(node: AsyncNode) -> None:
    """Print events until Ctrl-C."""
    with await node.subscribe("*") as events:
        async for event in events:
            match event:
                case Event(name=name, params=params):
                    parameters = msgspec.json.decode(params)
                    parameters.pop("notify_time", None)
                    parameters.pop("seq", None)
                    text = msgspec.json.encode(parameters).decode()
                    console.print(f"{time.strftime('%H:%M:%S')} {name} {text}", soft_wrap=True, markup=False)
                case Lost(count=count):
                    console.print(f"({count} events were lost)")


async def run() -> None:
    """The whole demo. Raises DemoFailed."""
    try:
        guest = built()
    except GuestNotBuilt as error:
        raise DemoFailed(str(error)) from error
    once = os.environ.get("ONCE", "") not in ("", "0")
    with tempfile.TemporaryDirectory(prefix="ovis-demo-") as folder, place() as where:
        starting = agent(Path(folder), where.libvirt_uri, guest)
        with step("the agent, over TLS on localhost (its first start tries a guest under KVM)"):
            running = await starting.__aenter__()
        try:
            async with await running.connect() as node:
                with step("a storage domain with a disk"):
                    disk = await storage.make_disk(running.socket, Path(folder) / "disks")
                with step("the VM, from domain XML through the typed client"):
                    vm_id = await create_vm(node, where, guest, disk)
                try:
                    with step("the guest boots and its agent answers"):
                        stats = await until_guest_answers(node, vm_id)
                    await show(node, stats, vm_id, disk)
                    if not once:
                        how_to_go_on(running, vm_id)
                        await follow(node)
                finally:
                    with suppress(WireError):
                        await node.vm.destroy(vm_id)
                        await storage.close(running.socket)
        finally:
            await starting.__aexit__(None, None, None)
            if once:
                console.print("[dim]What the demo made (VM, agent, files) is gone again.[/]")


async def until_interrupted() -> int:
    """Run the demo; Ctrl-C and SIGTERM end it in good order."""
    task = asyncio.create_task(run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        console.print("\nRemoved what the demo made.")
    except (DemoFailed, RigError, ConnectionLost, certificates.CertificateProblem) as error:
        console.print(f"[red]The demo failed:[/] {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(until_interrupted()))
