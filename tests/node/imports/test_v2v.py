import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from archives import DOMAIN, POOL, OvfDisk, image_id, ova, ovf, raw_disk, stream_vmdk, volume, volume_id
from station import JOB, Phase, Station, station, wanted

from ovis.client.types import ExternalDiskParams, ExternalVmParams, OvaDisk, OvaVm, VolumeFormat
from ovis.node.exports.exports import Exports
from ovis.node.imports import v2v
from ovis.node.imports.errors import ConverterMissing
from ovis.node.imports.v2v import Output, Progress

EXPORT = "eeeeeeee-0000-4000-8000-000000000001"
VPX = "vpx://admin@vcenter/DC/esxi?no_verify=1"
MIB = 1 << 20


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "virt-v2v"
    program.parent.mkdir()
    source = Path(__file__).with_name("stand_in_v2v.py")
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {source} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program


def run(folder: Path, test: Callable[[Station], Awaitable[None]], **changes: object) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), station(folder, **changes) as here:
            await test(here)

    asyncio.run(main())


def seen(folder: Path) -> dict[str, object]:
    found = json.loads((folder / "seen.json").read_text())
    assert isinstance(found, dict)
    return found


async def started(here: Station, params: ExternalVmParams, *, disk: int = 0) -> None:
    for number in range(len(params.disks)):
        volume(here.folder / "storage", number, MIB)
    await here.imports.convert_external(VPX, "admin", "ge heim", params, JOB)
    async with asyncio.timeout(20):
        while True:
            told = here.imports.statistics()[JOB]
            if not here.jobs.find(JOB).is_active or (f"disk {disk} of" in told.description and told.progress_percent):
                return
            await asyncio.sleep(0.01)


def test_a_vm_of_vmware_is_converted(tmp_path: Path, stand_in: Path) -> None:
    async def test(here: Station) -> None:
        await started(here, wanted(2, format=VolumeFormat.COW))
        job = await here.ended()
        assert job.phase is Phase.DONE, job.error
        assert here.imports.converted(JOB) == "<ovf>converted</ovf>"
        root = tmp_path / "storage" / POOL / DOMAIN / "images"
        assert (root / image_id(1) / volume_id(1)).read_bytes() == b"converted"
        assert here.left() == [f"{JOB}.json"]
        assert not (tmp_path / "secrets" / JOB).exists()

    run(tmp_path, test)
    told = seen(tmp_path)
    assert told["password"] == "ge heim"
    assert told["password mode"] == "0o600"
    assert told["what"] == "guest"
    assert "ge heim" not in json.dumps([told["arguments"], told["environment"]])
    arguments = " ".join(map(str, told["arguments"]))  # type: ignore[call-overload]
    assert f"-i libvirt -ic {VPX} -ip {tmp_path}/secrets/{JOB}/password -- guest" in arguments
    assert "-o vdsm -of qcow2" in arguments
    assert "'LIBGUESTFS_BACKEND_SETTINGS': 'force_tcg'" in str(told["environment"])


def test_progress_is_told_for_each_disk(tmp_path: Path, stand_in: Path) -> None:
    async def test(here: Station) -> None:
        await started(here, wanted(2, name="hangs"), disk=1)
        told = here.imports.statistics()[JOB]
        assert (told.status, told.progress_percent) == ("copying_disk", 50)
        assert told.description.endswith("copying disk 1 of 2")
        assert here.jobs.find(JOB).info.progress_percent == 25
        here.imports.abort(JOB)
        assert (await here.ended()).phase is Phase.ABORTED
        assert here.left() == [f"{JOB}.json"]
        assert not list((tmp_path / "secrets").iterdir())

    run(tmp_path, test)


def test_a_failed_conversion_says_why(tmp_path: Path, stand_in: Path) -> None:
    async def test(here: Station) -> None:
        await started(here, wanted(1, name="broken"))
        job = await here.ended()
        assert job.phase is Phase.FAILED
        assert job.error is not None
        assert job.error.message == "virt-v2v failed: no root device found in this image"

    run(tmp_path, test)


def foreign_ova(folder: Path) -> Path:
    data = stream_vmdk(raw_disk(folder / "raw"), folder / "v").read_bytes()
    return ova(folder / "guest.ova", {"guest.ovf": ovf(OvfDisk("disk", len(data), 4 * MIB)).encode(), "disk": data})


def test_an_ova_of_vmware_is_converted_where_the_program_is(tmp_path: Path, stand_in: Path) -> None:
    async def test(here: Station) -> None:
        source = foreign_ova(tmp_path)
        into = volume(tmp_path / "storage", 0, 4 * MIB)
        await here.imports.convert_ova(str(source), wanted(1), JOB)
        job = await here.ended()
        assert job.phase is Phase.DONE, job.error
        assert into.read_bytes() == b"converted"
        assert seen(tmp_path)["what"] == str(source)

    run(tmp_path, test)


