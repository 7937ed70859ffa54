"""Imports by a real agent: archives as they come, a second libvirt as source, hostile input, a kill in the middle."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost, virtual_host
from ovis.client.node import Node
from ovis.client.types import (
    ExternalDiskParams,
    ExternalVmParams,
    HostJobStatus,
    OvaDisk,
    OvaVm,
    VmStatus,
    VolumeFormat,
)
from ovis.wire.errors import RpcError
from tests.node.imports.archives import (
    DOMAIN,
    POOL,
    OvfDisk,
    identical,
    image,
    image_id,
    ova,
    ovf,
    qcow2_header,
    raw_disk,
    stream_vmdk,
    volume,
    volume_id,
)
from tests.real.agent_process import AgentProcess, agent_process

JOB = "dddddddd-0000-4000-8000-0000000000{:02d}"
MIB = 1 << 20
STAND_IN = Path(__file__).parents[1] / "node/imports/stand_in_v2v.py"


@dataclass
class Place:
    """An agent whose storage lies in `folder`/storage."""

    folder: Path
    agent: AgentProcess

    @property
    def storage(self) -> Path:
        return self.folder / "storage"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, vhost: VirtualHost, guest_image: TinyGuest) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("import")
    with agent_process(folder, vhost, guest_image, sample_seconds=0.2) as agent:
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        program = bin_folder / "virt-v2v"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
        program.chmod(0o755)
        agent.extra = {
            "OVIS_IMPORTS_STORAGE_ROOT": str(folder / "storage"),
            "OVIS_IMPORTS_CONVERT_GUESTS": "never",
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
        }
        agent.start()
        yield Place(folder, agent)


def params(*numbers: int, name: str = "imported") -> ExternalVmParams:
    disks = [ExternalDiskParams(image_id=image_id(number), volume_id=volume_id(number)) for number in numbers]
    return ExternalVmParams(vm_name=name, pool_id=POOL, domain_id=DOMAIN, disks=disks)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def ended(node: Node, job: str) -> HostJobStatus:
    final = {HostJobStatus.DONE, HostJobStatus.FAILED, HostJobStatus.ABORTED}
    until(lambda: node.host.get_jobs(None, [job])[job].status in final)
    return node.host.get_jobs(None, [job])[job].status


def test_an_ova_arrives_bit_by_bit(place: Place) -> None:
    raw = [raw_disk(place.folder / f"raw-{n}", 24 * MIB) for n in range(2)]
    files = {
        "a.vmdk": stream_vmdk(raw[0], place.folder / "a.vmdk").read_bytes(),
        "b.qcow2": image(raw[1], place.folder / "b.qcow2", "qcow2", "-c").read_bytes(),
    }
    rows = [OvfDisk(name, len(data), 24 * MIB, format="") for name, data in files.items()]
    source = ova(place.folder / "guest.ova", {"guest.ovf": ovf(*rows).encode(), **files})
    volumes = [volume(place.storage, n, 24 * MIB) for n in range(2)]
    with place.agent.client() as node:
        described = node.host.get_external_vm_from_ova(str(source))
        assert [disk.capacity for disk in described.disks] == [24 * MIB, 24 * MIB]
        assert described.mem_size == 512 * MIB
        job = JOB.format(1)
        node.host.convert_external_vm_from_ova(str(source), params(0, 1), job)
        assert ended(node, job) is HostJobStatus.DONE
        assert all(identical(raw[n], "raw", volumes[n], "raw") for n in range(2))
        assert volume_id(1) in node.host.get_converted_vm(job)
        until(lambda: (node.host.get_stats().v2v_jobs or {})[job].status == "done")
        node.host.delete_v2_v_job(job)
        assert node.host.get_jobs(None, [job]) == {}


def exported(*numbers: int) -> OvaVm:
    ids = [{"pool_id": POOL, "domain_id": DOMAIN, "image_id": image_id(n), "volume_id": volume_id(n)} for n in numbers]
    disks = [OvaDisk(format=VolumeFormat.RAW, **named) for named in ids]
    return OvaVm(name="taken along", memory=512 * MIB, cpus=2, disks=disks)


def test_a_vm_goes_out_as_an_ova_and_comes_back(place: Place) -> None:
    source = raw_disk(volume(place.storage, 30, 24 * MIB), 24 * MIB)
    back = volume(place.storage, 31, 24 * MIB)
    archive = place.folder / "out.ova"
    with place.agent.client() as node:
        node.ova.export(str(archive), exported(30), JOB.format(30), manifest=True)
        assert ended(node, JOB.format(30)) is HostJobStatus.DONE
        with pytest.raises(RpcError, match="nothing is overwritten"):
            node.ova.export(str(archive), exported(30), JOB.format(31))
        node.host.convert_external_vm_from_ova(str(archive), params(31), JOB.format(32))
        assert ended(node, JOB.format(32)) is HostJobStatus.DONE
    assert identical(source, "raw", back, "raw")


def test_a_killed_agent_leaves_no_half_archive(place: Place) -> None:
    size = 256 * MIB  # of which the compressing takes seconds
    path = volume(place.storage, 33, size)
    with path.open("r+b") as file:
        for at in range(0, size, 64 * MIB):
            os.pwrite(file.fileno(), os.urandom(32 * MIB), at)
    archive, job = place.folder / "killed.ova", JOB.format(33)
    part = place.folder / f".ovis-{job}.part"
    with place.agent.client() as node:
        node.ova.export(str(archive), exported(33), job, compressed=True)
        until(part.exists)
    place.agent.kill()
    assert not archive.exists()
    place.agent.start()
    with place.agent.client() as node:
        assert node.host.get_jobs(None, [job])[job].status is HostJobStatus.FAILED
        assert not part.exists()
        assert not archive.exists()
        node.ova.export(str(archive), exported(33), JOB.format(34), compressed=True)
        node.ova.abort(JOB.format(34))
        assert ended(node, JOB.format(34)) is HostJobStatus.ABORTED
    assert not [name for name in os.listdir(place.folder) if name.endswith((".part", "killed.ova"))]
    path.unlink()


def test_a_file_system_that_fills_up_is_left_as_it_was(place: Place) -> None:
    raw_disk(volume(place.storage, 35, 16 * MIB), 16 * MIB)
    small, job = place.folder / "small", JOB.format(35)
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", small], check=True, timeout=10)
    try:
        with place.agent.client() as node:
            with pytest.raises(RpcError, match="are free"):
                node.ova.export(str(small / "out.ova"), exported(35), job)
            node.ova.export(str(small / "out.ova"), exported(35), job, compressed=True)  # how small is not known before
            assert ended(node, job) is HostJobStatus.FAILED
            error = node.host.get_jobs(None, [job])[job].error
        assert error is not None
        assert "no space left" in error.message
        assert os.listdir(small) == []
    finally:
        subprocess.run(["umount", small], check=True, timeout=10)


def test_hostile_archives_have_clear_errors(place: Place) -> None:
    volume(place.storage, 9, MIB)
    data = qcow2_header(backing=104)
    for number, (files, code, said) in enumerate(
        [
            ({"readme": b""}, 67, "no description"),
            ({"x.ovf": b"<!DOCTYPE a><a/>"}, 91, "document type"),
            ({"x.ovf": b"", "../../up": b""}, 91, "leads out"),
            ({"x.ovf": ovf(OvfDisk("d", len(data), MIB, "")).encode(), "d": data}, 91, "backing file"),
        ]
    ):
        source = ova(place.folder / f"hostile-{number}.ova", files)
        with place.agent.client() as node, pytest.raises(RpcError, match=said) as caught:
            node.host.convert_external_vm_from_ova(str(source), params(9), JOB.format(9))
        assert caught.value.code == code
    assert not list((place.folder / "state/imports").glob(JOB.format(9) + "*"))


@dataclass
class OtherHost:
    """Another libvirtd with a storage pool and a VM `guest` that is off."""

    uri: str
    raw: Path
    domain: libvirt.virDomain


@contextmanager
def other_host(folder: Path) -> Iterator[OtherHost]:
    pool = folder / "pool"
    pool.mkdir()
    raw = raw_disk(folder / "other-raw", 24 * MIB)
    disk = image(raw, pool / "disk.qcow2", "qcow2")
    with virtual_host("other") as host:
        connection = libvirt.open(host.libvirt_uri)
        try:
            connection.storagePoolCreateXML(
                f"<pool type='dir'><name>p</name><target><path>{pool}</path></target></pool>"
            )
            domain = connection.defineXML(f"""\
