"""Looking at a disk image with `qemu-img info`, in a process that may use little, after its header passed `headers`."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ovis.node import processes
from ovis.node.imports import headers
from ovis.node.imports.errors import BadDisk
from ovis.node.imports.ova import Content
from ovis.node.processes import Command, Limits

# The figures that OpenStack has found sufficient for honest images: 1 GiB and 30 s (CVE-2015-5162).
LOOK_LIMITS = Limits(memory=1 << 30, cpu_seconds=30)
LOOK_SECONDS = 30.0
OUTPUT_LIMIT = 1 << 20


@dataclass(frozen=True)
class Image:
    """A disk image that may be opened. `size`: of the disk in it, in bytes."""

    content: Content
    driver: str
    size: int

    @property
    def source(self) -> str:
        """QEMU's description of it: the format is not guessed, and no file beside it is opened."""
        return _source(self.content, self.driver)


class _Specific(msgspec.Struct, frozen=True):
    data: dict[str, object] = {}


class _Info(msgspec.Struct, frozen=True, rename="kebab"):
    virtual_size: int
    format: str
    backing_filename: str | None = None
    full_backing_filename: str | None = None
    encrypted: bool = False
    format_specific: _Specific | None = None


async def look(content: Content, header: headers.Header) -> Image:
    """Raises BadDisk; OSError when qemu-img cannot be started."""
    command = Command(
        ["qemu-img", "info", "--output=json", "-U", _source(content, header.driver)],
        limits=LOOK_LIMITS,
        descriptors=[content.descriptor],
        output_limit=OUTPUT_LIMIT,
    )
    try:
        ended = await processes.run(command, seconds=LOOK_SECONDS)
    except processes.Stalled as error:
        raise BadDisk(content.name, f"looking at it did not end within {LOOK_SECONDS:g} s") from error
    if ended.status:
        raise BadDisk(content.name, f"qemu-img cannot read it: {ended.complaint}")
    try:
        info = msgspec.json.decode(ended.output, type=_Info)
    except msgspec.MsgspecError as error:
        raise BadDisk(content.name, f"qemu-img tells nothing usable of it: {error}") from error
    _check(info, header, content.name)
    return Image(content, header.driver, info.virtual_size)


def _check(info: _Info, header: headers.Header, disk: str) -> None:
    data = info.format_specific.data if info.format_specific else {}
    others = [info.backing_filename, info.full_backing_filename, data.get("data-file")]
    if any(others) or len(_as_list(data.get("extents"))) > 1:
        raise BadDisk(disk, "it names other files: refused, because an import must not read them")
    if info.encrypted:
        raise BadDisk(disk, "it is encrypted")
    if info.format != header.driver:
        raise BadDisk(disk, f"qemu-img reads it as {info.format}, its header says {header.driver}")
    if header.size is not None and info.virtual_size != header.size:
        raise BadDisk(disk, f"its header says {header.size} bytes, qemu-img {info.virtual_size}")
    if info.virtual_size > headers.LARGEST:
        raise BadDisk(disk, f"a disk of {info.virtual_size} bytes: at most {headers.LARGEST >> 40} TiB are supported")


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _source(content: Content, driver: str) -> str:
    """The open file under its number: what is read is what was looked at, whatever happens to its name."""
    file: dict[str, object] = {"driver": "file", "filename": f"/dev/fd/{content.descriptor}"}
    if content.offset is not None:
        # QEMU takes whole sectors; in a tar what follows up to the next one is zeros.
        size = -(-content.size // 512) * 512
        file = {"driver": "raw", "offset": content.offset, "size": size, "file": file}
    description: dict[str, object] = {"driver": driver, "file": file}
    if driver == "qcow2":
        description["backing"] = None
    return "json:" + msgspec.json.encode(description).decode()
