"""Exports with real disks, read back by the import of this agent."""

import asyncio
import os
import signal
import subprocess
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from archives import DOMAIN, POOL, identical, image_id, raw_disk, volume, volume_id
from station import station, wanted

from ovis.client.types import OvaDisk, OvaNic, OvaVm, VmDiskDeviceInterface, VolumeFormat
from ovis.node.errors import BadParameter
from ovis.node.exports import disks, exports
from ovis.node.exports.errors import BadDisk
from ovis.node.exports.exports import Exports
from ovis.node.imports.errors import BadTarget
from ovis.node.imports.settings import ImportSettings
from ovis.node.imports.store import ImportStore, Record
from ovis.node.jobs import Job, JobExists, Jobs, NoSuchJob, Phase
from ovis.wire.events import Bus

JOB = "eeeeeeee-0000-4000-8000-000000000001"
MIB = 1 << 20
RAW, COW = VolumeFormat.RAW, VolumeFormat.COW


@dataclass
class Place:
    folder: Path
    jobs: Jobs
    exports: Exports

    @property
    def archive(self) -> Path:
        return self.folder / "out" / "guest.ova"

    async def run(self, vm: OvaVm, **options: bool) -> Job:
        await self.start(vm, **options)
        return await self.ended()

    async def start(self, vm: OvaVm, *, compressed: bool = False, with_manifest: bool = False) -> None:
        await self.exports.export(str(self.archive), vm, JOB, compressed=compressed, with_manifest=with_manifest)

    async def ended(self) -> Job:
        job = self.jobs.find(JOB)
        if job.task is not None:
            await asyncio.wait([job.task], timeout=60)
        assert not job.is_active
        return job

    def left(self) -> list[str]:
        state = self.folder / "state/exports"
        places = [self.archive.parent, *([state] if state.exists() else [])]
        return sorted(name for place in places for name in os.listdir(place))


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    (folder / "out").mkdir(exist_ok=True)
    storage = folder / "storage"
    settings = ImportSettings(folder / "state", folder / "secrets", storage, (storage,), ova_paths=(folder / "out",))
    jobs = Jobs(Bus())
    own = Exports(jobs, settings)
    try:
        await own.recover()
        yield Place(folder, jobs, own)
    finally:
        await jobs.close()
        own.close()


def disk(number: int, form: VolumeFormat = RAW, **more: str) -> OvaDisk:
    return OvaDisk(
        pool_id=POOL, domain_id=DOMAIN, image_id=image_id(number), volume_id=volume_id(number), format=form, **more
    )


def vm(*disks: OvaDisk, name: str = "guest", nics: tuple[OvaNic, ...] = ()) -> OvaVm:
    return OvaVm(name=name, memory=512 * MIB, cpus=2, disks=list(disks), nics=list(nics))


def raw_volume(folder: Path, number: int, size: int = 8 * MIB) -> Path:
    return raw_disk(volume(folder / "storage", number, size), size)


def qcow2_chain(folder: Path, number: int) -> Path:
    """A layer that names its parent as storage domains do: relative to itself."""
    base = raw_volume(folder, number + 100)
    top = volume(folder / "storage", number, 8 * MIB, "qcow2")
    inside = top.with_name(base.name)
    base.rename(inside)
    words = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", inside.name, "-F", "raw", str(top)]
    subprocess.run(words, check=True, timeout=60)
    subprocess.run(["qemu-io", "-c", "write -P 9 3M 1M", str(top)], check=True, capture_output=True, timeout=60)
    return top


@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_exported_is_imported_bit_by_bit(tmp_path: Path, *, compressed: bool) -> None:
    first, second = raw_volume(tmp_path, 0), qcow2_chain(tmp_path, 1)
    given = vm(
        disk(0),
        disk(1, COW, interface=VmDiskDeviceInterface.SCSI),
        nics=(OvaNic(mac_addr="52:54:00:00:00:07", network="lan"),),
    )

    async def main() -> None:
        async with place(tmp_path) as here:
            job = await here.run(given, compressed=compressed, with_manifest=True)
            assert job.phase is Phase.DONE, job.error
            assert here.left() == ["guest.ova"]
        into = tmp_path / "into"
        into.mkdir()
        targets = [volume(into / "storage", number, 8 * MIB) for number in range(2)]
        async with station(into) as there:
            described = await there.imports.describe_ova(str(here.archive))
            assert (described.vm_name, described.mem_size, described.smp) == ("guest", 512 * MIB, 2)
            assert [nic.mac_addr for nic in described.networks] == ["52:54:00:00:00:07"]
            await there.imports.convert_ova(str(here.archive), wanted(2), JOB)
            assert (await there.ended(JOB)).phase is Phase.DONE
        assert identical(first, "raw", targets[0], "raw")
        assert identical(second, "qcow2", targets[1], "raw")

    asyncio.run(main())


