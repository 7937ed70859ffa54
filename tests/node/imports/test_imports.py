import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from archives import (
    OvfDisk,
    identical,
    image,
    image_id,
    ova,
    ovf,
    qcow2_header,
    raw_disk,
    stream_vmdk,
    vmdk_header,
    volume,
    volume_id,
)
from lxml import etree
from station import JOB, Phase, Station, station, wanted

from ovis.client.types import VolumeFormat
from ovis.node.errors import NodeError
from ovis.node.hypervisor.external import ForeignDisk, ForeignDomain
from ovis.node.hypervisor.simulated.external import ForeignHost
from ovis.node.hypervisor.states import DomainState
from ovis.node.imports.errors import BadArchive, BadDisk, BadTarget, ConnectionFailed, NoDescription, NoResult
from ovis.node.imports.store import ImportStore, Record
from ovis.node.jobs import JobExists, JobNotDone, NoSuchJob
from ovis.node.vm.errors import BadXml

MIB = 1 << 20
QCOW2 = "http://www.gnome.org/~markmc/qcow-image-format.html"
URI = "qemu+tcp://root@other/system"


def run(folder: Path, test: Callable[[Station], Awaitable[None]], **changes: object) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), station(folder, **changes) as here:
            await test(here)

    asyncio.run(main())


def honest(folder: Path, *, count: int = 1) -> Path:
    """An OVA with `count` VMDK disks of 4 MiB; their raw forms lie beside as raw-0 …"""
    files, rows = {}, []
    for number in range(count):
        raw = raw_disk(folder / f"raw-{number}")
        data = stream_vmdk(raw, folder / f"disk-{number}.vmdk").read_bytes()
        files[f"disk-{number}.vmdk"] = data
        rows.append(OvfDisk(f"disk-{number}.vmdk", len(data), 4 * MIB))
    return ova(folder / "guest.ova", {"guest.ovf": ovf(*rows).encode(), **files})


def lying(folder: Path, data: bytes, *, capacity: int = 4 * MIB, size: int | None = None, format: str = "") -> Path:
    """An OVA around one disk file."""
    row = OvfDisk("disk", len(data) if size is None else size, capacity, format)
    return ova(folder / "guest.ova", {"guest.ovf": ovf(row).encode(), "disk": data})


def described(data: bytes, *more: tuple[str, bytes]) -> dict[str, bytes]:
    return {"guest.ovf": data, **dict(more)}


def test_an_ova_is_described_as_it_says(tmp_path: Path) -> None:
    async def test(here: Station) -> None:
        found = await here.imports.describe_ova(str(honest(tmp_path, count=2)))
        assert (found.vm_name, found.mem_size, found.smp, found.vm_id) == ("guest", 512 * MIB, 2, None)
        assert [disk.alias for disk in found.disks] == ["disk-0.vmdk", "disk-1.vmdk"]
        assert [disk.capacity for disk in found.disks] == [4 * MIB, 4 * MIB]
        assert found.disks[0].allocation == (tmp_path / "disk-0.vmdk").stat().st_size
        (card,) = found.networks
        assert (card.type, card.bridge, card.mac_addr) == ("bridge", "VM Network", "52:54:00:aa:bb:cc")
        assert (card.model, card.dev) == ("E1000", "Network adapter 1")

    run(tmp_path, test)


@pytest.mark.parametrize("unpacked", [False, True])
@pytest.mark.parametrize(("target", "format"), [("raw", VolumeFormat.RAW), ("qcow2", VolumeFormat.COW)])
def test_an_ova_is_imported_bit_by_bit(tmp_path: Path, target: str, format: VolumeFormat, unpacked: bool) -> None:
    async def test(here: Station) -> None:
        source = honest(tmp_path, count=2)
        if unpacked:
            source = tmp_path / "unpacked"
            source.mkdir()
            for number in range(2):
                (tmp_path / f"disk-{number}.vmdk").rename(source / f"disk-{number}.vmdk")
            sizes = [(source / f"disk-{n}.vmdk").stat().st_size for n in range(2)]
            rows = [OvfDisk(f"disk-{n}.vmdk", size, 4 * MIB) for n, size in enumerate(sizes)]
            (source / "guest.ovf").write_text(ovf(*rows))
        volumes = [volume(tmp_path / "storage", n, 4 * MIB, target) for n in range(2)]
        await here.imports.convert_ova(str(source), wanted(2, format=format, name="new name"), JOB)
        job = await here.ended()
        assert job.phase is Phase.DONE, job.error
        for number in range(2):
            assert identical(tmp_path / f"raw-{number}", "raw", volumes[number], target)
        root = etree.fromstring(here.imports.converted(JOB).encode())
        assert root.findtext(".//Content/Name") == "new name"
        ids = [element.get(f"{{{root.nsmap['ovf']}}}fileRef") for element in root.iter("Disk")]
        assert ids == [f"{image_id(n)}/{volume_id(n)}" for n in range(2)]
        assert here.left() == [f"{JOB}.json"]

    run(tmp_path, test, convert_guests="never")


