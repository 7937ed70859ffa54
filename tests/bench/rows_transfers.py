"""Images through the transfer daemon, beside qemu-img and dd copying the same disk, in turns.

The disk's source is read from storage each time where the caches can be dropped (root), and what is written is flushed.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import machine
from agent import ROOT
from bench import Bench
from rows import Round, load_since, row

from deploy.image_daemon.daemon import ImageDaemon, image_daemon
from deploy.image_daemon.install import is_installed
from ovis.client.images.copying import copy
from ovis.client.images.nbd_image import qemu_nbd
from ovis.client.images.raw_file import RawFile
from ovis.client.images.transfer import Place, TransferImage
from ovis.node.storage.transfers.image_daemon import ImageDaemon as Control
from ovis.wire import certificates

GROUP = "images through the transfer daemon"
UP = "upload, times as long as the faster of qemu-img and dd"
DOWN = "download, times as long as the faster of qemu-img and dd"
EMPTY = "empty disk of 8 TiB, uploaded"
_SLOWEST = 1 / 0.8
_EMPTY_SECONDS = 5.0
_MIB = 1 << 20


def measure(bench: Bench) -> None:
    if not bench.wants_any([UP, DOWN, EMPTY]):
        return
    if not is_installed():
        bench.notes.append("images: ovirt-imageio is not in build/image-daemon (make setup installs it)")
        return
    (ROOT / "build").mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir=ROOT / "build") as disks, TemporaryDirectory(prefix="bench-") as short:
        folder = Path(short)
        certificates.ensure(folder / "pki", names=[])
        with image_daemon(folder / "daemon", folder / "pki") as daemon:
            _measure_copies(bench, daemon, Path(disks))
            if bench.wants(EMPTY):
                rounds = [_empty(daemon, Path(disks)) for _ in range(1 if bench.quick else 3)]
                bench.add(row(GROUP, EMPTY, rounds, "s", target=_EMPTY_SECONDS))


def _measure_copies(bench: Bench, daemon: ImageDaemon, folder: Path) -> None:
    if not bench.wants_any([UP, DOWN]):
        return
    size = (32 if bench.quick else 1024) * _MIB
    source, target = folder / "source", folder / "target"
    with source.open("wb") as file:
        for _ in range(size // (16 * _MIB)):
            file.write(os.urandom(16 * _MIB))
    rounds = 1 if bench.quick else 5
    ours = {UP: lambda: _upload(daemon, source, target, size), DOWN: lambda: _download(daemon, source, target, size)}
    for name, work in ours.items():
        if bench.wants(name):
            found = [_compared(work, source, target) for _ in range(rounds)]
            bench.add(row(GROUP, name, found, "x", target=_SLOWEST, note=f"{size // _MIB} MiB of data, Unix socket"))


def _compared(work: Callable[[], None], source: Path, target: Path) -> Round:
    before = machine.cpu_times()
    seconds = {}
    for name, way in (
        ("ours s", work),
        ("qemu-img s", lambda: _run(*_convert(source, target))),
        ("dd s", lambda: _run(*_dd(source, target))),
    ):
        target.unlink(missing_ok=True)
        _drop_caches()
        begin = time.perf_counter()
        way()
        seconds[name] = time.perf_counter() - begin
    fastest = min(seconds["qemu-img s"], seconds["dd s"])
    return Round(seconds["ours s"] / fastest, load_since(before), seconds)


def _convert(source: Path, target: Path) -> list[str]:
    words = ["qemu-img", "convert", "-f", "raw", "-O", "raw", "-t", "none", "-T", "none", "-W", "-m", "8"]
    return [*words, str(source), str(target)]


def _dd(source: Path, target: Path) -> list[str]:
    modes = ["bs=8M", "iflag=direct", "oflag=direct", "conv=fsync", "status=none"]
    return ["dd", f"if={source}", f"of={target}", *modes]


def _run(*words: str) -> None:
    subprocess.run(words, check=True, timeout=300)


def _upload(daemon: ImageDaemon, source: Path, target: Path, size: int) -> None:
    RawFile.create(target, size)
    copy(RawFile(source), _remote(daemon, f"file://{target}", size), target_is_zero=True)


def _download(daemon: ImageDaemon, source: Path, target: Path, size: int) -> None:
    copy(_remote(daemon, f"file://{source}", size), RawFile.create(target, size), target_is_zero=True)


def _empty(daemon: ImageDaemon, folder: Path) -> Round:
    size = 8 << 40
    before = machine.cpu_times()
    with _qcow2(folder / "empty", size) as source, _qcow2(folder / "new", size) as target:
        begin = time.perf_counter()
        with qemu_nbd(source, "qcow2") as read, qemu_nbd(target, "qcow2", is_writable=True) as written:
            copy(read, _remote(daemon, f"nbd:unix:{written._path}", size), target_is_zero=True)  # a new volume is empty
        return Round(time.perf_counter() - begin, load_since(before))


@contextmanager
def _qcow2(path: Path, size: int) -> Iterator[Path]:
    _run("qemu-img", "create", "-q", "-f", "qcow2", str(path), str(size))
    try:
        yield path
    finally:
        path.unlink()


def _remote(daemon: ImageDaemon, url: str, size: int) -> TransferImage:
    ticket = str(uuid.uuid4())
    members = {"uuid": ticket, "size": size, "url": url, "timeout": 300, "ops": ["read", "write"], "sparse": True}
    asyncio.run(Control(daemon.control).add(ticket, json.dumps(members).encode()))
    return TransferImage(Place(f"https://localhost/images/{ticket}", socket=str(daemon.local)), size)


def _drop_caches() -> None:
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return  # then all of them read from memory
