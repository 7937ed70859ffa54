"""VMs that a failing disk has paused, and what becomes of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from device_host import DeviceHost, device_host
from vm_host import ID

from ovis.client.types import VmStatus
from ovis.node.vm import long_pauses
from ovis.node.vm.states import ExitReason

DISK = "<disk type='file'><source file='{}'/><target dev='vda' bus='virtio'/></disk>"


@asynccontextmanager
async def paused(folder: Path, behaviour: str | None) -> AsyncIterator[DeviceHost]:
    """Its disk has gone for now."""
    path = folder / "disk"
    path.touch()
    metadata = f"<ovirt-vm:resumeBehavior>{behaviour}</ovirt-vm:resumeBehavior>" if behaviour else ""
    async with device_host(folder, devices=DISK.format(path), metadata=metadata) as host:
        path.rename(folder / "away")
        host.hypervisor.io_error(ID, alias="virtio-disk0", path=str(path))
        await host.host.until(lambda: host.vm.pause_code == "EOTHER")
        yield host


async def looked(host: DeviceHost) -> None:
    """Once more, all that was begun included."""
    host.host.vms.long_pauses.look()
    await host.host.until(lambda: not host.host.vms.long_pauses._at_work)


def later(host: DeviceHost, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    for name in ("clock", "monotonic"):
        now = getattr(host.host.vms, name)
        monkeypatch.setattr(host.host.vms, name, lambda now=now: now() + seconds)


@pytest.mark.parametrize("behaviour", [None, "auto_resume", "kill"])
def test_it_goes_on_when_its_disk_is_back(tmp_path: Path, behaviour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with paused(tmp_path, behaviour) as host:
            await looked(host)
            assert "pauseTime" in host.metadata()
            await looked(host)
            assert host.vm.status is VmStatus.PAUSED
            (tmp_path / "away").rename(tmp_path / "disk")
            later(host, monkeypatch, 5)
            await looked(host)
            assert host.vm.status is not VmStatus.PAUSED
            later(host, monkeypatch, 70)
            await looked(host)
            assert "pauseTime" not in host.metadata()

    asyncio.run(main())


def test_a_storage_that_is_back_is_not_waited_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with paused(tmp_path, "auto_resume") as host:
            for _ in range(3):
                host.host.vms.long_pauses.retry()
                await looked(host)
            assert host.vm.status is VmStatus.PAUSED
            (tmp_path / "away").rename(tmp_path / "disk")
            await looked(host)
            assert host.vm.status is VmStatus.PAUSED  # its next try is seconds away
            host.host.vms.long_pauses.retry()
            await host.host.until(lambda: host.vm.status is not VmStatus.PAUSED)

    asyncio.run(main())


def test_storage_that_does_not_answer_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with paused(tmp_path, "auto_resume") as host:
            pauses = host.host.vms.long_pauses
            silent = {str(tmp_path / "disk")}
            pauses.is_silent = silent.__contains__
            (tmp_path / "away").rename(tmp_path / "disk")
            for _ in range(3):
                later(host, monkeypatch, 70)
                await looked(host)
            assert host.vm.status is VmStatus.PAUSED
            silent.clear()
            pauses.retry()
            await host.host.until(lambda: host.vm.status is not VmStatus.PAUSED)

    asyncio.run(main())


def test_one_that_is_left_paused_waits_for_a_human(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with paused(tmp_path, "leave_paused") as host:
            (tmp_path / "away").rename(tmp_path / "disk")
            for _ in range(3):
                later(host, monkeypatch, 100)
                await looked(host)
            assert host.vm.status is VmStatus.PAUSED

    asyncio.run(main())


def test_one_that_is_to_be_killed_ends_after_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with paused(tmp_path, "kill") as host:
            await looked(host)
            later(host, monkeypatch, 79)
            await looked(host)
            assert host.vm.status is VmStatus.PAUSED
            later(host, monkeypatch, 2)
            await looked(host)
            await host.host.until(lambda: host.vm.is_down)
            assert host.vm.exit is not None
            assert host.vm.exit.reason is ExitReason.DESTROYED_ON_PAUSE_TIMEOUT

    asyncio.run(main())


def test_the_time_counts_on_when_the_agent_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with paused(tmp_path, "kill") as host:
            await looked(host)
            host.host.vms.long_pauses = long_pauses.LongPauses(host.host.vms)
            later(host, monkeypatch, 81)
            await looked(host)
            await looked(host)
            await host.host.until(lambda: host.vm.is_down)

    asyncio.run(main())


def test_one_paused_by_request_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path, metadata="<resumeBehavior>kill</resumeBehavior>") as host:
            await host.call("VM.pause")
            await looked(host)
            assert "pauseTime" not in host.metadata()

    asyncio.run(main())


def test_a_full_file_system_needs_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x"
    file.touch()
    assert long_pauses.is_usable(str(file), is_full=True)
    monkeypatch.setattr(long_pauses, "ROOM", 1 << 60)
    assert not long_pauses.is_usable(str(file), is_full=True)
    assert long_pauses.is_usable(str(file), is_full=False)
    assert not long_pauses.is_usable(str(tmp_path / "none"), is_full=False)