<domain type='qemu'><name>guest</name><memory unit='MiB'>64</memory><vcpu>2</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{disk}'/><target dev='vda'/></disk>
</devices></domain>""")
            yield OtherHost(host.libvirt_uri, raw, domain)
        finally:
            connection.close()


def test_a_vm_comes_from_another_libvirt(place: Place) -> None:
    into = volume(place.storage, 2, 24 * MIB)
    with other_host(place.folder) as other, place.agent.client() as node:
        assert node.host.get_external_vm_names(other.uri, "", "") == ["guest"]
        (found,) = node.host.get_external_vms(other.uri, "", "", ["guest", "unknown"])
        assert (found.vm_id, found.smp, found.status) == (other.domain.UUIDString(), 2, VmStatus.DOWN)
        assert found.disks[0].capacity == 24 * MIB

        node.host.convert_external_vm(other.uri, "", "", params(2, name="guest"), JOB.format(2))
        assert ended(node, JOB.format(2)) is HostJobStatus.DONE, node.host.get_jobs(None, [])
        assert identical(other.raw, "raw", into, "raw")

        other.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        node.host.convert_external_vm(other.uri, "", "", params(2, name="guest"), JOB.format(3))
        assert ended(node, JOB.format(3)) is HostJobStatus.FAILED
        error = node.host.get_jobs(None, [JOB.format(3)])[JOB.format(3)].error
        assert error is not None
        assert "shut it down first" in error.message
    leftovers = [path for path in (place.folder / "state/imports").iterdir() if path.is_dir()]
    assert leftovers == []


def test_another_libvirt_that_is_not_there(place: Place) -> None:
    with place.agent.client() as node, pytest.raises(RpcError) as caught:
        node.host.get_external_vm_names("qemu+unix:///system?socket=/run/no/such/socket", "", "geheim")
    assert caught.value.code == 65
    assert "geheim" not in caught.value.message


def processes(name: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if name.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_a_killed_agent_leaves_a_failed_job_and_no_process(place: Place) -> None:
    volume(place.storage, 4, MIB)
    done, killed, stopped = JOB.format(4), JOB.format(5), JOB.format(6)
    uri = "vpx://admin@vcenter/DC/esxi"
    with place.agent.client() as node:
        node.host.convert_external_vm(uri, "", "geheim", params(4), done)
        assert ended(node, done) is HostJobStatus.DONE
        ovf_text = node.host.get_converted_vm(done)
        node.host.convert_external_vm(uri, "", "geheim", params(4, name="hangs"), killed)
        until(lambda: bool(processes(f"vdsm-vm-uuid={killed}")))
    place.agent.kill()
    until(lambda: not processes(f"vdsm-vm-uuid={killed}"))
    place.agent.start()
    with place.agent.client() as node:
        assert node.host.get_converted_vm(done) == ovf_text
        job = node.host.get_jobs(None, [killed])[killed]
        assert job.status is HostJobStatus.FAILED
        assert job.error is not None
        assert "stopped during the import" in job.error.message
        assert not (place.folder / "state/imports" / killed).exists()

        node.host.convert_external_vm(uri, "", "geheim", params(4, name="hangs"), stopped)
        until(lambda: bool(processes(f"vdsm-vm-uuid={stopped}")))
        node.host.abort_v2_v_job(stopped)
        assert ended(node, stopped) is HostJobStatus.ABORTED
        assert not processes(f"vdsm-vm-uuid={stopped}")
    assert "geheim" not in (place.folder / "ovisd.log").read_text()
    assert not list((place.folder / "run").rglob("password"))