def test_a_qcow2_of_an_ovirt_ova_is_imported(tmp_path: Path) -> None:
    async def test(here: Station) -> None:
        raw = raw_disk(tmp_path / "raw")
        data = image(raw, tmp_path / "q", "qcow2", "-c").read_bytes()
        source = lying(tmp_path, data, format=QCOW2)
        into = volume(tmp_path / "storage", 0, 8 * MIB)
        await here.imports.convert_ova(str(source), wanted(1), JOB)
        assert (await here.ended()).phase is Phase.DONE
        assert into.read_bytes()[: 4 * MIB] == raw.read_bytes()

    run(tmp_path, test, convert_guests="never")


def refused(tmp_path: Path, source: Path, error: type[NodeError], said: str) -> None:
    """Refused before anything happened, by both verbs if `source` cannot even be described."""

    async def test(here: Station) -> None:
        into = volume(tmp_path / "storage", 0, 4 * MIB)
        with pytest.raises(error, match=said):
            await here.imports.convert_ova(str(source), wanted(1), JOB)
        assert here.left() == []
        assert here.jobs.select() == []
        assert into.read_bytes() == bytes(4 * MIB)
        assert len(os.listdir("/proc/self/fd")) <= before
        # and nothing is held: the same volume can be asked for again
        with pytest.raises(error, match=said):
            await here.imports.convert_ova(str(source), wanted(1), JOB)

    before = len(os.listdir("/proc/self/fd")) + 12  # event loop and pools
    run(tmp_path, test, convert_guests="never")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (qcow2_header(backing=104), "backing file"),
        (qcow2_header(features=4), "data file"),
        (qcow2_header(size=1 << 62), "cannot have"),
        (vmdk_header(capacity=0), "other files"),
        (vmdk_header(descriptor=b'parentFileNameHint="/etc/shadow"'), "parent"),
        (vmdk_header(capacity=2048), "qemu-img cannot read it"),
        (b'# Disk DescriptorFile\nRW 1 FLAT "/etc/shadow" 0\n', "list of other files"),
    ],
)
def test_hostile_disks_are_refused(tmp_path: Path, data: bytes, said: str) -> None:
    refused(tmp_path, lying(tmp_path, data), BadDisk, said)


def test_backing_files_made_by_qemu_are_refused(tmp_path: Path) -> None:
    (tmp_path / "base").write_bytes(bytes(4 * MIB))
    for number, backing in enumerate(("/etc/hostname", "base", 'json:{"driver":"file","filename":"/etc/hostname"}')):
        made = image(tmp_path / "base", tmp_path / f"q{number}", "qcow2")
        os.system(f"qemu-img rebase -u -F raw -b '{backing}' {made}")
        refused(tmp_path, lying(tmp_path, made.read_bytes()), BadDisk, "backing file")


def test_a_disk_larger_than_announced_is_refused(tmp_path: Path) -> None:
    data = stream_vmdk(raw_disk(tmp_path / "raw"), tmp_path / "v").read_bytes()
    refused(tmp_path, lying(tmp_path, data, capacity=MIB), BadDisk, "announced as a disk of 1048576 bytes")
    refused(tmp_path, lying(tmp_path, data, size=len(data) + 1), BadDisk, "announced with")


def test_a_disk_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    data = image(raw_disk(tmp_path / "raw", 8 * MIB), tmp_path / "q", "qcow2").read_bytes()
    refused(tmp_path, lying(tmp_path, data, capacity=8 * MIB), BadTarget, "needs 8388608")


