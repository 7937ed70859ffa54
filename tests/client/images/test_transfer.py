"""Volumes behind a real image transfer daemon."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.image_daemon.daemon import ImageDaemon
from ovis.client.images.checksum import checksum
from ovis.client.images.copying import copy
from ovis.client.images.image import ImageError
from ovis.client.images.nbd_image import qemu_nbd
from ovis.client.images.raw_file import RawFile
from ovis.client.images.transfer import Place, TransferImage
from ovis.node.storage.transfers.image_daemon import ImageDaemon as Control
from tests.client.images.disks import SIZE, content, sparse_file

Remote = Callable[..., TransferImage]


@pytest.fixture(params=["tls", "socket"])
def remote(image_daemon: ImageDaemon, request: pytest.FixtureRequest) -> Remote:
    """The image at a URL, by a ticket."""

    def make(url: str, *operations: str) -> TransferImage:
        ticket = str(uuid.uuid4())
        members = {"uuid": ticket, "size": SIZE, "url": url, "timeout": 60, "ops": operations, "sparse": True}
        asyncio.run(Control(image_daemon.control).add(ticket, json.dumps(members).encode()))
        place = f"https://localhost:{image_daemon.port}/images/{ticket}"
        if request.param == "socket":
            return TransferImage(Place(place, socket=str(image_daemon.local)), SIZE)
        authority = image_daemon.folder.parent / "pki/ca.pem"
        return TransferImage(Place(place, ssl.create_default_context(cafile=authority)), SIZE)

    return make


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return sparse_file(tmp_path / "source")


def test_file_goes_up_and_down(remote: Remote, source: Path, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.write_bytes(b"x" * SIZE)
    image = remote(f"file://{volume}", "read", "write")
    copy(RawFile(source), image)
    assert volume.read_bytes() == content()
    copy(image, RawFile.create(tmp_path / "back", SIZE), target_is_zero=True)
    assert (tmp_path / "back").read_bytes() == content()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    disk = tmp_path / "disk"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, str(SIZE)], check=True)
    with qemu_nbd(disk, "qcow2", is_writable=True) as image:
        yield f"nbd:unix:{image._path}"


def test_qcow2_goes_up_by_several_workers_and_its_holes_are_seen(
    remote: Remote, served: str, source: Path, tmp_path: Path
) -> None:
    image = remote(served, "read", "write")
    assert image.most_writers > 1
    copy(RawFile(source), image, target_is_zero=True)
    assert any(extent.is_zero for extent in image.extents())
    copy(image, RawFile.create(tmp_path / "back", SIZE), target_is_zero=True)
    assert (tmp_path / "back").read_bytes() == content()


def test_checksum_is_the_daemons(remote: Remote, source: Path) -> None:
    digest, algorithm, block = remote(f"file://{source}", "read").checksum()
    assert (digest, algorithm) == (checksum(RawFile(source), block=block), "blake2b")


def test_ticket_for_reading_does_not_write(remote: Remote, source: Path, tmp_path: Path) -> None:
    image = remote(f"file://{source}", "read")
    with pytest.raises(ImageError, match=r"403|lost") as refused:  # it may close before its answer is read
        copy(RawFile(source), image)
    assert image.place.path.rpartition("/")[2] not in str(refused.value)


def test_unknown_ticket_is_refused(image_daemon: ImageDaemon) -> None:
    place = Place(f"https://localhost/images/{uuid.uuid4()}", socket=str(image_daemon.local))
    with pytest.raises(ImageError, match="403"):
        list(TransferImage(place, SIZE).extents())


def test_daemon_that_is_away_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="lost"):
        TransferImage(Place("https://localhost/images/x", socket=str(tmp_path / "none")), SIZE)
    with pytest.raises(ImageError, match="https"):
        TransferImage(Place("http://localhost/images/x"), SIZE)
