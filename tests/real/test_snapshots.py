"""Snapshots, merges, replication and sizes of the disks of a real guest."""

import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.wire.errors import RpcError
from tests.real.agent_process import AgentProcess, agent_process
from tests.real.disk_guest import DOMAIN_ID, MIB, POOL, Disk, DiskGuest, boot, digest_of, image_tool, until
from tests.real.migration_pair import kill_libvirtd


@pytest.fixture(scope="module")
def agent(
    tmp_path_factory: pytest.TempPathFactory, vhost: VirtualHost, guest_image: TinyGuest
) -> Iterator[AgentProcess]:
    with agent_process(tmp_path_factory.mktemp("agent"), vhost, guest_image) as process:
        process.start()
        yield process


@pytest.fixture(scope="module")
def guest(agent: AgentProcess, vhost: VirtualHost, guest_image: TinyGuest) -> Iterator[DiskGuest]:
    """One guest for all tests of this file: each leaves its disks with a single layer or does not care."""
    with agent.client() as node:
        found = boot(node, vhost, guest_image, agent.folder, {"vda": "qcow2", "vdb": "qcow2", "vdc": "raw"})
    found.write("vda", at=1, mib=4)
    yield found
    with agent.client() as node:
        node.vm.destroy(found.id)


@pytest.fixture
def node(agent: AgentProcess) -> Iterator[Node]:
    with agent.client() as client:
        yield client


def jobs(node: Node, guest: DiskGuest) -> dict[str, types.BlockJobInfo]:
    stats = node.vm.get_stats(guest.id)[0]
    assert isinstance(stats, types.RunningVmStats)
    return stats.vm_jobs or {}


def merge(node: Node, guest: DiskGuest, disk: Disk, *, base: int, top: int, bandwidth: int = 0) -> str:
    job_id = str(uuid.uuid4())
    node.vm.merge(
        guest.id,
        disk.spec(guest.chain(disk.target)[-1]),
        disk.volumes[base],
        disk.volumes[top],
        bandwidth_mib_per_second=bandwidth,
        job_uuid=job_id,
    )
    return job_id


def merged(node: Node, guest: DiskGuest, disk: Disk, gone: slice) -> None:
    """Wait until the job is over; the volumes `gone` must not be in the chain any more."""
    until("the merge is over", lambda: not jobs(node, guest))
    del disk.volumes[gone]
    assert guest.chain(disk.target) == disk.volumes
    assert guest.noted_chain(disk.target) == disk.volumes
    disk.check()


def told_chain(node: Node, guest: DiskGuest, disk: Disk) -> list[tuple[str, str]]:
    """As a full list of the VM has it."""
    (full,) = node.host.get_vm_full_list([guest.id])
    disks = [device for device in full.devices or [] if isinstance(device, types.VmDiskDevice)]
    (told,) = [device for device in disks if device.name == disk.target]
    assert told.volume_id == disk.volumes[-1]
    return [(entry.image_id, entry.volume_id) for entry in told.volume_chain or []]


def test_snapshot_of_two_disks_at_once(node: Node, guest: DiskGuest) -> None:
    before = guest.digest("vda")
    disks = [guest.disks["vda"], guest.disks["vdb"]]
    node.vm.snapshot(guest.id, [disk.snapshot() for disk in disks])
    for disk in disks:
        assert guest.chain(disk.target) == disk.volumes
        assert guest.noted_chain(disk.target) == disk.volumes
        assert told_chain(node, guest, disk) == [(disk.image_id, volume) for volume in disk.volumes]
        disk.check()
    assert guest.digest("vda") == before
    guest.write("vda", at=8)
    assert digest_of(disks[0].folder / disks[0].volumes[0], "qcow2") == before
    assert digest_of(disks[0].active, "qcow2") == guest.digest("vda")


