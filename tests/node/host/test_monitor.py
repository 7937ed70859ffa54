import asyncio
import hashlib
import logging
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from ovis.client import codec
from ovis.node.hooks.hooks import Hooks
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.monitor import HostMonitor, NotMeasuredYet
from ovis.node.host.network import NetworkSource
from ovis.node.host.statistics import VmCounts
from ovis.node.hypervisor.acceleration import Acceleration, Kind
from ovis.node.hypervisor.interface import Versions
from ovis.node.hypervisor.simulated import SimulatedHypervisor

sys.path.insert(0, str(Path(__file__).parents[1] / "hooks"))
from scripts_made import HookFolder

Tree = Callable[[str], KernelFiles]


class CountingHypervisor(SimulatedHypervisor):
    """Counts how often it was asked for versions."""

    asked = 0

    async def versions(self, *, deadline: float | None = None) -> Versions:
        self.asked += 1
        return await super().versions(deadline=deadline)


Use = Callable[[HostMonitor, CountingHypervisor], Awaitable[None]]


def with_monitor(files: KernelFiles | None, folder: Path, use: Use, hooks: Hooks | None = None) -> None:
    async def main() -> None:
        hypervisor = CountingHypervisor()
        monitor = HostMonitor(
            hypervisor,
            acceleration=lambda: Acceleration(Kind.TCG, "nothing else was tried"),
            vm_counts=lambda: VmCounts(known=2, active=1),
            implemented={"Host.ping2"},
            identity_file=folder / "node.id",
            watched_folders=[folder, folder / "not-there"],
            files=files,
            network=NetworkSource(list, dict) if files else None,
            hooks=hooks,
        )
        try:
            async with asyncio.timeout(30):
                await use(monitor, hypervisor)
        finally:
            monitor.close()
            await hypervisor.close()

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - bounded by the caller's deadline
        await asyncio.sleep(0.001)


def test_hooks_are_among_the_capabilities_and_change_them(tree: Tree, tmp_path: Path) -> None:
    made = HookFolder(tmp_path)
    script = made.python("after_get_caps", "d = hooking.read_json(); d['extra'] = 1; hooking.write_json(d)")

    async def use(monitor: HostMonitor, _: object) -> None:
        told = await monitor.told_capabilities()
        assert isinstance(told, msgspec.Raw)
        caps = msgspec.json.decode(told)
        checksum = hashlib.md5(script.read_bytes()).hexdigest()
        assert (caps["hooks"], caps["extra"]) == ({"after_get_caps": {"10_test": {"checksum": checksum}}}, 1)

    with_monitor(tree("bare"), tmp_path, use, made.hooks)


def test_hooks_change_statistics_in_the_background(tree: Tree, tmp_path: Path) -> None:
    made = HookFolder(tmp_path)
    made.python("after_get_stats", "d = hooking.read_json(); d['extra'] = d['vmCount']; hooking.write_json(d)")

    async def use(monitor: HostMonitor, _: object) -> None:
        await monitor.sample()
        assert monitor.told_stats() == monitor.latest_encoded
        await until(lambda: b'"extra":2' in bytes(monitor.told_stats()))
        await made.hooks.close()

    with_monitor(tree("bare"), tmp_path, use, made.hooks)


def test_nothing_is_told_before_the_first_sample(tree: Tree, tmp_path: Path) -> None:
    async def use(monitor: HostMonitor, _: object) -> None:
        with pytest.raises(NotMeasuredYet):
            _ = monitor.latest
        with pytest.raises(NotMeasuredYet):
            _ = monitor.latest_encoded

    with_monitor(tree("bare"), tmp_path, use)


def test_statistics_are_encoded_once_for_each_sample(tree: Tree, tmp_path: Path) -> None:
    async def use(monitor: HostMonitor, _: object) -> None:
        await monitor.sample()
        first = monitor.latest_encoded
        assert monitor.latest_encoded is first
        assert msgspec.json.decode(first)["vmCount"] == 2
        await monitor.sample()
        assert monitor.latest_encoded is not first

    with_monitor(tree("two-sockets"), tmp_path, use)


def test_free_space_of_folders_that_are_there(tree: Tree, tmp_path: Path) -> None:
    async def use(monitor: HostMonitor, _: object) -> None:
        await monitor.sample()
        assert monitor.latest.disk_stats is not None
        assert list(monitor.latest.disk_stats) == [str(tmp_path)]
        assert monitor.latest.disk_stats[str(tmp_path)].free > 0

    with_monitor(tree("bare"), tmp_path, use)


def test_a_folder_that_hangs_costs_only_its_figure(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr("ovis.node.host.monitor._FREE_SPACE_SECONDS", 0.05)
    monkeypatch.setattr("os.statvfs", lambda _: released.wait(20))

    async def use(monitor: HostMonitor, _: object) -> None:
        await monitor.sample()
        assert monitor.latest.disk_stats is None
        assert monitor.latest.cpu_load == 0.0
        await monitor.sample()  # the thread is still stuck: no second one is spent
        released.set()

    with_monitor(tree("bare"), tmp_path, use)


def test_a_bad_sample_is_logged_once_and_outlived(tree: Tree, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = tree("bare")
    stat = files.root / "proc/stat"
    good = stat.read_text()

    async def use(monitor: HostMonitor, _: object) -> None:
        sampling = asyncio.create_task(monitor.sample_forever(0.005))
        await until(lambda: monitor._encoded is not None)
        stat.write_text("broken\n")
        await until(lambda: any("could not be measured" in m for m in caplog.messages))
        stat.write_text(good)
        await until(lambda: "the host is measured again" in caplog.messages)
        sampling.cancel()
        await asyncio.wait([sampling])

    with caplog.at_level(logging.INFO, "ovis.node.host"):
        with_monitor(files, tmp_path, use)
    assert sum("could not be measured" in m for m in caplog.messages) == 1


def test_what_libvirt_offers_is_asked_once_until_it_comes_back(tree: Tree, tmp_path: Path) -> None:
    async def use(monitor: HostMonitor, hypervisor: CountingHypervisor) -> None:
        following = asyncio.create_task(monitor.follow_hypervisor())
        await asyncio.sleep(0)
        first = await monitor.capabilities()
        assert await monitor.capabilities() == first
        assert hypervisor.asked == 1
        hypervisor.disconnect()
        assert (await monitor.capabilities()).emulated_machines == first.emulated_machines
        hypervisor.reconnect()
        await until(lambda: monitor._libvirt is None)
        await monitor.capabilities()
        assert hypervisor.asked == 2
        following.cancel()
        await asyncio.wait([following])

    with_monitor(tree("two-sockets"), tmp_path, use)


def test_this_machine_can_be_described(tmp_path: Path) -> None:
    async def use(monitor: HostMonitor, _: object) -> None:
        await monitor.sample()
        await monitor.sample()
        stats = codec.decode_result("Host.getStats", monitor.latest_encoded)
        assert 0 < stats.mem_used_percent <= 100
        assert stats.boot_time > 1_600_000_000
        assert stats.network["lo"].state.value == "up"
        found = await monitor.capabilities()
        assert found.mem_size > 0
        assert 1 <= found.cpu_sockets <= found.cpu_cores <= found.cpu_threads
        assert found.uuid == (tmp_path / "node.id").read_text().strip()
        await monitor.hardware()

    with_monitor(None, tmp_path, use)
