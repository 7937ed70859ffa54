import asyncio
import hashlib
from pathlib import Path

import pytest
from archives import OvfDisk, identical, ova, ovf, raw_disk, stream_vmdk, volume
from station import JOB, Phase, station, wanted

from ovis.node.imports import manifest
from ovis.node.imports.errors import BadArchive
from ovis.node.imports.ova import Ova

MIB = 1 << 20


def sums(files: dict[str, bytes], algorithm: str = "SHA256", form: str = "{}({})= {}") -> bytes:
    lines = [form.format(algorithm, name, hashlib.new(algorithm, data).hexdigest()) for name, data in files.items()]
    return "\r\n".join(lines).encode() + b"\n"


def guest(folder: Path) -> dict[str, bytes]:
    data = stream_vmdk(raw_disk(folder / "raw"), folder / "disk.vmdk").read_bytes()
    return {"guest.ovf": ovf(OvfDisk("disk.vmdk", len(data), 4 * MIB)).encode(), "disk.vmdk": data}


def imported(folder: Path, source: Path) -> tuple[Phase, str]:
    """How the import ends, and what it says."""

    async def main() -> tuple[Phase, str]:
        async with asyncio.timeout(60), station(folder, convert_guests="never") as here:
            await here.imports.convert_ova(str(source), wanted(1), JOB)
            job = await here.ended()
            return job.phase, str(job.error or "")

    return asyncio.run(main())


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
def test_an_archive_that_is_whole_is_taken(tmp_path: Path, algorithm: str) -> None:
    files = guest(tmp_path)
    source = ova(tmp_path / "guest.ova", {**files, "guest.mf": sums(files, algorithm)})
    into = volume(tmp_path / "storage", 0, 4 * MIB)
    assert imported(tmp_path, source) == (Phase.DONE, "")
    assert identical(tmp_path / "raw", "raw", into, "raw")


def test_other_spellings_are_read(tmp_path: Path) -> None:
    files = guest(tmp_path)
    source = ova(tmp_path / "guest.ova", {**files, "guest.mf": sums(files, form="{} ({}) = {}")})
    with Ova(str(source)) as archive:
        assert set(manifest.read(archive)) == set(files)


def test_a_damaged_disk_is_not_copied(tmp_path: Path) -> None:
    files = guest(tmp_path)
    told = sums(files)
    damaged = bytearray(files["disk.vmdk"])
    damaged[-700] ^= 1
    source = ova(tmp_path / "guest.ova", {**files, "disk.vmdk": bytes(damaged), "guest.mf": told})
    into = volume(tmp_path / "storage", 0, 4 * MIB)
    phase, said = imported(tmp_path, source)
    assert phase is Phase.FAILED
    assert "SHA256" in said
    assert not into.read_bytes().strip(b"\0")


def test_a_description_that_was_changed_is_refused(tmp_path: Path) -> None:
    files = guest(tmp_path)
    told = sums(files)
    source = ova(tmp_path / "guest.ova", {**files, "guest.ovf": files["guest.ovf"] + b" ", "guest.mf": told})
    volume(tmp_path / "storage", 0, 4 * MIB)
    with pytest.raises(BadArchive, match="SHA256"):
        imported(tmp_path, source)


@pytest.mark.parametrize(
    "line", [b"MD5(guest.ovf)= 00", b"SHA256(guest.ovf)= 00", b"nonsense", b"SHA1()= " + b"0" * 40]
)
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, line: bytes) -> None:
    source = ova(tmp_path / "guest.ova", {"guest.ovf": b"", "guest.mf": line})
    with Ova(str(source)) as archive, pytest.raises(BadArchive, match="no checksum"):
        manifest.read(archive)


def test_a_manifest_of_another_archive_is_left_alone(tmp_path: Path) -> None:
    source = ova(tmp_path / "guest.ova", {"guest.ovf": b"", "other.mf": b"nonsense"})
    with Ova(str(source)) as archive:
        assert manifest.read(archive) == {}
