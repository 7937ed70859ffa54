"""Images in and out: a volume is made or found, opened for the transfer daemon by a ticket, and its content copied.

    raw volume      ticket for its path
    qcow2 volume    an NBD server on the host, ticket for its socket: the daemon sees the disk, not the format

What was begun for a failed transfer is undone: servers, tickets, and the new image of an upload, unless it is to be
resumed.
"""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ovis.client.images.checksum import checksum
from ovis.client.images.copying import Journal, Progress, copy
from ovis.client.images.image import Image, ImageError
from ovis.client.images.nbd_image import qemu_nbd
from ovis.client.images.raw_file import RawFile
from ovis.client.images.transfer import TransferImage
from ovis.client.node import Node
from ovis.client.types import (
    ImageTicket,
    ImageTicketOps,
    NBDServerConfig,
    VolumeAllocationId,
    VolumeFormat,
    VolumeFormatId,
)
from ovis.client.untyped import RpcError
from ovis.shell.failures import Exit, Failure
from ovis.shell.storage.node import SLOW_SECONDS, finish
from ovis.shell.storage.place import DataPlace
from ovis.shell.storage.repository import Row

TICKET_SECONDS = 300
"""A ticket runs anew with each finished request."""
SECTOR = 512
DRIVERS = ("raw", "qcow2", "vmdk", "vdi", "vhdx", "vpc")
LOOK_SECONDS = 30.0


@dataclass(frozen=True)
class Disk:
    """A file on this machine. `size`: of the disk that it holds."""

    path: Path
    driver: str
    size: int


@dataclass(frozen=True)
class Volume:
    domain: str
    pool: str
    image: str
    volume: str
    size: int
    is_qcow2: bool


def look_at(path: Path, driver: str = "") -> Disk:
    """The size of the disk in a file, and its format where none is named. Raises Failure.

    A raw disk that begins as another format's header does is taken for that: name the format of what is not yours.
    """
    words = ["qemu-img", "info", "--output=json", *(["-f", driver] if driver else []), "--", str(path)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LOOK_SECONDS, check=False)
    except FileNotFoundError as error:
        if driver not in ("", "raw"):
            raise Failure(Exit.ERROR, "qemu-img is not installed here", "It is in the package qemu-utils.") from error
        return Disk(path, "raw", RawFile(path).size)
    except subprocess.TimeoutExpired as error:
        raise Failure(Exit.ERROR, f"{path} could not be looked at within {LOOK_SECONDS:g} s") from error
    if done.returncode:
        raise Failure(Exit.ERROR, f"{path} cannot be read: {done.stderr.strip()}")
    found = json.loads(done.stdout)
    if found.get("backing-filename") or found.get("format-specific", {}).get("data", {}).get("data-file"):
        raise Failure(Exit.ERROR, f"{path} is only a part of a disk: it builds on another file", "Convert it first.")
    if found["format"] not in DRIVERS:
        raise Failure(Exit.ERROR, f"{path} is of format {found['format']}, which is not taken")
    return Disk(path, str(found["format"]), int(found["virtual-size"]))