def test_without_the_program_an_ova_is_copied_and_vmware_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(v2v, "PROGRAM", "virt-v2v-that-is-not-there")

    async def test(here: Station) -> None:
        source = foreign_ova(tmp_path)
        into = volume(tmp_path / "storage", 0, 4 * MIB)
        with pytest.raises(ConverterMissing, match="not installed on this host"):
            await here.imports.convert_external(VPX, "", "", wanted(1), JOB)
        await here.imports.convert_ova(str(source), wanted(1), JOB)
        job = await here.ended()
        assert job.phase is Phase.DONE, job.error
        assert "its guest as it is" in job.description
        assert into.read_bytes() == (tmp_path / "raw").read_bytes()
        assert 'disk-interface="SATA"' in here.imports.converted(JOB)

    async def always(here: Station) -> None:
        with pytest.raises(ConverterMissing):
            await here.imports.convert_ova(str(tmp_path / "guest.ova"), wanted(1), JOB.replace("1", "2"))

    run(tmp_path, test)
    run(tmp_path, always, convert_guests="always")


def test_output_that_is_torn_apart_is_understood() -> None:
    found: list[Progress] = []
    output = Output(found.append)
    text = (
        b"[ 1.0] Copying disk 1/2\n\r (0.00/100%)\r (12.34/100%)\r\n[ 9.0] Copying disk 2/2\n\xe2\x96\x88 42% [***--]\r"
    )
    for number in range(len(text)):
        output.take(text[number : number + 1])
    assert found == [Progress(1, 2), Progress(1, 2, 12), Progress(2, 2), Progress(2, 2, 42)]


@pytest.mark.skipif(
    shutil.which("virt-v2v") is None, reason="virt-v2v is not installed (optional: see docs/vm/import.md)"
)
def test_the_real_program_understands_its_arguments(tmp_path: Path) -> None:
    """Its own virtual machine may not start everywhere, and there is no guest on the disk: so it fails, but later."""

    async def test(here: Station) -> None:
        source = foreign_ova(tmp_path)
        volume(tmp_path / "storage", 0, 4 * MIB)
        await here.imports.convert_ova(str(source), wanted(1), JOB)
        job = await here.ended()
        assert job.phase is Phase.FAILED
        assert job.error is not None
        assert any(word in job.error.message for word in ("libguestfs error", "inspection could not detect"))
        assert here.left() == [f"{JOB}.json"]

    run(tmp_path, test)


GUEST = "OVIS_TEST_V2V_GUEST"


@pytest.mark.timeout(7200)
@pytest.mark.skipif(not os.environ.get(GUEST), reason=f"{GUEST}=DISK runs it: a qcow2 with Linux (docs/vm/import.md)")
def test_a_real_guest_is_exported_and_converted(tmp_path: Path) -> None:
    """Emulated, whatever the machine can: a quarter of an hour."""
    size = int(
        json.loads(subprocess.check_output(["qemu-img", "info", "--output=json", os.environ[GUEST]]))["virtual-size"]
    )
    shutil.copy(os.environ[GUEST], volume(tmp_path / "storage", 0, size, "qcow2"))
    into, archive = volume(tmp_path / "storage", 1, size), tmp_path / "guest.ova"
    disk = OvaDisk(
        pool_id=POOL, domain_id=DOMAIN, image_id=image_id(0), volume_id=volume_id(0), format=VolumeFormat.COW
    )
    vm = OvaVm(name="guest", memory=512 * MIB, cpus=2, disks=[disk])
    target = ExternalDiskParams(image_id=image_id(1), volume_id=volume_id(1))

    async def main() -> None:
        async with station(tmp_path, convert_guests="always") as here:
            exports = Exports(here.jobs, here.settings)
            try:
                await exports.export(str(archive), vm, EXPORT, compressed=False, with_manifest=True)
                await finished(here, EXPORT)
                wish = ExternalVmParams(vm_name="guest", pool_id=POOL, domain_id=DOMAIN, disks=[target])
                await here.imports.convert_ova(str(archive), wish, JOB)
                await finished(here, JOB)
            finally:
                exports.close()
            assert "generated by virt-v2v" in here.imports.converted(JOB)
            assert volume_id(1) in here.imports.converted(JOB)

    asyncio.run(main())
    assert into.stat().st_blocks > MIB // 512


async def finished(here: Station, job_id: str) -> None:
    job = here.jobs.find(job_id)
    assert job.task is not None
    await asyncio.wait([job.task])
    assert job.phase is Phase.DONE, job.error