def test_inner_and_active_layers_are_merged_under_a_running_guest(node: Node, guest: DiskGuest) -> None:
    disk = guest.disks["vda"]
    for at in (10, 11):
        node.vm.snapshot(guest.id, [disk.snapshot()])
        guest.write("vda", at=at)
    before = guest.digest("vda")
    assert len(disk.volumes) >= 3
    merge(node, guest, disk, base=0, top=1)
    merged(node, guest, disk, slice(1, 2))
    assert guest.digest("vda") == before
    merge(node, guest, disk, base=0, top=-1)
    merged(node, guest, disk, slice(1, None))
    assert guest.digest("vda") == before == digest_of(disk.active, "qcow2")
    guest.write("vda", at=12)
    assert digest_of(disk.active, "qcow2") == guest.digest("vda")


def test_merge_goes_on_after_the_agent_was_killed(agent: AgentProcess, node: Node, guest: DiskGuest) -> None:
    disk = guest.disks["vda"]
    node.vm.snapshot(guest.id, [disk.snapshot()])
    guest.write("vda", at=16, mib=8)
    before = guest.digest("vda")
    job_id = merge(node, guest, disk, base=0, top=-1, bandwidth=4)
    assert set(jobs(node, guest)) == {job_id}
    agent.kill()
    agent.start()
    with agent.client() as after:
        assert set(jobs(after, guest)) == {job_id}
        merged(after, guest, disk, slice(1, None))
    assert guest.digest("vda") == before


def test_merge_goes_on_after_libvirtd_was_killed(
    agent: AgentProcess, node: Node, guest: DiskGuest, vhost: VirtualHost
) -> None:
    disk = guest.disks["vda"]
    node.vm.snapshot(guest.id, [disk.snapshot()])
    guest.write("vda", at=16, mib=6)
    before = guest.digest("vda")
    merge(node, guest, disk, base=0, top=-1, bandwidth=2)
    # killed while it notes the start of the job, libvirt 9.0 forgets the whole VM
    until("data are moved", lambda: any(job.cur for job in jobs(node, guest).values()))
    kill_libvirtd(vhost)
    vhost.start_libvirtd()
    merged(node, guest, disk, slice(1, None))
    assert guest.digest("vda") == before


def test_wrong_layers_are_refused_and_nothing_changes(node: Node, guest: DiskGuest) -> None:
    disk = guest.disks["vda"]
    before = guest.chain("vda")
    wrong = types.SnapshotVolumeDriveInfo(
        base_volume_id=disk.volumes[-1],
        domain_id=disk.spec().domain_id,
        image_id=disk.image_id,
        volume_id=disk.prepare(),  # on no backing file
    )
    with pytest.raises(RpcError, match="lies on nothing"):
        node.vm.snapshot(guest.id, [wrong])
    with pytest.raises(RpcError, match="not in the chain"):
        node.vm.merge(guest.id, disk.spec(), str(uuid.uuid4()), disk.volumes[-1])
    assert guest.chain("vda") == before


def test_replication_changes_over_or_is_given_up(node: Node, guest: DiskGuest, agent: AgentProcess) -> None:
    disk, domain_id = guest.disks["vdb"], str(uuid.uuid4())
    folder = agent.folder / domain_id / "images" / disk.image_id
    guest.write("vdb", at=3)
    source = disk.spec(guest.chain("vdb")[-1])
    for is_pivot in (False, True):
        copy = disk.spec(disk.prepare(folder=folder), domain_id=domain_id)
        node.vm.disk_replicate_start(guest.id, source, copy)
        guest.write("vdb", at=5)
        target = copy if is_pivot else source
        until("the mirror is ready", lambda target=target: finished(node, guest, source, target))  # type: ignore[misc]
        assert guest.chain("vdb")[-1] == target.volume_id
    assert digest_of(folder / copy.volume_id, "qcow2") == guest.digest("vdb")
    with pytest.raises(RpcError, match="not being mirrored"):
        node.vm.disk_replicate_finish(guest.id, copy, source)
    disk.folder, disk.volumes = folder, [copy.volume_id]