@pytest.mark.parametrize(
    ("files", "error", "said"),
    [
        ({"readme": b"x"}, NoDescription, "no description"),
        (described(b"", ("other.ovf", b"")), BadArchive, "2 descriptions"),
        (described(b"<Envelope"), BadXml, "not well-formed"),
        (described(b"\xff\xfe<\0"), BadArchive, "not UTF-8"),
        (described(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), BadXml, "document type"),
        (described(ovf().replace("<?xml", "<!ENTITY x><?xml").encode()), BadXml, "ENTITY"),
        (described(ovf(OvfDisk("gone.vmdk", 5, 5)).encode()), BadArchive, "not there"),
        (described(ovf(OvfDisk("../../etc/shadow", 5, 5)).encode()), BadArchive, "leads out"),
        (described(ovf(OvfDisk("/etc/shadow", 5, 5)).encode()), BadArchive, "leads out"),
        (described(ovf().encode()), BadTarget, "1 are given for the 0"),
        (described(bytes(3 << 20)), BadArchive, "at most"),
    ],
)
def test_hostile_descriptions_are_refused(
    tmp_path: Path, files: dict[str, bytes], error: type[NodeError], said: str
) -> None:
    refused(tmp_path, ova(tmp_path / "guest.ova", files), error, said)


def test_links_in_an_unpacked_ova_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    (folder / "guest.ovf").write_text(ovf(OvfDisk("disk", 5, 5)))
    (folder / "disk").symlink_to("/etc/hostname")
    refused(tmp_path, folder, BadArchive, "links are refused")
    (folder / "disk").unlink()
    os.mkfifo(folder / "disk")
    refused(tmp_path, folder, BadArchive, "no plain file")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    refused(tmp_path, tmp_path / "fifo", BadArchive, "neither a file nor a folder")
    refused(tmp_path, tmp_path / "missing", BadArchive, "No such file")
    refused(tmp_path, Path("relative.ova"), BadArchive, "not absolute")
    refused(tmp_path, Path("/dev/zero"), BadArchive, "neither a file nor a folder")


def test_volumes_outside_of_the_allowed_places_are_refused(tmp_path: Path) -> None:
    async def test(here: Station) -> None:
        source = honest(tmp_path)
        path = volume(tmp_path / "storage", 0, 4 * MIB)
        path.unlink()
        with pytest.raises(BadTarget, match="there is no such file"):
            await here.imports.convert_ova(str(source), wanted(1), JOB)
        (tmp_path / "elsewhere").write_bytes(bytes(4 * MIB))
        path.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(BadTarget, match="outside of the places"):
            await here.imports.convert_ova(str(source), wanted(1), JOB)
        with pytest.raises(BadTarget, match="without disks"):
            await here.imports.convert_ova(str(source), wanted(0), JOB)

    run(tmp_path, test, convert_guests="never")


def test_one_job_an_id_and_one_import_a_volume(tmp_path: Path) -> None:
    async def test(here: Station) -> None:
        source = honest(tmp_path)
        volume(tmp_path / "storage", 0, 4 * MIB)
        both = [here.imports.convert_ova(str(source), wanted(1), JOB) for _ in range(2)]
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [type(None), JobExists]
        with pytest.raises(BadTarget, match="another import"):
            await here.imports.convert_ova(str(source), wanted(1), JOB.replace("1", "2"))
        with pytest.raises(JobNotDone):
            here.imports.converted(JOB)
        with pytest.raises(JobNotDone):
            await here.imports.delete(JOB)
        await here.ended()
        await here.imports.delete(JOB)
        with pytest.raises(NoSuchJob):
            here.imports.converted(JOB)
        assert here.left() == []

    run(tmp_path, test, convert_guests="never")


def foreign_vm(*paths: str, state: DomainState = DomainState.SHUT_OFF, format: str = "qcow2") -> ForeignDomain:
    disks = "".join(
        f"<disk type='file' device='disk'><driver name='qemu' type='{format}'/><source file='{path}'/>"
        f"<target dev='vd{chr(97 + n)}' bus='virtio'/></disk>"
        for n, path in enumerate(paths)
    )
    xml = (
        "<domain type='kvm'><name>guest</name><memory unit='MiB'>256</memory><vcpu>2</vcpu><devices>"
        f"{disks}<disk type='file' device='cdrom'><target dev='sda'/></disk>"
        "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><model type='virtio'/>"
        "</interface><graphics type='vnc'/></devices></domain>"
    )
    measured = tuple(ForeignDisk(path, 4 * MIB, 2 * MIB) for path in paths)
    return ForeignDomain("eeeeeeee-0000-4000-8000-000000000001", "guest", state, True, xml, measured)


