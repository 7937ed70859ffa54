"""TPM and UEFI state is read whole, and only what was packed by such a reader is unpacked."""

import asyncio
import base64
import bz2
import dataclasses
import io
import lzma
import os
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from vm_host import ID, VmHost, parameters, vm_host

from ovis.client.types import VmParameters
from ovis.node.errors import BadParameter
from ovis.node.vm import ending, external_data, external_files
from ovis.node.vm.external_data import NOTHING, ExternalDataFailed
from ovis.node.vm.external_files import read
from ovis.node.vm.external_kinds import BYTES_MOST, Kind, Unreadable
from ovis.node.vm.external_packing import unpack
from ovis.node.vm.settings import VmSettings

OLD = 1_000_000.0


class Time:
    """Moves when somebody sleeps, and lets the writer work then."""

    def __init__(self, write: Callable[[int], object] = lambda _: None) -> None:
        self.time = OLD + 100
        self.sleeps = 0
        self._write = write

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        self.time += seconds
        self._write(self.sleeps)

    def read(self, kind: Kind, place: Path, **how: bool) -> external_data.Copy:
        found = read(place, now=self.now, sleep=self.sleep, **{"rests": False, "force": False, **how})
        return external_data.copy_of(kind, found)


def put(path: Path, data: bytes, at: float = OLD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (at, at))
    return path


def tpm(folder: Path) -> Path:
    put(folder / "tpm2/tpm2-00.permall", b"permanent" * 100)
    put(folder / "tpm2/.lock", b"")
    put(folder / "log", b"")
    for path in (folder / "tpm2", folder):
        os.utime(path, (OLD, OLD))
    return folder


def test_variables_come_back_as_they_were(tmp_path: Path) -> None:
    place = put(tmp_path / "vars.fd", bytes(range(256)) * 100)
    copy = Time().read(Kind.NVRAM, place)
    assert unpack(Kind.NVRAM, copy.data) == {"": place.read_bytes()}
    assert bz2.decompress(base64.b64decode(copy.data.removeprefix("=0="))) == place.read_bytes()
    assert "permanent" not in repr(copy)


def test_folder_comes_back_without_its_lock_and_equal_content_has_an_equal_hash(tmp_path: Path) -> None:
    first = Time().read(Kind.TPM, tpm(tmp_path / "one"))
    assert unpack(Kind.TPM, first.data) == {"tpm2/tpm2-00.permall": b"permanent" * 100, "log": b""}
    assert Time().read(Kind.TPM, tpm(tmp_path / "two")).hash == first.hash
    put(tmp_path / "two/log", b"x")
    assert Time().read(Kind.TPM, tmp_path / "two", force=True).hash != first.hash


def test_state_that_was_just_written_is_waited_for(tmp_path: Path) -> None:
    place = tmp_path / "vars.fd"
    clock = Time(lambda sleeps: put(place, b"new", clock.time) if sleeps == 2 else None)
    put(place, b"old", clock.time)
    copy = clock.read(Kind.NVRAM, place)
    assert unpack(Kind.NVRAM, copy.data) == {"": b"new"}
    assert clock.sleeps >= 2


def test_state_that_keeps_changing_is_read_by_force_only(tmp_path: Path) -> None:
    place = tmp_path / "vars.fd"
    clock = Time(lambda sleeps: put(place, b"%d" % sleeps, clock.time))
    put(place, b"0", clock.time)
    with pytest.raises(Unreadable):
        clock.read(Kind.NVRAM, place)
    assert clock.read(Kind.NVRAM, place, force=True).data
    assert clock.time < OLD + 200


def test_state_that_changes_while_it_is_read_is_never_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = put(tmp_path / "vars.fd", b"first")
    whole = external_files._read_file
    reads = []

    def torn(path: Path) -> bytes:
        data = whole(path)
        reads.append(data)
        if len(reads) == 1:
            put(path, b"second", OLD + 1)
        return data

    monkeypatch.setattr(external_files, "_read_file", torn)
    assert unpack(Kind.NVRAM, Time().read(Kind.NVRAM, place).data) == {"": b"second"}
    assert len(reads) == 2