def new_volume(
    node: Node, row: Row, size: int, *, is_qcow2: bool, is_preallocated: bool, description: str, image: str = ""
) -> Volume:
    """Raises RpcError, Failure."""
    volume = Volume(
        row.domain, row.pool, image or str(uuid.uuid4()), str(uuid.uuid4()), -(-size // SECTOR) * SECTOR, is_qcow2
    )
    task = node.volume.create(
        volume.volume,
        row.pool,
        row.domain,
        volume.image,
        volume.size,
        VolumeFormatId.COW if is_qcow2 else VolumeFormatId.RAW,
        VolumeAllocationId.PREALLOCATED if is_preallocated else VolumeAllocationId.SPARSE,
        desc=description,
    )
    finish(node, task, "Making the volume")
    return volume


def remove(node: Node, volume: Volume, *, wipe: bool = False) -> None:
    """The whole image. Raises RpcError, Failure."""
    task = node.image.delete(volume.image, volume.pool, volume.domain, post_zero=wipe)
    finish(node, task, "Removing the image")


def find(node: Node, row: Row, image: str) -> Volume:
    """The volume in use of an image, named by its id or the start of it. Raises Failure, RpcError."""
    fitting = [known for known in node.storage_domain.get_images(row.domain) if known.startswith(image.lower())]
    if len(fitting) != 1:
        raise Failure(
            Exit.ERROR, f"{len(fitting)} images of {row.name} begin with {image}", "See: ovis node image list"
        )
    return leaf(node, row, fitting[0])


def leaf(node: Node, row: Row, image: str) -> Volume:
    """Raises Failure, RpcError."""
    infos = [
        node.volume.get_info(volume, row.domain, image, row.pool)
        for volume in node.storage_domain.get_volumes(row.domain, row.pool, image)
    ]
    leaves = [info for info in infos if not info.children and info.image == image]
    if len(leaves) != 1:
        raise Failure(Exit.ERROR, f"image {image} has {len(leaves)} volumes that nothing builds on")
    (info,) = leaves
    assert info.uuid is not None
    return Volume(row.domain, row.pool, image, info.uuid, int(info.capacity or 0), info.format is VolumeFormat.COW)


def upload(
    node: Node, place: DataPlace, source: Image, volume: Volume, *, journal: Journal | None, on_progress: Progress
) -> None:
    """Fill a volume that reads as zeros. Raises ImageError, RpcError, OSError."""
    with transfer(node, place, volume, ImageTicketOps.WRITE) as target:
        copy(source, target, target_is_zero=True, journal=journal, on_progress=on_progress)


def download(
    node: Node, place: DataPlace, volume: Volume, target: Image, *, journal: Journal | None, on_progress: Progress
) -> None:
    """Raises ImageError, RpcError, OSError."""
    with transfer(node, place, volume, ImageTicketOps.READ) as source:
        copy(source, target, target_is_zero=True, journal=journal, on_progress=on_progress)


def verify(node: Node, place: DataPlace, volume: Volume, copied: Image, on_progress: Callable[[int], None]) -> str:
    """The checksum that both sides have. Raises ImageError when they differ."""
    with transfer(node, place, volume, ImageTicketOps.READ) as remote:
        theirs, _, block = remote.checksum()
        ours = checksum(copied, block=block, on_progress=on_progress)
    if ours != theirs:
        raise ImageError(f"the copy is not what it should be: {theirs} on the host, {ours} here")
    return ours


@contextmanager
def transfer(node: Node, place: DataPlace, volume: Volume, operation: ImageTicketOps) -> Iterator[TransferImage]:
    """The volume's content at the transfer daemon, for the body. Raises ImageError, RpcError."""
    is_writable = operation is ImageTicketOps.WRITE
    with ExitStack() as stack:
        prepared = node.image.prepare(volume.domain, volume.image, volume.pool, volume.volume, deadline=SLOW_SECONDS)
        stack.callback(_quietly, lambda: node.image.teardown(volume.domain, volume.image, volume.pool, volume.volume))
        url = f"file://{prepared.path}"
        if volume.is_qcow2:
            url = _serve(node, volume, stack, is_writable=is_writable)
        ticket = str(uuid.uuid4())
        node.host.add_image_ticket(
            ImageTicket(
                uuid=ticket,
                url=url,
                size=volume.size,
                timeout=TICKET_SECONDS,
                ops=[ImageTicketOps.READ, ImageTicketOps.WRITE] if is_writable else [ImageTicketOps.READ],
                sparse=True,
            )
        )
        stack.callback(_quietly, lambda: node.host.remove_image_ticket(ticket, deadline=90))
        yield TransferImage(place.of(ticket), volume.size)


def _serve(node: Node, volume: Volume, stack: ExitStack, *, is_writable: bool) -> str:
    server = str(uuid.uuid4())
    config = NBDServerConfig(
        sd_id=volume.domain, img_id=volume.image, vol_id=volume.volume, readonly=not is_writable, discard=is_writable
    )
    url = node.nbd.start_server(server, config)
    stack.callback(_quietly, lambda: node.nbd.stop_server(server))
    return url


def _quietly(step: Callable[[], object]) -> None:
    with suppress(RpcError):  # the transfer's own end is what counts; tickets end by themselves
        step()


@contextmanager
def content(disk: Disk, *, is_writable: bool = False) -> Iterator[Image]:
    """The disk that a file holds. Raises ImageError, OSError."""
    if disk.driver == "raw":
        yield RawFile(disk.path, is_writable=is_writable)
    else:
        with qemu_nbd(disk.path, disk.driver, is_writable=is_writable) as image:
            yield image


def new_file(path: Path, driver: str, size: int) -> Disk:
    """Raises Failure: it exists, cannot be made."""
    if path.exists():
        raise Failure(Exit.USAGE, f"{path} exists already", "Nothing is overwritten: remove it, or name another file.")
    if driver == "raw":
        RawFile.create(path, size)
        return Disk(path, driver, size)
    done = subprocess.run(
        ["qemu-img", "create", "-q", "-f", driver, str(path), str(size)],
        capture_output=True, text=True, timeout=LOOK_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Failure(Exit.ERROR, f"{path} cannot be made: {done.stderr.strip()}")
    return Disk(path, driver, size)
