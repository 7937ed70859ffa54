"""Volumes over HTTP, to and from a server of this test."""

import asyncio
import contextlib
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, cast

import pytest
from engine import MIB, engine, volume
from volume_station import qemu_io

from ovis.node import processes
from ovis.node.processes import Command
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.images import curl, transferring
from ovis.node.storage.images.curl import Address
from ovis.node.storage.volumes.chain import Layer
from ovis.node.storage.volumes.store import StoredVolume
from ovis.node.wire_errors import code_of
from ovis.wire.errors import RpcError


class Handler(BaseHTTPRequestHandler):
    stored: dict[str, bytes]
    tokens: list[str | None]

    def do_PUT(self) -> None:
        self.tokens.append(self.headers["X-Token"])
        self.stored[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"")

    def do_HEAD(self) -> None:
        if self.path == "/only-get":
            self._answer(405, b"")
        else:
            self.do_GET()

    def do_GET(self) -> None:
        self.tokens.append(self.headers["X-Token"])
        if self.path in REDIRECTIONS:
            self.send_response(302)
            self.send_header("Location", REDIRECTIONS[self.path])
            self.end_headers()
        elif self.path in self.stored:
            self._answer(200, self.stored[self.path])
        else:
            self._answer(404, b"no such thing")

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        if self.path != "/unannounced":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


DOMAIN = "d0000000-0000-4000-8000-000000000000"
REDIRECTIONS = {"/away": "file:///etc/passwd", "/moved": "/x", "/round": "/round"}


