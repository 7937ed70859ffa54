"""QEMU or libvirtd is killed in the middle of work on the disks of a VM: the work ends, every layer is whole, no bit is
lost. What happens at each single step is in tests/node/vm/disks/test_outages.py."""

import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.wire.errors import WireError
from tests.real.agent_process import AgentProcess, agent_process
from tests.real.disk_guest import DOMAIN_ID, Disk, DiskGuest, boot, create, digest_of, image_tool, until
from tests.real.migration_pair import kill_libvirtd

Call = Callable[[Node, DiskGuest], object]
MOMENT = 0.02  # seconds; a snapshot takes some 30 ms, and so do the others to begin


@pytest.fixture(scope="module")
def agent(
    tmp_path_factory: pytest.TempPathFactory, vhost: VirtualHost, guest_image: TinyGuest
) -> Iterator[AgentProcess]:
    with agent_process(tmp_path_factory.mktemp("agent"), vhost, guest_image) as process:
        process.start()
        yield process


@pytest.fixture(scope="module")
def node(agent: AgentProcess) -> Iterator[Node]:
    with agent.client() as client:
        yield client


@pytest.fixture(scope="module")
def guest(agent: AgentProcess, node: Node, vhost: VirtualHost, guest_image: TinyGuest) -> Iterator[DiskGuest]:
    found = boot(node, vhost, guest_image, agent.folder, {"vda": "qcow2"}, size=12 << 20)
    found.write("vda", at=1, mib=2)
    yield found
    node.vm.destroy(found.id)


def struck(agent: AgentProcess, guest: DiskGuest, call: Call, blow: Callable[[], object], after: float) -> None:
    """The blow falls that long after the call was sent; the call ends, whatever it answers."""

    def work() -> None:
        try:
            with agent.client() as node:
                sent.set()
                call(node, guest)
        except WireError:
            pass

    sent = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    sent.wait(10)
    threading.Event().wait(after)
    blow()
    thread.join(60)
    assert not thread.is_alive()


def begin_backup(node: Node, guest: DiskGuest) -> str:
    disk = guest.disks["vda"]
    wanted = types.BackupDisk(checkpoint=False, img_id=disk.image_id, sd_id=DOMAIN_ID, vol_id=disk.volumes[-1])
    config = types.BackupConfig(backup_id=str(uuid.uuid4()), disks=[wanted])
    node.vm.start_backup(guest.id, config)
    return config.backup_id


def merge_all(node: Node, guest: DiskGuest, *, bandwidth: int = 0) -> None:
    disk = guest.disks["vda"]
    node.vm.merge(guest.id, disk.spec(), disk.volumes[0], disk.volumes[-1], bandwidth_mib_per_second=bandwidth)


def leftovers(agent: AgentProcess) -> list[Path]:
    return [path for name in ("run/backup", "state/scratch") for path in (agent.folder / name).glob("*")]


def at_rest(node: Node, guest: DiskGuest) -> bool:
    stats = node.vm.get_stats(guest.id)[0]
    assert isinstance(stats, types.RunningVmStats)
    return not stats.vm_jobs and guest.noted_chain("vda") == guest.chain("vda")


def test_work_ends_when_libvirtd_is_killed(
    agent: AgentProcess, node: Node, guest: DiskGuest, vhost: VirtualHost
) -> None:
    disk = guest.disks["vda"]

    def blow() -> None:
        kill_libvirtd(vhost)
        vhost.start_libvirtd()

    old = list(disk.volumes)
    layer = disk.snapshot()
    struck(agent, guest, lambda node, guest: node.vm.snapshot(guest.id, [layer]), blow, MOMENT)
    if guest.chain("vda") == old:  # undone: it can be taken again
        until("a snapshot is taken", lambda: succeeds(lambda: node.vm.snapshot(guest.id, [layer])))
    assert guest.chain("vda") == disk.volumes
    until("it is written", lambda: at_rest(node, guest))
    guest.write("vda", at=6, mib=2)
    before = guest.digest("vda")
    backups: list[str] = []
    struck(agent, guest, lambda node, guest: backups.append(begin_backup(node, guest)), blow, MOMENT)
    for backup_id in backups:
        node.vm.stop_backup(guest.id, backup_id)
    until("a backup can be begun", lambda: succeeds(lambda: backups.append(begin_backup(node, guest))))
    node.vm.stop_backup(guest.id, backups[-1])
    assert leftovers(agent) == []
    struck(agent, guest, slow_merge, blow, MOMENT)  # libvirt 9.0 may lose a VM when it dies in a pivot
    until("the merge is over", lambda: at_rest(node, guest))
    if len(guest.chain("vda")) > 1:
        merge_all(node, guest)
        until("the merge is over", lambda: len(guest.chain("vda")) == 1 and at_rest(node, guest))
    del disk.volumes[1:]
    disk.check()
    assert guest.digest("vda") == before == digest_of(disk.active, "qcow2")


