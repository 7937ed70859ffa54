"""A file server dies under a running guest and comes back: the guest stands still, goes on, and nobody else notices."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import cast

import libvirt
import pytest

from deploy.guest.tiny_guest import GuestNotBuilt, TinyGuest, built
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.client.types import VmStatus
from ovis.node.storage.domains.file_domain import NewFileDomain, create_file_domain
from ovis.node.storage.formats.domain_metadata import StorageType
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.leases.local import LocalLocks
from tests.bed.parts.nfs import QUICK, SERVER, dead, mortal_export, mounted
from tests.real import guest_shell
from tests.real.agent_process import AgentProcess, agent_process

pytestmark = [pytest.mark.bed(services=["nfs", "libvirt"], memory_mib=1400), pytest.mark.timeout(230)]

ID = DomainId("d0000000-0000-4000-8000-000000000000")
IMAGE = ImageId("10000000-0000-4000-8000-000000000000")
VOLUME = VolumeId("20000000-0000-4000-8000-000000000000")
SIZE = 64 << 20
DESCRIPTION = (Path(__file__).parents[1] / "real" / "tiny_domain.xml").read_text()
DISK = """<devices><disk type='file'><driver name='qemu' type='raw' cache='none' error_policy='stop'/>
  <source file='{}'/><target dev='vda' bus='virtio'/></disk>"""
WRITE = """n=0
while dd if=/dev/zero of=/dev/vda bs=64k count=1 seek=1 oflag=direct; do n=$((n+1)); echo $n > /run/written; done"""


@pytest.fixture
def guest() -> TinyGuest:
    try:
        return built()
    except GuestNotBuilt as error:
        pytest.skip(str(error))


def make_volume(mount: Path) -> Path:
    async def main() -> None:
        io = IoProcess([PurePosixPath(mount)])
        new = NewFileDomain(ID, 5, StorageType.NFS, f"{SERVER}:/srv/lost")
        domain = await create_file_domain(io, PurePosixPath(mount), new, LocalLocks())
        metadata = VolumeMetadata(
            domain=ID, image=IMAGE, parent=None, capacity=SIZE, format=VolumeFormat.RAW, allocation=Allocation.SPARSE,
            role=VolumeRole.LEAF, created=1,
        )  # fmt: skip
        await domain.store.begin(IMAGE, VOLUME, metadata, size=SIZE, allocate=False)
        await domain.store.publish(IMAGE, VOLUME)
        await io.close()

    asyncio.run(main())
    return mount / ID / "images" / IMAGE / VOLUME


@contextmanager
def agent(folder: Path, guest: TinyGuest) -> Iterator[AgentProcess]:
    host = cast("VirtualHost", SimpleNamespace(libvirt_uri="qemu:///system"))
    with agent_process(folder, host, guest) as process:
        with process.configuration.open("a") as settings:
            settings.write(f"""[storage]
root = "{folder}"
run_folder = "{folder}/links"
user = 0
group = 0
locks = "local"
check_seconds = 2
io_seconds = 6
""")
        process.start()
        yield process


def test_a_guest_goes_on_when_its_server_is_back(guest: TinyGuest, tmp_path: Path) -> None:
    vm_id = str(uuid.uuid4())
    with (
        mortal_export(Path("/srv/lost")) as source,
        mounted(source, tmp_path / "mnt" / "server", options=QUICK) as mount,
    ):
        path = make_volume(mount)
        xml = DESCRIPTION.format(name="lost", uuid=vm_id, kernel=guest.kernel, initrd=guest.initrd, mac="", bridge="")
        xml = xml[: xml.index("<interface")] + xml[xml.index("<serial") :]
        xml = xml.replace("<devices>", DISK.format(path))
        with agent(tmp_path, guest) as process, process.client() as node:
            node.host.start_monitoring_domain(ID, 1)
            wait("the domain is valid", lambda: vitals(node).valid)
            node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=xml))
            wait("the guest is up", lambda: status(node, vm_id) is VmStatus.UP, seconds=90)
            connection = libvirt.open("qemu:///system")
            domain = connection.lookupByUUIDString(vm_id)
            guest_shell.start(domain, WRITE)
            wait("it writes", lambda: written(domain) > 0)
            with dead():
                wait("the domain is invalid", lambda: not vitals(node).valid)
                wait("the guest stands still", lambda: status(node, vm_id) is VmStatus.PAUSED)
                delays = sorted(timed(node.host.get_vm_list) for _ in range(200))
                print(f"while the server is dead: p99 {delays[197] * 1e3:.1f} ms, worst {delays[-1] * 1e3:.1f} ms")
                assert delays[-1] < 2
            wait("the domain is valid again", lambda: vitals(node).valid)
            wait("the guest goes on", lambda: status(node, vm_id) is VmStatus.UP)
            before = written(domain)
            wait("it writes again", lambda: written(domain) > before)
            node.vm.destroy(vm_id)
            node.host.stop_monitoring_domain(ID)
            connection.close()


def vitals(node: Node) -> types.StorageDomainVitals:
    return node.host.get_storage_repo_stats([ID])[ID]


def status(node: Node, vm_id: str) -> VmStatus:
    return node.vm.get_stats(vm_id)[0].status


def written(domain: libvirt.virDomain) -> int:
    """The guest writes the file anew for each count: for a moment it is empty."""
    script = '[ -e /run/written ] || { echo 0; exit; }; while x=$(cat /run/written); [ -z "$x" ]; do :; done; echo $x'
    return int(guest_shell.run(domain, script).strip())


def timed(call: Callable[[], object]) -> float:
    begun = time.monotonic()
    call()
    time.sleep(0.02)
    return time.monotonic() - begun - 0.02


def wait(what: str, is_so: Callable[[], bool], *, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"not in time: {what}"
        time.sleep(0.1)
