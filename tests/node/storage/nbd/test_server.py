"""Real servers, asked by real clients. Socket paths are short, so the folder is too."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine import IMAGE, Engine, engine, volume
from volume_station import qemu_io

from ovis.wire.errors import RpcError

SERVER = "44444444-0000-4000-8000-000000000001"
BITMAP = "55555555-0000-4000-8000-000000000001"


@pytest.fixture
def folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="nbd", dir="/tmp"))
    yield place
    for pid in place.rglob("*.pid"):  # of a test that failed
        os.kill(int(pid.read_text()), signal.SIGKILL)
    shutil.rmtree(place)


def play(folder: Path, scene: Callable[[Engine], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with engine(folder) as at:
            await at.create(1, bitmap=BITMAP)
            qemu_io(await at.path(1), "qcow2", "write -P 1 0 1M")
            await at.create(2, srcImgUUID=IMAGE, srcVolUUID=volume(1), addBitmaps=True)
            qemu_io(await at.path(2), "qcow2", "write -P 2 1M 1M")
            await at.call("Image.teardown")
            await scene(at)

    asyncio.run(main())


async def start(at: Engine, number: int = 2, **config: Any) -> str:
    given = {"sd_id": at.domain, "img_id": IMAGE, "vol_id": volume(number)}
    address: str = await at.call("NBD.start_server", server_id=SERVER, config=given | config)
    return address


async def code_of(call: Coroutine[Any, Any, Any]) -> int:
    with pytest.raises(RpcError) as error:
        await call
    return error.value.code


def client(address: str, *commands: str) -> subprocess.CompletedProcess[str]:
    words = [word for command in commands for word in ("-c", command)]
    return subprocess.run(["qemu-io", "-f", "raw", *words, address], capture_output=True, text=True)


def dirty(address: str, bitmap: str) -> list[tuple[int, int]]:
    """Start and length of what the bitmap of a server names."""
    graph: dict[str, Any] = {"driver": "nbd", "x-dirty-bitmap": f"qemu:dirty-bitmap:{bitmap}"}
    graph["server"] = {"type": "unix", "path": address.removeprefix("nbd:unix:")}
    command = ["qemu-img", "map", "--output=json", f"json:{json.dumps(graph)}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [(extent["start"], extent["length"]) for extent in json.loads(done.stdout) if not extent["data"]]


def is_alive(number: int) -> bool:
    """Any of its threads: each keeps its files open, and locked."""
    try:
        states = [path.read_text() for path in Path(f"/proc/{number}/task").glob("*/stat")]
    except OSError:
        return True  # one has just gone
    return any(" Z " not in state for state in states)


def test_a_disk_is_served_until_it_is_stopped(folder: Path) -> None:
    async def scene(at: Engine) -> None:
        address = await start(at)
        assert address.startswith("nbd:unix:")
        done = client(address, "read -P 1 0 1M", "read -P 2 1M 1M", "write -P 3 2M 1M", "flush")
        assert done.returncode == 0
        assert "failed" not in done.stdout
        assert await code_of(start(at)) == 100
        await at.call("NBD.stop_server", server_id=SERVER)
        assert client(address, "read 0 1M").returncode
        await at.call("NBD.stop_server", server_id=SERVER)
        assert not any((folder / "one/run/nbd").iterdir())
        qemu_io(await at.path(2), "qcow2", "read -P 3 2M 1M")

    play(folder, scene)


def test_for_reading_with_a_bitmap(folder: Path) -> None:
    async def scene(at: Engine) -> None:
        address = await start(at, readonly=True, bitmap=BITMAP)
        assert client(address, "write 0 1M").returncode
        assert dirty(address, BITMAP) == [(1 << 20, 1 << 20)]
        await at.call("NBD.stop_server", server_id=SERVER)

    play(folder, scene)


def test_one_layer_alone(folder: Path) -> None:
    async def scene(at: Engine) -> None:
        address = await start(at, readonly=True, backing_chain=False)
        done = client(address, "read -P 0 0 1M", "read -P 2 1M 1M")
        assert "failed" not in done.stdout
        await at.call("NBD.stop_server", server_id=SERVER)

    play(folder, scene)


def test_what_cannot_be_served(folder: Path) -> None:
    async def scene(at: Engine) -> None:
        assert await code_of(start(at, readonly=False, bitmap=BITMAP)) == 2009
        assert await code_of(start(at, readonly=True, backing_chain=False, bitmap=BITMAP)) == 2009
        assert await code_of(start(at, readonly=True, bitmap=SERVER)) == 947
        assert await code_of(start(at, 9)) == 201
        await at.job("SDM.update_volume", vol_info=at.endpoint(1), vol_attr={"legality": "ILLEGAL"})
        assert await code_of(start(at)) == 227
        assert not any((folder / "one/run/nbd").glob("*"))
        assert not list(at.storage.prepared.holders())

    play(folder, scene)


def test_one_that_was_killed_is_replaced(folder: Path) -> None:
    async def scene(at: Engine) -> None:
        await start(at)
        pid = int(next((folder / "one/run/nbd").glob("*.pid")).read_text())
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            while is_alive(pid):  # noqa: ASYNC110 - no child of ours: nobody tells its end
                await asyncio.sleep(0.01)
        address = await start(at)
        assert client(address, "read -P 1 0 1M").returncode == 0
        await at.call("NBD.stop_server", server_id=SERVER)

    play(folder, scene)


def test_it_outlives_the_agent(folder: Path) -> None:
    async def first(at: Engine) -> None:
        assert (await start(at)).startswith("nbd:")

    play(folder, first)
    socket = next((folder / "one/run/nbd").glob("*.sock"))
    assert client(f"nbd:unix:{socket}", "read -P 1 0 1M").returncode == 0