def test_merge_ends_when_libvirtd_is_killed_as_qemu_answers(
    node: Node, agent: AgentProcess, guest: DiskGuest, vhost: VirtualHost
) -> None:
    """Then libvirt may know the job afterwards, and not that it is a mirror."""
    disk = guest.disks["vda"]
    take_snapshot(node, guest)
    guest.write("vda", at=8)
    before = guest.digest("vda")
    (qemu,) = vhost.processes("qemu-system-x86")
    notes = vhost.folder / "run" / "libvirt" / "qemu" / f"vm-{guest.id[:8]}.xml"

    def blow() -> None:
        until("libvirt has noted the job", lambda: "<blockjob " in notes.read_text())
        os.kill(qemu, signal.SIGCONT)
        kill_libvirtd(vhost)
        vhost.start_libvirtd()

    os.kill(qemu, signal.SIGSTOP)
    try:
        struck(agent, guest, merge_all, blow, 0)
    finally:
        os.kill(qemu, signal.SIGCONT)
    until("the merge is over", lambda: at_rest(node, guest))
    if len(guest.chain("vda")) > 1:
        merge_all(node, guest)
        until("the merge is over", lambda: len(guest.chain("vda")) == 1 and at_rest(node, guest))
    del disk.volumes[1:]
    disk.check()
    assert guest.digest("vda") == before == digest_of(disk.active, "qcow2")


def succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except WireError:
        return False
    return True


def slow_merge(node: Node, guest: DiskGuest) -> None:
    merge_all(node, guest, bandwidth=1)


def take_snapshot(node: Node, guest: DiskGuest) -> None:
    node.vm.snapshot(guest.id, [guest.disks["vda"].snapshot()])


@pytest.mark.parametrize(
    ("call", "moment"),
    [
        (take_snapshot, 0.04),
        (slow_merge, 0.2),
        (merge_all, 0.05),
        (merge_all, 0.1),
        (begin_backup, 0.2),
    ],
)
def test_disks_are_whole_when_qemu_is_killed(
    agent: AgentProcess, node: Node, vhost: VirtualHost, guest_image: TinyGuest, call: Call, moment: float
) -> None:
    disk = layered(agent.folder / f"deaths-{uuid.uuid4().hex[:8]}")
    before = digest_of(disk.active, "qcow2")
    others = set(vhost.processes("qemu-system-x86"))
    guest = create(node, vhost, guest_image, {"vda": disk})
    until("it runs", lambda: succeeds(lambda: node.vm.refresh_disk(guest.id, disk.spec())))
    (qemu,) = set(vhost.processes("qemu-system-x86")) - others
    struck(agent, guest, call, lambda: os.kill(qemu, signal.SIGKILL), moment)
    until("it is down", lambda: isinstance(node.vm.get_stats(guest.id)[0], types.ExitedVmStats))
    until("nothing is left of a backup", lambda: not leftovers(agent))
    for path in disk.folder.iterdir():
        image_tool("check", "-q", path)
    active = told_active(node, guest)
    stats = node.vm.get_stats(guest.id)[0]
    assert isinstance(stats, types.ExitedVmStats)
    if "start from the newer one" not in stats.exit_message:
        assert digest_of(active, "qcow2") == before
    node.vm.destroy(guest.id)
    disk.volumes = disk.volumes[: disk.volumes.index(active.name) + 1]
    again = create(node, vhost, guest_image, {"vda": disk})
    until("it starts again", lambda: succeeds(lambda: node.vm.refresh_disk(again.id, disk.spec())))
    node.vm.destroy(again.id)


def layered(folder: Path) -> Disk:
    """Two layers, each with data of its own, and some of the upper one hides the lower one's."""
    disk = Disk("vda", folder, size=12 << 20)
    for number in range(2):
        if number:
            disk.snapshot()
        else:
            disk.volumes.append(disk.prepare())
        write = f"write -q -P {number + 1} {2 * number}M 4M"
        subprocess.run(["qemu-io", "-f", "qcow2", "-c", write, disk.active], check=True, timeout=60)
    return disk


def told_active(node: Node, guest: DiskGuest) -> Path:
    (full,) = node.host.get_vm_full_list([guest.id])
    (path,) = [device.path for device in full.devices or [] if isinstance(device, types.VmDiskDevice)]
    assert path is not None
    return Path(path)