def finished(node: Node, guest: DiskGuest, source: types.DriveSpecVolume, target: types.DriveSpecVolume) -> bool:
    try:
        node.vm.disk_replicate_finish(guest.id, source, target)
    except RpcError as error:
        assert "not caught up" in str(error)  # noqa: PT017 - anything else fails the test
        return False
    return True


def test_disk_grows_and_does_not_shrink(node: Node, guest: DiskGuest) -> None:
    disk = guest.disks["vda"]
    assert node.vm.disk_size_extend(guest.id, disk.spec(guest.chain("vda")[-1]), 40 * MIB) == 40 * MIB
    assert guest.shell("cat /sys/block/vda/size").strip() == str(40 * MIB // 512)
    with pytest.raises(RpcError, match="cannot shrink"):
        node.vm.disk_size_extend(guest.id, disk.spec(guest.chain("vda")[-1]), 32 * MIB)


def test_refresh_tells_the_sizes_of_the_file(node: Node, guest: DiskGuest) -> None:
    disk = guest.disks["vdc"]
    found = node.vm.refresh_disk(guest.id, disk.spec())
    assert found.apparentsize == 32 * MIB
    assert found.truesize == disk.active.stat().st_blocks * 512


def test_alignment_of_partitions_on_a_disk_that_nobody_uses(node: Node, guest: DiskGuest) -> None:
    disk = guest.disks["vda"]
    volume_id = disk.prepare()
    table = bytearray(512)
    for number, start in enumerate((63, 2048)):
        at = 446 + 16 * number
        table[at + 4] = 0x83
        table[at + 8 : at + 12] = start.to_bytes(4, "little")
    table[510:512] = b"\x55\xaa"
    raw = disk.folder / "table"
    raw.write_bytes(table + bytes(MIB - 512))
    image_tool("convert", "-f", "raw", "-O", "qcow2", raw, disk.folder / volume_id)
    domain_id = str(uuid.uuid4())
    place = disk.folder.parent / domain_id / "images" / disk.image_id
    place.mkdir(parents=True)
    (disk.folder / volume_id).rename(place / volume_id)
    nobody = "00000000-0000-0000-0000-000000000000"
    found = node.vm.get_disk_alignment(nobody, disk.spec(volume_id, domain_id=domain_id))
    assert found == {"/dev/sda1": False, "/dev/sda2": True}


def test_snapshot_as_a_job_is_told_and_listed(node: Node, guest: DiskGuest) -> None:
    job_id = str(uuid.uuid4())
    disk = guest.disks["vda"]
    node.vm.snapshot(guest.id, [disk.snapshot()], job_uuid=job_id)
    found: dict[str, types.HostJobInfo] = {}
    until("the job has ended", lambda: found.update(node.host.get_jobs(job_ids=[job_id])) or ended(found[job_id]))
    assert found[job_id].status is types.HostJobStatus.DONE
    assert guest.chain("vda") == disk.volumes


def test_sealing_without_its_program_is_a_clear_error(node: Node, guest: DiskGuest) -> None:
    if shutil.which("virt-sysprep"):
        pytest.skip("virt-sysprep is installed here")
    spec = guest.disks["vda"].spec()
    image = types.VolumeInfo(img_id=spec.image_id, sd_id=spec.domain_id, vol_id=spec.volume_id)
    with pytest.raises(RpcError, match="needs virt-sysprep"):
        node.vm.seal(str(uuid.uuid4()), str(uuid.uuid4()), spec.pool_id, [image])


V2V = "OVIS_TEST_V2V"


@pytest.mark.skipif(
    not os.environ.get(V2V), reason=f"{V2V}=1 runs it: needs guestfs-tools and a kernel (docs/vm/import.md)"
)
@pytest.mark.timeout(900)
def test_a_disk_is_sealed(node: Node, agent: AgentProcess, guest: DiskGuest) -> None:
    disk = Disk("vdz", guest.disks["vda"].folder, "raw")
    disk.folder = agent.folder / POOL / DOMAIN_ID / "images" / disk.image_id
    disk.volumes.append(disk.prepare())
    make_system(agent.folder / "system", disk.active)
    job, spec = str(uuid.uuid4()), disk.spec()
    image = types.VolumeInfo(img_id=spec.image_id, sd_id=spec.domain_id, vol_id=spec.volume_id)
    node.vm.seal(str(uuid.uuid4()), job, spec.pool_id, [image])
    until("it is sealed", lambda: node.host.get_jobs(None, [job])[job].status not in RUNNING, seconds=800)
    assert node.host.get_jobs(None, [job])[job].status is types.HostJobStatus.DONE, node.host.get_jobs(None, [job])
    assert "ssh_host" not in listed(disk.active, "/etc/ssh")
    assert "os-release" in listed(disk.active, "/etc")


RUNNING = {types.HostJobStatus.RUNNING, types.HostJobStatus.PENDING}


def make_system(folder: Path, disk: Path) -> None:
    """As much of a Debian as lets it be known, with a host key."""
    for name in ("bin", "etc/ssh", "var/log", "root", "tmp", "usr", "lib", "boot"):
        (folder / name).mkdir(parents=True)
    for name, text in {
        "etc/fstab": "/dev/sda / ext4 defaults 0 1\n",
        "etc/os-release": "ID=debian\nVERSION_ID=12\n",
        "etc/debian_version": "12.5\n",
        "etc/hostname": "one\n",
        "etc/ssh/ssh_host_ed25519_key": "secret\n",
    }.items():
        (folder / name).write_text(text)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", folder, disk], check=True, timeout=60)


def listed(disk: Path, folder: str) -> str:
    done = subprocess.run(
        ["debugfs", "-R", f"ls {folder}", disk], check=True, capture_output=True, text=True, timeout=20
    )
    return done.stdout


def test_memory_of_a_snapshot_goes_on_where_it_was(node: Node, guest: DiskGuest, agent: AgentProcess) -> None:
    memory, parameters = agent.folder / "memory", agent.folder / "parameters"
    for path in (memory, parameters):
        path.touch()
    disk = guest.disks["vda"]
    guest.shell("echo remembered > /tmp/mark")
    before = guest.digest("vda")
    node.vm.snapshot(guest.id, [disk.snapshot()], snap_memory=f"{memory},{parameters}")
    assert guest.chain("vda") == disk.volumes
    guest.shell("echo forgotten > /tmp/mark")
    guest.write("vda", at=1)
    node.vm.destroy(guest.id)
    node.vm.create(guest.id, types.VmParameters(vm_id=guest.id, hiber_vol_handle=f"{memory},{parameters}"))
    until("the guest goes on", lambda: answers(guest))
    disk.volumes.pop()
    assert guest.chain("vda") == disk.volumes
    assert guest.shell("cat /tmp/mark").strip() == "remembered"
    assert guest.digest("vda") == before


def test_qemu_that_dies_in_a_merge_leaves_a_whole_chain(node: Node, guest: DiskGuest, vhost: VirtualHost) -> None:
    """The last test of this file: it ends the guest."""
    disk = guest.disks["vda"]
    node.vm.snapshot(guest.id, [disk.snapshot()])
    guest.write("vda", at=4, mib=8)
    before = guest.digest("vda")
    merge(node, guest, disk, base=0, top=-1, bandwidth=2)
    qemu = next(pid for pid in vhost.processes() if guest.id.encode() in command_of(pid))
    os.kill(qemu, signal.SIGKILL)
    until("the VM is down", lambda: isinstance(node.vm.get_stats(guest.id)[0], types.ExitedVmStats))
    exited = node.vm.get_stats(guest.id)[0]
    assert isinstance(exited, types.ExitedVmStats)
    assert "changing over" not in exited.exit_message
    disk.check()
    assert digest_of(disk.active, "qcow2") == before


def ended(job: types.HostJobInfo) -> bool:
    return job.status not in (types.HostJobStatus.PENDING, types.HostJobStatus.RUNNING)


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""  # it has ended


def answers(guest: DiskGuest) -> bool:
    try:
        guest.agent("guest-ping")
    except libvirt.libvirtError:
        return False
    return True