@pytest.fixture
def server() -> Iterator[Any]:
    handler = type("OneServer", (Handler,), {"stored": {}, "tokens": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield listening
        finally:
            listening.shutdown()
            thread.join()


def test_there_and_back(tmp_path: Path, server: Any) -> None:
    address = f"http://127.0.0.1:{server.server_port}"

    async def main() -> None:
        async with engine(tmp_path) as at:
            await at.create(1, size=str(MIB))
            qemu_io(await at.path(1), "qcow2", "write -P 7 0 64k")
            token = {"url": f"{address}/x", "headers": {"X-Token": "secret"}}
            await at.task("Image.upload", methodArgs=token, volumeID=volume(1))
            qemu_io(await at.path(1), "qcow2", "write -P 8 0 64k")
            await at.task("Image.download", methodArgs=token)
            qemu_io(await at.path(1), "qcow2", "read -P 7 0 64k")
            assert server.RequestHandlerClass.tokens == ["secret", "secret"]
            await at.task("Image.download", methodArgs={"url": f"{address}/moved"})
            assert (await at.call("Volume.getInfo", volumeID=volume(1)))["legality"] == "LEGAL"

    asyncio.run(main())


def test_how_much_will_come_is_asked_before(server: Any) -> None:
    server.RequestHandlerClass.stored |= {"/x": bytes(70_000), "/unannounced": b"1"}

    async def length(path: str) -> int | None:
        return await curl.length(PurePosixPath("/x"), Address(f"http://127.0.0.1:{server.server_port}{path}", {}))

    for path, expected in (("/x", 70_000), ("/moved", 70_000), ("/unannounced", None), ("/only-get", None)):
        assert asyncio.run(length(path)) == expected


@pytest.mark.parametrize(("stored", "coming", "size"), [(8, 3, None), (1, 3, 3), (1, None, 8), (1, 64, 8)])
def test_a_thin_volume_of_block_storage_gets_room_for_what_comes(
    stored: int, coming: int | None, size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = VolumeMetadata(
        domain=DomainId(DOMAIN), image=ImageId(DOMAIN), parent=None, capacity=8 * MIB, format=VolumeFormat.COW,
        allocation=Allocation.SPARSE, role=VolumeRole.LEAF, created=1,
    )  # fmt: skip
    layer = Layer(
        VolumeId(volume(1)), metadata.image, metadata, StoredVolume(metadata.image, stored * MIB, stored * MIB)
    )
    given: list[int] = []

    class Store:
        async def resize(self, image: object, volume: object, size: int) -> int:
            given.append(size // MIB)
            return size

        async def activate(self, image: object, volume: object) -> None: ...

    async def length(path: object, source: object) -> int | None:
        return None if coming is None else coming * MIB

    monkeypatch.setattr(curl, "length", length)
    domain = cast("Domain", SimpleNamespace(is_block=True, store=Store()))
    after = asyncio.run(transferring.with_room(domain, layer, PurePosixPath("/x"), Address("http://x", {})))
    assert given == ([] if size is None else [size])
    assert after.stored.size >= (size or stored) * MIB


@pytest.mark.parametrize(
    ("path", "headers", "problem"),
    [
        ("/nothing", {}, "404"),
        ("/away", {}, "file"),
        ("/round", {}, "redirects"),
        ("/moved", {"X-Token": "secret"}, "302"),
        ("/too-long", {}, "failed"),
        ("/unannounced", {}, "failed"),
        ("/short", {}, "only 512 bytes came"),
        ("/other-image", {}, "begins like qcow2"),
    ],
)
def test_a_download_that_fails_leaves_an_illegal_volume(
    tmp_path: Path, server: Any, path: str, headers: dict[str, str], problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.RequestHandlerClass.stored |= {
        "/x": bytes(MIB),
        "/too-long": bytes(MIB + 1),
        "/unannounced": bytes(MIB + 1),
        "/short": bytes(512),
        "/other-image": b"QFI\xfb" + bytes(MIB - 4),
    }

    async def main() -> None:
        async with engine(tmp_path) as at:
            await at.create(1, size=str(MIB), volFormat=5)
            source = {"url": f"http://127.0.0.1:{server.server_port}{path}", "headers": headers}
            assert await at.failed_task("Image.download", methodArgs=source) in (
                250,
                241,
                code_of("ImageVerificationError"),
            )
            assert (await at.path(1)).stat().st_size <= MIB
            assert (await at.call("Volume.getInfo", volumeID=volume(1)))["legality"] == "ILLEGAL"

    asyncio.run(main())
    assert problem in caplog.text
    if headers:
        assert server.RequestHandlerClass.tokens == ["secret"]


def test_an_image_that_names_other_files_is_refused(tmp_path: Path, server: Any) -> None:
    hostile = tmp_path / "hostile"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", hostile, str(MIB)], check=True
    )
    server.RequestHandlerClass.stored["/x"] = hostile.read_bytes()

    async def main() -> None:
        async with engine(tmp_path) as at:
            await at.create(1, size=str(MIB))
            source = {"url": f"http://127.0.0.1:{server.server_port}/x"}
            await at.failed_task("Image.download", methodArgs=source)
            assert (await at.call("Volume.getInfo", volumeID=volume(1)))["legality"] == "ILLEGAL"

    asyncio.run(main())


@pytest.mark.parametrize(
    "bad",
    [
        {"url": "file:///etc/passwd"},
        {"url": "http:///x"},
        {"url": "http://a/ b"},
        {"url": "http://a", "headers": {"A": "b\nC: d"}},
        {"url": "http://a", "headers": {"@/etc/shadow": ""}},
    ],
)
def test_what_is_no_address_is_refused_at_once(tmp_path: Path, bad: dict[str, Any]) -> None:
    async def main() -> None:
        async with engine(tmp_path) as at:
            await at.create(1, size=str(MIB))
            with pytest.raises(RpcError, match="methodArgs"):
                await at.call("Image.download", methodArgs=bad)

    asyncio.run(main())


def test_progress_is_told_and_nothing_is_in_the_arguments(
    tmp_path: Path, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.RequestHandlerClass.stored["/x"] = bytes(4 * MIB)
    commands: list[str] = []
    real = processes.run

    async def noted(command: Command, **more: Any) -> Any:
        commands.append(" ".join(command.arguments))
        return await real(command, **more)

    monkeypatch.setattr(processes, "run", noted)
    told: list[int] = []
    target = PurePosixPath(tmp_path / "target")
    source = Address(f'http://127.0.0.1:{server.server_port}/x?[1-2]"token"', {"X-Token": 'a "secret" \\ word'})
    server.RequestHandlerClass.stored['/x?[1-2]"token"'] = bytes(4 * MIB)
    assert asyncio.run(curl.fetch(target, source, limit=4 * MIB, on_percent=told.append)) == 4 * MIB
    assert told[-1] == 100
    assert "secret" not in " ".join(commands)
    assert "token" not in " ".join(commands)
    assert server.RequestHandlerClass.tokens == ['a "secret" \\ word']
