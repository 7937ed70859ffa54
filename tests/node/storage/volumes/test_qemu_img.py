import asyncio
from pathlib import Path, PurePosixPath

import pytest
from volume_station import MIB, qemu_img, qemu_io

from ovis.node.storage.errors import NoSpace
from ovis.node.storage.volumes.errors import QemuImgFailed
from ovis.node.storage.volumes.qemu_img import QCOW2, RAW, Disk, QemuImg


def disk(path: Path, format: str = QCOW2) -> Disk:
    return Disk(PurePosixPath(path), format)


def made(path: Path, *, size: int = 8 * MIB) -> Disk:
    asyncio.run(QemuImg().create(disk(path), size))
    return disk(path)


def script(path: Path, text: str) -> QemuImg:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return QemuImg(program=(str(path),), stall=0.5)


def test_looking_checking_measuring(tmp_path: Path) -> None:
    async def main() -> None:
        program, image = QemuImg(), disk(tmp_path / "x")
        await program.create(image, 8 * MIB, compat="0.10", backing="nowhere", backing_format=RAW)
        info = await program.info(image)
        assert (info.virtual_size, info.compat, info.backing_filename) == (8 * MIB, "0.10", "nowhere")
        checked = await program.check(image)
        assert checked.image_end_offset is not None
        assert checked.corruptions == 0
        measured = await program.measure(image, QCOW2, view=[image])
        assert measured.required < MIB

    asyncio.run(main())


def test_progress_is_told(tmp_path: Path) -> None:
    source, target = made(tmp_path / "a"), made(tmp_path / "b")
    qemu_io(tmp_path / "a", QCOW2, "write -P 1 0 8M")
    told: list[int] = []
    asyncio.run(QemuImg().convert(source, target, on_percent=told.append))
    assert told[-1] == 100
    assert told == sorted(told)
    qemu_io(tmp_path / "b", QCOW2, "read -P 1 0 8M")


def test_the_map_of_an_image(tmp_path: Path) -> None:
    image = made(tmp_path / "a")
    qemu_io(tmp_path / "a", QCOW2, "write 1M 1M")
    assert [(e.start, e.length) for e in asyncio.run(QemuImg().map(image)) if e.data] == [(MIB, MIB)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("echo '{}'", "tells nothing usable"),
        ("echo nonsense", "tells nothing usable"),
        ("""echo '{"virtual-size": "many", "format": "raw"}'""", "tells nothing usable"),
        ("echo broken >&2; exit 1", "broken"),
        ("kill -9 $$", "SIGKILL"),
    ],
)
def test_what_it_says_is_not_believed(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(QemuImgFailed, match=complaint):
        asyncio.run(script(tmp_path / "program", text).info(disk(tmp_path / "x")))


def test_one_that_makes_no_progress_is_ended(tmp_path: Path) -> None:
    program = script(tmp_path / "program", "sleep 60")
    with pytest.raises(QemuImgFailed, match="no progress"):
        asyncio.run(program.convert(disk(tmp_path / "x"), disk(tmp_path / "y")))


def test_a_full_storage_has_its_own_error(tmp_path: Path) -> None:
    program = script(tmp_path / "program", "echo 'writing: No space left on device' >&2; exit 1")
    with pytest.raises(NoSpace):
        asyncio.run(program.resize(disk(tmp_path / "x"), MIB))


def test_where_there_is_no_direct_io_the_cache_is_used(tmp_path: Path) -> None:
    refuse = 'case "$*" in *"-t none"*) echo "filesystem does not support O_DIRECT" >&2; exit 1;; esac'
    program = script(tmp_path / "program", f'echo "$*" >>{tmp_path}/calls\n{refuse}')
    asyncio.run(program.convert(disk(tmp_path / "x"), disk(tmp_path / "y")))
    assert len((tmp_path / "calls").read_text().splitlines()) == 2


def test_a_layer_is_worked_on_without_its_parent(tmp_path: Path) -> None:
    async def main() -> None:
        program, image = QemuImg(), disk(tmp_path / "x")
        await program.create(image, MIB, backing="nowhere", backing_format=QCOW2)
        await program.resize(image, 2 * MIB)
        await program.add_bitmap(image, "one", granularity=1 << 20)
        info = await program.info(image)
        assert (info.bitmaps[0].name, info.bitmaps[0].granularity, info.bitmaps[0].is_valid) == ("one", 1 << 20, True)
        await program.remove_bitmap(image, "one")
        await program.rebase(image, None)
        assert (await program.info(image)).backing_filename is None

    asyncio.run(main())
    assert "virtual size: 2 MiB" in qemu_img("info", str(tmp_path / "x"))
