"""Content of a block device over HTTP, as of a logical volume: its length is not known to stat(2)."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import pytest

from ovis.node.storage.images import curl
from ovis.node.storage.images.curl import Address
from ovis.node.storage.volumes.errors import TransferFailed

SIZE = 8 << 20
CONTENT = os.urandom(SIZE)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    received = b""

    def do_PUT(self) -> None:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        type(self).received = body
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(CONTENT + (b"x" if self.path == "/longer" else b""))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def device(tmp_path: Path) -> Iterator[PurePosixPath]:
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        pytest.skip("needs root and loop devices")
    file = tmp_path / "disk"
    with file.open("wb") as made:
        made.truncate(SIZE)
    found = subprocess.run(["losetup", "--find", "--show", file], capture_output=True, text=True, check=True)
    yield PurePosixPath(found.stdout.strip())
    subprocess.run(["losetup", "--detach", found.stdout.strip()], check=True)


def test_a_device_is_filled_and_sent_whole(device: PurePosixPath, address: str, tmp_path: Path) -> None:
    async def main() -> None:
        told: list[int] = []
        source = Address(f"{address}/x", {})
        assert await curl.fetch(device, source, limit=SIZE, on_percent=told.append) == SIZE
        assert told[-1] == 100
        await curl.send(device, Address(f"{address}/y", {}), on_percent=told.append)
        with pytest.raises(TransferFailed):
            await curl.fetch(device, Address(f"{address}/longer", {}), limit=SIZE, on_percent=told.append)

    asyncio.run(main())
    assert (tmp_path / "disk").read_bytes() == CONTENT
    assert Handler.received == CONTENT