def test_vms_of_another_libvirt_are_listed_and_described(tmp_path: Path) -> None:
    async def test(here: Station) -> None:
        bad = ForeignDomain("x", "odd", DomainState.SHUT_OFF, False, "<!DOCTYPE x><domain/>")
        here.external.hosts[URI] = ForeignHost([foreign_vm("/pool/a"), bad], password="geheim")
        assert await here.imports.names(URI, "root", "geheim") == ["guest", "odd"]
        (found,) = await here.imports.describe(URI, "root", "geheim", [])
        assert (found.vm_name, found.mem_size, found.smp, found.has_snapshots) == ("guest", 256 * MIB, 2, True)
        assert [(d.dev, d.type, d.alias, d.capacity) for d in found.disks] == [
            ("vda", "disk", "/pool/a", 4 * MIB),
            ("sda", "cdrom", None, None),
        ]
        assert found.graphics == "vnc"
        with pytest.raises(ConnectionFailed, match="authentication") as caught:
            await here.imports.names(URI, "root", "falsch")
        assert "falsch" not in str(caught.value)
        with pytest.raises(ConnectionFailed, match="unable to connect"):
            await here.imports.names("qemu+tcp://nowhere/system", "", "")

    run(tmp_path, test)


def test_a_vm_of_another_libvirt_is_imported_bit_by_bit(tmp_path: Path) -> None:
    async def test(here: Station) -> None:
        raw = raw_disk(tmp_path / "raw")
        data = image(raw, tmp_path / "q", "qcow2").read_bytes()
        here.external.hosts[URI] = ForeignHost([foreign_vm("/pool/a")], {"/pool/a": data})
        into = volume(tmp_path / "storage", 0, 4 * MIB)
        await here.imports.convert_external(URI, "", "", wanted(1), JOB)
        job = await here.ended()
        assert job.phase is Phase.DONE, job.error
        assert identical(raw, "raw", into, "raw")
        assert here.left() == [f"{JOB}.json"]

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("vm", "data", "said"),
    [
        (foreign_vm("/pool/a", state=DomainState.RUNNING), b"", "shut it down first"),
        (foreign_vm("/pool/a", "/pool/b"), b"", "1 are given for the 2"),
        (foreign_vm("/pool/b"), b"", "in no storage pool"),
        (foreign_vm("/pool/a"), qcow2_header(backing=8), "backing file"),
        (foreign_vm("/pool/a"), bytes(80 * MIB), "more than the"),
        (foreign_vm("/pool/a", format="raw"), bytes(5 * MIB), "announced as a disk"),
        (foreign_vm("/pool/a", format="vdi"), b"x", "not supported"),
    ],
)
def test_an_import_that_fails_says_why_and_leaves_nothing(
    tmp_path: Path, vm: ForeignDomain, data: bytes, said: str
) -> None:
    async def test(here: Station) -> None:
        here.external.hosts[URI] = ForeignHost([vm], {"/pool/a": data})
        volume(tmp_path / "storage", 0, 4 * MIB)
        await here.imports.convert_external(URI, "", "", wanted(1), JOB)
        job = await here.ended()
        assert job.phase is Phase.FAILED
        assert job.error is not None
        assert said in job.error.message
        assert here.imports.statistics()[JOB].status == "error"
        with pytest.raises(NoResult):
            here.imports.converted(JOB)
        assert here.left() == [f"{JOB}.json"]
        assert ImportStore(tmp_path / "state/imports").load()[0].error == job.error

    run(tmp_path, test)


def test_a_state_folder_that_cannot_be_written_fails_the_import(tmp_path: Path) -> None:
    async def test(here: Station) -> None:
        into = volume(tmp_path / "storage", 0, 4 * MIB)
        (tmp_path / "state").mkdir()
        (tmp_path / "state/imports").write_text("no folder")
        await here.imports.convert_ova(str(honest(tmp_path)), wanted(1), JOB)
        job = await here.ended()
        assert job.phase is Phase.FAILED
        assert job.error is not None
        assert "cannot be written" in job.error.message
        assert into.read_bytes() == bytes(4 * MIB)

    run(tmp_path, test, convert_guests="never")