def test_other_programs_read_the_archive(tmp_path: Path) -> None:
    first, second = raw_volume(tmp_path, 0), raw_volume(tmp_path, 1)

    async def main() -> Path:
        async with place(tmp_path) as here:
            assert (await here.run(vm(disk(0), disk(1)), with_manifest=True)).phase is Phase.DONE
            return here.archive

    with tarfile.open(asyncio.run(main())) as archive:
        assert archive.getnames() == ["vm.ovf", volume_id(0), volume_id(1), "vm.mf"]
        archive.extractall(tmp_path / "unpacked")
    unpacked = tmp_path / "unpacked"
    assert identical(first, "raw", unpacked / volume_id(0), "qcow2")
    assert identical(second, "raw", unpacked / volume_id(1), "qcow2")
    checked = subprocess.run(
        ["sha256sum", "-c"],
        input=(unpacked / "vm.mf").read_text().replace("SHA256(", "SHA256 (").replace(")= ", ") = "),
        cwd=unpacked, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def test_a_name_of_any_kind_is_only_a_name(tmp_path: Path) -> None:
    raw_volume(tmp_path, 0)
    hostile = "</Name><!DOCTYPE x>&amp; ../../etc/passwd"

    async def main() -> None:
        async with place(tmp_path) as here:
            assert (await here.run(vm(disk(0, alias='"/>' + hostile), name=hostile))).phase is Phase.DONE
            async with station(tmp_path / "there") as there:
                assert (await there.imports.describe_ova(str(here.archive))).vm_name == hostile

    asyncio.run(main())


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("guest.ova", "not absolute"),
        ("/out/guest.tar", "does not end"),
        ("/out/.ova", "begins with a dot"),
        ("/out/a\nb.ova", "unprintable"),
        ("/out/no/such/guest.ova", "no folder"),
        ("/out/../storage/guest.ova", "lies outside"),
        ("/out/link/guest.ova", "lies outside"),
        ("/out/there.ova", "exists already"),
        ("/out/broken.ova", "exists already"),
    ],
)
def test_a_bad_place_is_refused(tmp_path: Path, path: str, said: str) -> None:
    raw_volume(tmp_path, 0)
    out = tmp_path / "out"
    out.mkdir()
    (out / "there.ova").touch()
    (out / "broken.ova").symlink_to("/no/such/file")
    (out / "link").symlink_to(tmp_path)

    async def main() -> None:
        async with place(tmp_path) as here:
            full = f"{tmp_path}{path}" if path.startswith("/") else path
            with pytest.raises(BadParameter, match=said):
                await here.exports.export(full, vm(disk(0)), JOB, compressed=False, with_manifest=False)
            assert here.left() == ["broken.ova", "link", "there.ova"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (vm(), "1 to 64"),
        (vm(disk(0), disk(0)), "named twice"),
        (vm(disk(0), name="a\x00b"), "cannot be written"),
        (vm(disk(0), name=""), "1 to 255"),
        (vm(disk(0, interface=VmDiskDeviceInterface.USB)), "cannot be described"),
        (vm(disk(9)), "there is no such file"),
        (vm(disk(0, COW)), "cannot be read"),
        (vm(disk(0), nics=(OvaNic(model="ne2k"),)), "not one of"),
    ],
)
def test_a_vm_that_cannot_be_written_is_refused(tmp_path: Path, given: OvaVm, said: str) -> None:
    raw_volume(tmp_path, 0)

    async def main() -> None:
        async with place(tmp_path) as here:
            with pytest.raises((BadParameter, BadTarget, BadDisk), match=said):
                await here.run(given)
            assert here.left() == []

    asyncio.run(main())


