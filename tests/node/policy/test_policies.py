"""Policies over simulated guests and a recorded kernel: measured, decided, carried out, kept."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from vm_host import ID, VmHost, vm_host

from ovis.client.types import UpdateVmPolicyParams, VmDiskDeviceIoTuneParams, VmDiskDeviceTuneLimits
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.policy.errors import PolicyRefused
from ovis.node.policy.policies import Policies
from ovis.node.privileged.memory import TuneMemory
from ovis.node.privileged.page_merging import TunePageMerging
from ovis.node.privileged.protocol import CommandResult
from ovis.node.vm.tuning import policy

KSM = {"run": 0, "pages_to_scan": 100, "sleep_millisecs": 20, "merge_across_nodes": 1}
DISK = "<disk type='file'><source file='{0}/disk'/><target dev='vda'/></disk>"


class Root:
    """The helper, to whom the kernel obeys: what it is told stands in the recorded tree afterwards."""

    def __init__(self, kernel: Path) -> None:
        self.kernel = kernel
        self.fails = False

    async def call(self, request: Any, **_: Any) -> Any:
        if self.fails:
            raise FileNotFoundError(2, "gone", "/sys/kernel/mm/ksm/run")
        assert isinstance(request, TunePageMerging | TuneMemory)
        if isinstance(request, TunePageMerging):
            for name in KSM:
                if (value := getattr(request, name)) is not None:
                    (self.kernel / "sys/kernel/mm/ksm" / name).write_text(f"{value}\n")
        elif request.swappiness is not None:
            (self.kernel / "proc/sys/vm/swappiness").write_text(f"{request.swappiness}\n")
        return CommandResult(0)


class Station:
    """The machine that policies see."""

    def __init__(self, host: VmHost, folder: Path) -> None:
        self.host, self.folder = host, folder
        self.kernel = folder / "kernel"
        self.privileged = Root(self.kernel)
        (self.kernel / "sys/kernel/mm/ksm").mkdir(parents=True, exist_ok=True)
        (self.kernel / "proc/sys/vm").mkdir(parents=True, exist_ok=True)
        for name, value in KSM.items():
            (self.kernel / "sys/kernel/mm/ksm" / name).write_text(f"{value}\n")
        (self.kernel / "proc/sys/vm/swappiness").write_text("60\n")
        self.memory(free=0.5)

    @property
    def vms(self) -> Any:
        return self.host.vms

    def memory(self, *, free: float) -> None:
        total = 64 << 20
        text = f"MemTotal: {total} kB\nMemFree: 1000 kB\nMemAvailable: {int(total * free)} kB\n"
        (self.kernel / "proc/meminfo").write_text(text)

    def merging(self, name: str = "run") -> int:
        return int((self.kernel / "sys/kernel/mm/ksm" / name).read_text())

    def policies(self, **more: Any) -> Policies:
        return Policies(self, self.folder / "policy", kernel=KernelFiles(self.kernel), clock=lambda: 0.0, **more)


def with_guest(folder: Path, work: Callable[[Station], Awaitable[None]]) -> None:
    async def main() -> None:
        async with vm_host(folder) as host:
            (folder / "disk").write_bytes(bytes(4096))
            await host.started(devices=DISK.format(folder))
            await host.vms.sample()
            await work(Station(host, folder))

    asyncio.run(main())


def test_a_short_host_merges_pages_until_it_is_not_short(tmp_path: Path) -> None:
    async def work(station: Station) -> None:
        policies = station.policies()
        station.memory(free=0.1)
        await policies.round()
        await policies.round()
        assert (station.merging(), station.merging("pages_to_scan")) == (1, 700)
        station.memory(free=0.9)
        for _ in range(10):  # the mean of what was measured decides
            await policies.round()
        assert station.merging() == 0
        assert policies.failure == ""

    with_guest(tmp_path, work)


def test_simulated_guests_take_nothing_of_this_host(tmp_path: Path) -> None:
    async def work(station: Station) -> None:
        station.memory(free=0.1)
        await station.policies(has_host=False).round()
        assert station.merging() == 0

    with_guest(tmp_path, work)


def test_limits_of_an_engine_are_kept_and_taken_away(tmp_path: Path) -> None:
    async def work(station: Station) -> None:
        policies, vm, devices = station.policies(), station.vms.find(ID), station.host.hypervisor.devices
        limit = VmDiskDeviceIoTuneParams(total_iops_sec=100)
        tune = VmDiskDeviceTuneLimits(name="vda", guaranteed=limit, maximum=limit)
        given = UpdateVmPolicyParams(vcpu_limit_percent=50, io_tune=[tune])
        await policy.update(station.vms, vm, given)
        await policies.round()
        time = await devices.cpu_time(ID)
        assert time.quota_us > 0
        assert (await devices.io_limits(ID, "vda")).total_iops_sec == 100
        await policy.update(station.vms, vm, UpdateVmPolicyParams(vcpu_limit_percent=100))
        await policies.set_parameters({"ioTuneEnabled": False})
        await policies.round()
        assert (await devices.cpu_time(ID)).quota_us == -1
        assert (await devices.io_limits(ID, "vda")).total_iops_sec == 0

    with_guest(tmp_path, work)


def test_rules_and_parameters_survive_the_agent(tmp_path: Path) -> None:
    async def work(station: Station) -> None:
        policies = station.policies()
        await policies.set_rules('(defvar wanted 7) (Host.Control "swappiness" wanted)')
        await policies.set_parameters({"wanted": 12, "isOn": "true"})
        again = station.policies()
        assert not again.is_default
        assert again.parameters == {"wanted": 12, "isOn": 1}
        await again.round()
        assert (station.kernel / "proc/sys/vm/swappiness").read_text() == "12\n"
        await again.set_rules("")
        assert station.policies().is_default

    with_guest(tmp_path, work)


def test_bad_rules_are_refused_and_the_former_stay(tmp_path: Path) -> None:
    async def work(station: Station) -> None:
        policies = station.policies()
        before = policies.rules_text
        for text in ("(", '(Host.Control "rm" 1)', "(with Guests g g.nothing)"):
            with pytest.raises(PolicyRefused, match=r"stays as it was: (policy: )?line 1"):
                await policies.set_rules(text)
        for bad in ({"a b": 1}, {"Host": 1}, {"x": [1]}, {"short": "low"}):
            with pytest.raises(PolicyRefused):
                await policies.set_parameters(bad)
        assert (policies.rules_text, policies.parameters) == (before, {})
        assert not (tmp_path / "policy").exists()

    with_guest(tmp_path, work)


def test_what_if_changes_nothing(tmp_path: Path) -> None:
    async def work(station: Station) -> None:
        station.memory(free=0.1)
        policies = station.policies()
        found = await policies.what_if()
        assert ("host", "ksm_run", 1) in [(one.target, one.control, one.value) for one in found.decisions]
        tried = await policies.what_if('(debug "tried") (with Guests g (g.Control "vcpu_quota" 5000))')
        assert [(one.target, one.control, one.value) for one in tried.decisions] == [(ID, "vcpu_quota", 5000)]
        assert tried.said == ["tried"]
        assert station.merging() == 0
        assert (await station.host.hypervisor.devices.cpu_time(ID)).quota_us < 0

    with_guest(tmp_path, work)


def test_a_failure_is_told_once_and_gone_when_it_is_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work(station: Station) -> None:
        station.memory(free=0.1)
        station.privileged.fails = True
        policies = station.policies()
        await policies.round()
        await policies.round()
        assert "no /sys/kernel/mm/ksm/run" in policies.failure
        station.privileged.fails = False
        await policies.round()
        assert policies.failure == ""

    with_guest(tmp_path, work)
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
