"""A private image transfer daemon for as long as a block runs: its own folder, sockets, port and certificates."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.image_daemon.install import PROGRAM

START_SECONDS = 20.0


@dataclass(frozen=True)
class ImageDaemon:
    """`control` takes tickets, `local` and `port` serve data."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def control(self) -> Path:
        return self.folder / "control"

    @property
    def local(self) -> Path:
        return self.folder / "data"


@contextmanager
def image_daemon(folder: Path, pki: Path) -> Iterator[ImageDaemon]:
    """`folder`: new and short, sockets lie in it. `pki`: as `ovis.wire.certificates` makes it."""
    (folder / "conf.d").mkdir(parents=True)
    port = _free_port()
    (folder / "conf.d/50-ovis.conf").write_text(_settings(folder, pki, port))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, "-c", folder], stdout=log, stderr=log)
    try:
        daemon = ImageDaemon(folder, port, process)
        _wait(daemon)
        yield daemon
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _settings(folder: Path, pki: Path, port: int) -> str:
    """Without TLS's client certificates: a ticket's id is the permission."""
    return f"""
[daemon]
systemd_enable = false
drop_privileges = false
run_dir = {folder}

[tls]
enable = true
key_file = {pki}/node-key.pem
cert_file = {pki}/node.pem
ca_file = {pki}/ca.pem

[remote]
host = 127.0.0.1
port = {port}

[local]
enable = true
socket = {folder}/data

[control]
transport = unix
socket = {folder}/control

[handlers]
keys = stderr

[logger_root]
handlers = stderr
"""


def _wait(daemon: ImageDaemon) -> None:
    end = time.monotonic() + START_SECONDS
    while not daemon.control.exists():
        if daemon.process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(
                f"the image transfer daemon does not start: {(daemon.folder / 'log').read_text()[-2000:]}"
            )
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
