"""A VM with a lease runs on one of two hosts, each with its own libvirt and sanlock; the lease goes with it."""

import asyncio
import subprocess
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import libvirt
import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig import sanlock
from deploy.rig.virtual_host import VirtualHost, virtual_host
from ovis.node.storage.formats.identifiers import DomainId, LeaseId
from ovis.node.storage.formats.sanlock_areas import FIRST_USER_SLOT, MIB, Geometry
from ovis.node.storage.leases.errors import LeaveFailed
from ovis.node.storage.leases.interface import Locks, Lockspace, Owner, Resource
from ovis.node.storage.volumes.store import LeasePlace
from tests.real.migration_pair import DOMAIN as DESCRIPTION
from tests.real.remote_locks import remote_locks

LIMIT = 200.0
SEEN_AS = Path("/run/sanlock")
DOMAIN = DomainId("6a4b4e3c-0000-4000-8000-0000000001ea")
LEASE = """<lease><key>{0.name}</key><lockspace>{0.lockspace.domain}</lockspace>
<target path='{0.place.path}' offset='{0.place.offset}'/></lease>"""


@dataclass(frozen=True)
class Pair:
    hosts: tuple[VirtualHost, VirtualHost]
    daemons: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]
    lockspace: Lockspace
    guest: TinyGuest
    formatted: list[bool] = field(default_factory=list)

    def vm(self, slot: int) -> tuple[str, Resource]:
        """The description of a VM and its lease."""
        vm_id = str(uuid.uuid4())
        xleases = self.lockspace.place.path.with_name("xleases")
        lease = Resource(self.lockspace, LeaseId(vm_id), LeasePlace(xleases, (FIRST_USER_SLOT + slot) * MIB))
        text = DESCRIPTION.format(
            name=f"vm-{vm_id[:8]}",
            uuid=vm_id,
            kernel=self.guest.kernel,
            initrd=self.guest.initrd,
            mac="52:54:00:" + ":".join(f"{byte:02x}" for byte in uuid.UUID(vm_id).bytes[:3]),
            bridge=self.hosts[0].bridge,
        )
        return text.replace("<memballoon", LEASE.format(lease) + "<memballoon"), lease


@pytest.fixture(scope="module")
def hosts(guest_image: TinyGuest, vhost: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    if reason := sanlock.missing():
        pytest.skip(reason)
    libvirt.registerErrorHandler(lambda *_: None, None)
    folder = tmp_path_factory.mktemp("leases") / DOMAIN / "dom_md"
    folder.mkdir(parents=True)
    for name in ("ids", "xleases"):
        with (folder / name).open("wb") as file:
            file.truncate(16 * MIB)
    lockspace = Lockspace(DOMAIN, LeasePlace(PurePosixPath(folder / "ids")), Geometry())
    with ExitStack() as stack:
        first, second = (stack.enter_context(virtual_host(name, lock_manager="sanlock")) for name in ("la", "lb"))
        one, other = (stack.enter_context(daemon_of(host)) for host in (first, second))
        yield Pair((first, second), (one, other), lockspace, guest_image)


@contextmanager
def daemon_of(host: VirtualHost) -> Iterator[subprocess.Popen[bytes]]:
    with sanlock.sanlock(host.run_dir / "sanlock", host.name, within=host.command([]), seen_as=SEEN_AS) as daemon:
        yield daemon


def run(pair: Pair, test: Callable[[Locks, Locks], Awaitable[None]]) -> None:
    """`test` gets the locks of both hosts' agents, which have joined as 1 and 2."""

    async def main() -> None:
        async with asyncio.timeout(LIMIT), AsyncExitStack() as stack:
            one, other = [
                (await stack.enter_async_context(remote_locks(SEEN_AS, within=tuple(host.command([])))))[0]
                for host in pair.hosts
            ]
            if not pair.formatted:
                await one.format_lockspace(pair.lockspace)
                pair.formatted.append(True)
            await asyncio.gather(one.join(pair.lockspace, 1), other.join(pair.lockspace, 2))
            await test(one, other)

    asyncio.run(main())


@contextmanager
def connected(host: VirtualHost) -> Iterator[libvirt.virConnect]:
    connection = libvirt.open(host.libvirt_uri)
    try:
        yield connection
    finally:
        connection.close()


def start(host: VirtualHost, text: str) -> None:
    with connected(host) as connection:
        connection.createXML(text)


def running(host: VirtualHost) -> list[str]:
    with connected(host) as connection:
        return [domain.UUIDString() for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING)]


def destroy(host: VirtualHost, vm_id: str) -> None:
    with connected(host) as connection:
        connection.lookupByUUIDString(vm_id).destroy()


def migrate(source: VirtualHost, target: VirtualHost, vm_id: str) -> None:
    flags = libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PEER2PEER | libvirt.VIR_MIGRATE_UNSAFE
    with connected(source) as connection:
        uri = f"qemu+tcp://{target.address}/system"
        connection.lookupByUUIDString(vm_id).migrateToURI3(uri, {}, flags)


def test_a_vm_runs_on_the_host_that_has_its_lease(hosts: Pair) -> None:
    async def test(one: Locks, other: Locks) -> None:
        text, lease = hosts.vm(0)
        await one.format_resource(lease)
        await asyncio.to_thread(start, hosts.hosts[0], text)
        assert await other.owner(lease) == Owner(1, 1)
        with pytest.raises(libvirt.libvirtError, match="lock"):
            await asyncio.to_thread(start, hosts.hosts[1], text)
        assert running(hosts.hosts[1]) == []
        with pytest.raises(LeaveFailed, match="leases of VMs"):
            await one.leave(hosts.lockspace, 1)
        await asyncio.to_thread(destroy, hosts.hosts[0], lease.name)
        await asyncio.to_thread(start, hosts.hosts[1], text)
        assert await one.owner(lease) == Owner(2, 2)
        await asyncio.to_thread(destroy, hosts.hosts[1], lease.name)

    run(hosts, test)


def test_a_lease_goes_with_its_vm(hosts: Pair) -> None:
    async def test(one: Locks, other: Locks) -> None:
        text, lease = hosts.vm(1)
        await one.format_resource(lease)
        await asyncio.to_thread(start, hosts.hosts[0], text)
        await asyncio.to_thread(migrate, *hosts.hosts, lease.name)
        assert running(hosts.hosts[0]) == []
        assert running(hosts.hosts[1]) == [lease.name]
        assert (owner := await one.owner(lease))
        assert owner.host_id == 2
        with pytest.raises(libvirt.libvirtError):
            await asyncio.to_thread(start, hosts.hosts[0], text)
        await asyncio.to_thread(destroy, hosts.hosts[1], lease.name)

    run(hosts, test)