def test_imports_beyond_the_limit_wait_and_can_be_stopped(tmp_path: Path) -> None:
    async def test(here: Station) -> None:
        here.external.hosts[URI] = ForeignHost([foreign_vm("/pool/a")], {"/pool/a": b""}, hangs=True)
        ids = [f"{JOB[:-1]}{number}" for number in range(2)]
        for number, job_id in enumerate(ids):
            volume(tmp_path / "storage", number, 4 * MIB)
            only = wanted(number + 1)
            await here.imports.convert_external(
                URI, "", "", msgspec.structs.replace(only, disks=only.disks[-1:]), job_id
            )
        here.imports.abort(ids[1])
        assert (await here.ended(ids[1])).phase is Phase.ABORTED
        assert here.jobs.find(ids[0]).is_active
        assert ImportStore(tmp_path / "state/imports").load()[1].phase is Phase.ABORTED

    run(tmp_path, test, at_once=1)


def test_an_import_can_be_stopped(tmp_path: Path) -> None:
    async def test(here: Station) -> None:
        here.external.hosts[URI] = ForeignHost([foreign_vm("/pool/a")], {"/pool/a": b""}, hangs=True)
        volume(tmp_path / "storage", 0, 4 * MIB)
        await here.imports.convert_external(URI, "", "", wanted(1), JOB)
        await asyncio.sleep(0.05)
        assert here.imports.statistics()[JOB].status == "starting"
        here.imports.abort(JOB)
        assert (await here.ended()).phase is Phase.ABORTED
        assert here.imports.statistics()[JOB].status == "aborted"
        here.imports.abort(JOB)
        assert here.left() == [f"{JOB}.json"]
        await here.imports.convert_external(URI, "", "", wanted(1), JOB.replace("1", "2"))  # the volume is free again

    run(tmp_path, test)


def test_results_survive_the_agent_and_interrupted_imports_have_failed(tmp_path: Path) -> None:
    other = JOB.replace("1", "2")

    async def before(here: Station) -> None:
        volume(tmp_path / "storage", 0, 4 * MIB)
        await here.imports.convert_ova(str(honest(tmp_path)), wanted(1), JOB)
        await here.ended()
        here.external.hosts[URI] = ForeignHost([foreign_vm("/pool/a")], {"/pool/a": b""}, hangs=True)
        await here.imports.convert_external(URI, "", "", wanted(1), other)

    async def after(here: Station) -> None:
        assert "Envelope" in here.imports.converted(JOB)
        job = here.jobs.find(other)
        assert job.phase is Phase.FAILED
        assert job.error is not None
        assert "stopped during the import" in job.error.message
        await here.imports.delete(JOB)
        assert here.left() == [f"{other}.json"]

    run(tmp_path, before, convert_guests="never")
    run(tmp_path, after)
    run(tmp_path, _only(other))


def _only(job_id: str) -> Callable[[Station], Awaitable[None]]:
    async def test(here: Station) -> None:
        assert [job.id for job in here.jobs.select()] == [job_id]

    return test


def test_a_process_of_a_killed_agent_is_ended(tmp_path: Path) -> None:
    async def test(_: Station) -> None:
        store = ImportStore(tmp_path / "state/imports")
        process = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
        store.write(Record(id=JOB, description="x", phase=Phase.RUNNING))
        store.make_folder(JOB)
        store.note_process(JOB, process.pid)
        async with station(tmp_path) as later:
            assert later.jobs.find(JOB).phase is Phase.FAILED
        assert await process.wait() == -signal.SIGKILL
        assert not (tmp_path / "state/imports" / JOB).exists()

    run(tmp_path, test)


def test_a_foreign_process_of_the_same_number_is_left_alone(tmp_path: Path) -> None:
    async def test(_: Station) -> None:
        store = ImportStore(tmp_path / "state/imports")
        process = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
        try:
            store.make_folder(JOB)
            (store.folder / JOB / "process").write_text(f"{process.pid} 12345\n")
            store.end_leftovers(JOB)
            assert process.returncode is None
        finally:
            process.kill()
            assert await process.wait() == -signal.SIGKILL

    run(tmp_path, test)