def test_vm_that_is_down_is_not_waited_for(tmp_path: Path) -> None:
    clock = Time()
    place = put(tmp_path / "vars.fd", b"x", clock.time)
    clock.read(Kind.NVRAM, place, rests=True)
    assert clock.sleeps == 0


@pytest.mark.parametrize("kind", list(Kind))
def test_missing_empty_and_strange_state_is_refused(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(Unreadable, match="not there"):
        Time().read(kind, tmp_path / "nothing")
    place = tmp_path / "place"
    place.mkdir() if kind is Kind.TPM else place.touch()
    with pytest.raises(Unreadable, match="empty"):
        Time().read(kind, place)
    target = place / "link" if kind is Kind.TPM else tmp_path / "link"
    target.symlink_to("/etc/passwd")
    with pytest.raises(Unreadable, match="neither"):
        Time().read(kind, place if kind is Kind.TPM else target)


def packed(content: bytes) -> str:
    return "=0=" + base64.b64encode(bz2.compress(content)).decode()


def tar_of(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for entry, data in entries:
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return lzma.compress(out.getvalue(), preset=0)


def link() -> tarfile.TarInfo:
    entry = tarfile.TarInfo("tpm2/link")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return entry


@pytest.mark.parametrize(
    "data",
    [
        "=9=AAAA",
        "=0=not base64!",
        "=0=AAAA",
        packed(b"no tar"),
        packed(tar_of((tarfile.TarInfo("../outside"), b"x"))),
        packed(tar_of((tarfile.TarInfo("/etc/passwd"), b"x"))),
        packed(tar_of((link(), b""))),
        packed(tar_of()),
        packed(lzma.compress(bytes(BYTES_MOST + 1), preset=0)),  # quickly: when the file is collected
    ],
)
def test_damaged_or_hostile_data_is_not_unpacked(data: str) -> None:
    with pytest.raises(Unreadable):
        unpack(Kind.TPM, data)


def test_old_data_without_compression_is_unpacked() -> None:
    assert unpack(Kind.NVRAM, base64.encodebytes(b"x" * 100).decode()) == {"": b"x" * 100}


def run(folder: Path, devices: str, body: Callable[[VmHost], Awaitable[None]], **settings: Any) -> None:
    async def whole() -> None:
        chosen = dataclasses.replace(VmSettings(allowed_paths=(folder,)), **settings)
        async with asyncio.timeout(20), vm_host(folder / "state", settings=chosen) as host:
            await host.started(devices=devices)
            await body(host)

    asyncio.run(whole())


TPM = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"


def test_tpm_of_a_vm_is_read_and_the_last_copy_answers_while_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(host: VmHost) -> None:
        vm = host.vms.find(ID)
        first = await external_data.get(host.vms, vm, Kind.TPM, force=False)
        assert "tpm2/tpm2-00.permall" in unpack(Kind.TPM, first.data)

        def changing(*_: object, **__: object) -> external_files.Found:
            raise Unreadable("it keeps changing")

        monkeypatch.setattr(external_files, "read", changing)
        assert await external_data.get(host.vms, vm, Kind.TPM, force=False) == first
        with pytest.raises(ExternalDataFailed):
            await external_data.get(host.vms, vm, Kind.TPM, force=True)

    tpm(tmp_path / "swtpm" / ID)
    run(tmp_path, TPM, body, swtpm_folder=tmp_path / "swtpm")


def test_vm_without_such_devices_has_no_such_data(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        for kind in Kind:
            assert await external_data.get(host.vms, host.vms.find(ID), kind, force=True) == NOTHING

    run(tmp_path, "", body)


def test_missing_folder_is_an_error_with_its_name(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        with pytest.raises(ExternalDataFailed, match="swtpm"):
            await external_data.get(host.vms, host.vms.find(ID), Kind.TPM, force=True)

    run(tmp_path, TPM, body, swtpm_folder=tmp_path / "swtpm")


def give(host: VmHost, devices: str, **data: str | None) -> VmParameters:
    return msgspec.structs.replace(parameters(ID, devices=devices), **data)


async def down(host: VmHost) -> None:
    await ending.destroy(host.vms, host.vms.find(ID), graceful_attempts=0)


def test_tpm_is_handed_back_before_the_start(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        vm = host.vms.find(ID)
        copy = await external_data.get(host.vms, vm, Kind.TPM, force=True)
        await down(host)
        put(tmp_path / "swtpm" / ID / "stale", b"of another life")
        await host.vms.create(ID, give(host, TPM, x_tpmdata=copy.data))
        await host.written()
        again = await external_data.get(host.vms, host.vms.find(ID), Kind.TPM, force=True)
        assert again == copy
        assert [path.name for path in (tmp_path / "swtpm").iterdir()] == [ID]

    tpm(tmp_path / "swtpm" / ID)
    run(tmp_path, TPM, body, swtpm_folder=tmp_path / "swtpm")


def nvram(path: Path) -> str:
    return f"<os><type machine='q35'>hvm</type><nvram>{path}</nvram></os>"


def test_variables_are_handed_back_to_allowed_places_only(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        await down(host)
        data = Time().read(Kind.NVRAM, put(tmp_path / "from", b"variables")).data
        firmware = put(tmp_path / "firmware/CODE.fd", b"for all")
        for place, allowed in ((firmware, False), (tmp_path / "state/vars.fd", True)):
            given = give(host, "", x_nvramdata=data)
            assert given.xml is not None
            old = "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
            given = msgspec.structs.replace(given, xml=given.xml.replace(old, nvram(place)))
            if allowed:
                await host.vms.create(ID, given)
                assert place.read_bytes() == b"variables"
            else:
                with pytest.raises(BadParameter, match="no place"):
                    await host.vms.create(ID, given)
                assert host.vms.get(ID) is None
        assert firmware.read_bytes() == b"for all"

    places = {"allowed_paths": (tmp_path / "state",), "firmware_paths": (tmp_path / "firmware",)}
    run(tmp_path, "", body, **places)


def test_variables_in_libvirt_s_folder_go_with_the_vm_and_others_stay(tmp_path: Path) -> None:
    own, elsewhere = tmp_path / "nvram/own.fd", tmp_path / "state/vars.fd"

    async def body(host: VmHost) -> None:
        await down(host)
        for place in (own, elsewhere):
            put(place, b"variables")
            given = give(host, "")
            assert given.xml is not None
            old = "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
            await host.vms.create(ID, msgspec.structs.replace(given, xml=given.xml.replace(old, nvram(place))))
            await host.written()
            await down(host)
        assert not own.exists()
        assert elsewhere.exists()

    places = {"allowed_paths": (tmp_path / "state", own.parent), "nvram_folder": own.parent}
    run(tmp_path, "", body, **places)


@pytest.mark.parametrize("data", ["=9=AAAA", "=0=AAAA", "no base64!"])
def test_damaged_state_is_not_started_with(tmp_path: Path, data: str) -> None:
    async def body(host: VmHost) -> None:
        await down(host)
        with pytest.raises(BadParameter, match="_X_tpmdata"):
            await host.vms.create(ID, give(host, TPM, x_tpmdata=data))
        with pytest.raises(BadParameter, match="_X_nvramdata"):
            await host.vms.create(ID, give(host, TPM, x_nvramdata="=0=QlpoOQ=="))  # and no nvram in the description
        assert host.vms.get(ID) is None
        await host.started(devices=TPM)

    run(tmp_path, TPM, body, swtpm_folder=tmp_path / "swtpm")
