"""Volumes over HTTP, to and from a server of this test."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from engine import MIB, engine, volume
from volume_station import qemu_io

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
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path in self.stored:
            self._answer(200, self.stored[self.path])
        else:
            self._answer(404, b"no such thing")

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


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
            assert await at.failed_task("Image.download", methodArgs={"url": f"{address}/nothing"}) == 250
            assert await at.failed_task("Image.download", methodArgs={"url": f"{address}/away"}) == 250
            for bad in ({"url": "file:///etc/passwd"}, {"url": address, "headers": {"A": "b\nC: d"}}):
                with pytest.raises(RpcError, match="methodArgs"):
                    await at.call("Image.download", methodArgs=bad)

    asyncio.run(main())