@contextmanager
def written(path: Path, form: str, folder: Path) -> Iterator[None]:
    """QEMU has the image open for writing, as a VM has."""
    pid = folder / "pid"
    words = ["qemu-nbd", "--fork", "-t", "-f", form, "-k", str(folder / "sock"), f"--pid-file={pid}", str(path)]
    subprocess.run(words, check=True, timeout=60)
    try:
        yield
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_disk_that_somebody_writes_is_not_exported(tmp_path: Path) -> None:
    path = raw_volume(tmp_path, 0)

    async def main() -> None:
        async with place(tmp_path) as here:
            job = await here.run(vm(disk(0)))
            assert job.phase is Phase.FAILED
            assert job.error is not None
            assert "lock" in job.error.message
            assert here.left() == []

    with written(path, "raw", tmp_path):
        asyncio.run(main())


def test_the_layer_below_the_one_that_is_written_is_exported(tmp_path: Path) -> None:
    top = qcow2_chain(tmp_path, 1)
    below = msgspec.structs.replace(disk(1), volume_id=volume_id(101))

    async def main() -> None:
        async with place(tmp_path) as here:
            job = await here.run(vm(below))
            assert job.phase is Phase.DONE, job.error

    with written(top, "qcow2", tmp_path):
        asyncio.run(main())


def test_too_little_room_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw_volume(tmp_path, 0)
    full = os.statvfs_result((4096, 4096, 100, 1, 1, 100, 100, 100, 0, 255))
    monkeypatch.setattr(exports.os, "statvfs", lambda _: full)

    async def main() -> None:
        async with place(tmp_path) as here:
            with pytest.raises(BadParameter, match="4096 are free"):
                await here.run(vm(disk(0)))
            assert here.left() == []

    asyncio.run(main())


def test_an_archive_that_outgrows_its_place_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw_volume(tmp_path, 0)
    limited = disks.WORK.prefix
    monkeypatch.setattr(disks.Limits, "prefix", property(lambda _: [*limited[:5], "--fsize=1000000", *limited[5:]]))

    async def main() -> None:
        async with place(tmp_path) as here:
            job = await here.run(vm(disk(0)))
            assert job.phase is Phase.FAILED
            assert job.error is not None
            assert here.left() == []

    asyncio.run(main())


def test_a_name_that_is_taken_meanwhile_stays_what_it_is(tmp_path: Path) -> None:
    raw_volume(tmp_path, 0)

    async def main() -> None:
        async with place(tmp_path) as here:
            await here.start(vm(disk(0)))
            here.archive.write_text("mine")
            job = await here.ended()
            assert job.phase is Phase.FAILED
            assert job.error is not None
            assert "somebody else" in job.error.message
            assert here.archive.read_text() == "mine"
            assert here.left() == ["guest.ova"]

    asyncio.run(main())


def test_a_stopped_export_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw_volume(tmp_path, 0)
    begun = asyncio.Event()

    async def hangs(*_: object, **__: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(disks, "write", hangs)

    async def main() -> None:
        async with place(tmp_path) as here:
            await here.start(vm(disk(0)))
            await begun.wait()
            assert f".ovis-{JOB}.part" in here.left()
            with pytest.raises(JobExists):
                await here.start(vm(disk(0)))
            here.exports.abort(JOB)
            assert (await here.ended()).phase is Phase.ABORTED
            assert here.left() == []
            here.exports.abort(JOB)
            with pytest.raises(NoSuchJob):
                here.exports.abort("eeeeeeee-0000-4000-8000-000000000002")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("phase", "linked", "told"),
    [(Phase.RUNNING, False, Phase.FAILED), (Phase.RUNNING, True, Phase.DONE), (Phase.DONE, True, Phase.DONE)],
)
def test_what_a_killed_agent_left_is_told_and_removed(
    tmp_path: Path, phase: Phase, told: Phase, *, linked: bool
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    part, target = out / f".ovis-{JOB}.part", out / "guest.ova"
    part.write_text("archive")
    if linked:
        target.hardlink_to(part)
    store = ImportStore(tmp_path / "state/exports")
    store.write(Record(id=JOB, description="export", phase=phase, part=str(part), target=str(target)))

    async def main() -> None:
        async with place(tmp_path) as here:
            assert here.jobs.find(JOB).phase is told
            assert here.left() == (["guest.ova"] if linked else [])

    asyncio.run(main())
