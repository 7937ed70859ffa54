"""Uploads that lie, or lead elsewhere."""

import asyncio
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from engine import IMAGE, MIB, Engine, engine, volume
from volume_station import qemu_img

from ovis.wire.errors import RpcError

SECRET = "/etc/passwd"


def verified(folder: Path, upload: Callable[[Path], None], **given: object) -> str:
    """ "": accepted, else what is wrong."""

    async def main() -> str:
        async with engine(folder) as at:
            await at.create(1, **given)
            upload(await at.path(1))
            return await verify(at, 1)

    return asyncio.run(main())


async def verify(at: Engine, number: int) -> str:
    try:
        await at.call("Volume.verify_untrusted", volumeID=volume(number))
    except RpcError as error:
        return f"{error.code} {error.message}"
    return ""


def made(*options: str, size: int = 16 * MIB) -> Callable[[Path], None]:
    return lambda path: void(qemu_img("create", "-q", "-f", "qcow2", *options, str(path), str(size)))


def void(_: object) -> None: ...


def patched(offset: int, data: bytes) -> Callable[[Path], None]:
    def upload(path: Path) -> None:
        with open(path, "r+b") as file:
            os.pwrite(file.fileno(), data, offset)

    return upload


def test_an_honest_upload(tmp_path: Path) -> None:
    assert verified(tmp_path, made()) == ""


@pytest.mark.parametrize(
    ("upload", "complaint"),
    [
        (made("-u", "-b", SECRET, "-F", "raw"), "names a parent of its own: '/etc/passwd'"),
        (made("-u", "-b", "nbd:unix:/run/x", "-F", "raw"), "names a parent of its own"),
        (made("-u", "-b", f"../{IMAGE}/../../x", "-F", "raw"), "names a parent of its own"),
        (made(size=32 * MIB), "33554432 bytes"),
        (patched(72, struct.pack(">Q", 4)), "external data file"),
        (patched(72, struct.pack(">Q", 1 << 40)), "features"),
        (patched(72, struct.pack(">Q", 2)), "features"),
        (patched(4, struct.pack(">I", 9)), "version 9"),
        (patched(0, b"KDMV"), "is said to be qcow2"),
        (patched(20, struct.pack(">I", 40)), "clusters"),
        (patched(36, b"\xff" * 4), "qemu-img cannot read it"),
        (lambda path: os.truncate(path, 50), "cut off"),
        (lambda path: os.truncate(path, 0), "is said to be qcow2"),
    ],
)
def test_a_hostile_upload(tmp_path: Path, upload: Callable[[Path], None], complaint: str) -> None:
    said = verified(tmp_path, upload)
    assert said.startswith("484 ")
    assert complaint in said


@pytest.mark.parametrize("magic", [b"QFI\xfb", b"KDMV", b"vhdx"])
def test_a_raw_volume_must_not_look_like_an_image(tmp_path: Path, magic: bytes) -> None:
    raw = {"volFormat": 5, "preallocate": 2}
    assert "is said to be raw" in verified(tmp_path, patched(0, magic), **raw)


def test_a_raw_volume_of_anything_else(tmp_path: Path) -> None:
    assert verified(tmp_path, patched(0, b"\x55\xaa" * 256), volFormat=5, preallocate=2) == ""


def test_the_announced_parent_may_be_named(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine(tmp_path) as at:
            await at.create(1)
            await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1))
            assert await verify(at, 2) == ""
            path = await at.path(2)
            made("-u", "-b", f"../{IMAGE}/{volume(1)}", "-F", "qcow2")(path)
            assert await verify(at, 2) == ""
            made()(path)
            assert "builds on nothing" in await verify(at, 2)

    asyncio.run(main())


def test_a_link_in_the_place_of_a_volume_is_not_followed(tmp_path: Path) -> None:
    def upload(path: Path) -> None:
        path.unlink()
        path.symlink_to(SECRET)

    async def main() -> None:
        async with engine(tmp_path) as at:
            await at.create(1)
            path = await at.path(1)
            await at.call("Image.teardown")
            upload(path)
            for method in ("Image.prepare", "Volume.getQemuImageInfo", "Volume.verify_untrusted"):
                with pytest.raises(RpcError):
                    await at.call(method, volumeID=volume(1))

    asyncio.run(main())
