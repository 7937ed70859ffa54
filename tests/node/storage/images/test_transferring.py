"""Volumes over HTTP, to and from a server of this test."""

import asyncio
import contextlib
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from engine import MIB, engine, volume
from volume_station import qemu_io

from ovis.node import processes
from ovis.node.processes import Command
from ovis.node.storage.images import curl
from ovis.node.storage.images.curl import Address
from ovis.node.wire_errors import code_of
from ovis.wire.errors import RpcError


class Handler(BaseHTTPRequestHandler):
    stored: dict[str, bytes]
    tokens: list[str | None]

    def do_PUT(self) -> None:
        self.tokens.append(self.headers["X-Token"])
        self.stored[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"")

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
