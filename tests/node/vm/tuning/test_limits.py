"""CPUs, CPU time, memory and throughput of a running VM, and the policy that engines keep for it."""

import asyncio
from pathlib import Path

import pytest
from device_host import MIB, DeviceHost, device_host
from vm_host import ID, new_id

from ovis.node.errors import BadParameter
from ovis.node.hypervisor.devices import CpuTime
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.vm.tuning.cpus import cpu_set

LIMITS = {"total_iops_sec": 100, "read_bytes_sec": 5000}


def test_the_number_of_cpus_changes_within_the_maximum(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            answer = await host.call("VM.setNumberOfCpus", numberOfCpus=3, cpusets=["0", "1-2", "0-3,^2"])
            assert int(answer["smp"]) == 3
            pins = host.hypervisor.devices.pins
            assert pins == {(ID, 0): {0}, (ID, 1): {1, 2}, (ID, 2): {0, 1, 3}}
            await host.fails(60, "VM.setNumberOfCpus", "maximum, 4", numberOfCpus=5)
            await host.fails(91, "VM.setNumberOfCpus", "2 sets", numberOfCpus=1, cpusets=["0", "1"])
            host.hypervisor.devices.keeps_cpus = True
            await host.fails(60, "VM.setNumberOfCpus", "it has 3 now", numberOfCpus=1)

    asyncio.run(main())


@pytest.mark.parametrize("text", ["", "x", "3-1", "1-", "^1", "5000", "1,,2"])
def test_what_is_no_set_of_cpus_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        cpu_set(text, "f")


def test_cpu_time_is_limited_and_freed(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            await host.call("VM.setCpuTunePeriod", period=50000)
            await host.call("VM.setCpuTuneQuota", quota=25000)
            assert await host.hypervisor.devices.cpu_time(ID) == CpuTime(50000, 25000)
            await host.call("VM.setCpuTuneQuota", quota=-7)
            await host.call("VM.setCpuTunePeriod", period=0)
            assert await host.hypervisor.devices.cpu_time(ID) == CpuTime(100000, -1)
            await host.fails(62, "VM.setCpuTuneQuota", "at least 1000", quota=999)
            await host.fails(62, "VM.setCpuTunePeriod", "from 1000", period=999)

    asyncio.run(main())


def test_the_balloon_keeps_within_what_is_guaranteed(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            await host.call("VM.setBalloonTarget", target=200 * 1024)
            assert host.hypervisor.domain(ID).balloon.current == 200 * MIB
            assert host.vm.definition.metadata["balloonTarget"] == 200 * 1024
            await host.fails(53, "VM.setBalloonTarget", "not between", target=100 * 1024)
            await host.fails(53, "VM.setBalloonTarget", "not between", target=300 * 1024)

    asyncio.run(main())


async def with_disk(host: DeviceHost) -> str:
    path = host.file("a")
    await host.call("VM.hotplugDisk", params={"drive": {"deviceType": "disk", "device": "disk", "path": path}})
    return path


def test_throughput_is_limited_by_name_or_path(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            path = await with_disk(host)
            await host.call("VM.setIoTune", tunables=[{"name": "vda", "ioTune": LIMITS}])
            (found,) = await host.call("VM.getIoTune")
            assert {name: int(found["ioTune"][name]) for name in LIMITS} == LIMITS
            await host.call("VM.setIoTune", tunables=[{"path": path, "ioTune": {}}])
            assert (await host.hypervisor.devices.io_limits(ID, "vda")).total_iops_sec == 0
            both = {"total_iops_sec": 1, "read_iops_sec": 1}
            await host.fails(91, "VM.setIoTune", "excludes", tunables=[{"name": "vda", "ioTune": both}])
            await host.fails(91, "VM.setIoTune", "no disk vdq", tunables=[{"name": "vdq", "ioTune": LIMITS}])
            host.hypervisor.faults.fail("set_io_limits", error=OperationFailed("no"))
            await host.fails(64, "VM.setIoTune", "disk vda", tunables=[{"name": "vda", "ioTune": LIMITS}])

    asyncio.run(main())


def test_the_policy_is_kept_and_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            await with_disk(host)
            domain = new_id()
            one = {"name": "vda", "guaranteed": {"total_iops_sec": 10}, "maximum": {"total_iops_sec": 20}}
            other = {"path": "/x", "domainID": domain, "guaranteed": {}, "maximum": {}}
            assert await host.call("VM.getIoTunePolicy") == []
            await host.call("VM.updateVmPolicy", params={"ioTune": [one, other], "vcpuLimit": 40})
            await host.call("VM.updateVmPolicy", params={"ioTune": [{**one, "maximum": {"total_iops_sec": 30}}]})
            policy = await host.call("VM.getIoTunePolicy")
            assert [(p.get("name"), int(p["maximum"].get("total_iops_sec", 0))) for p in policy] == [
                (None, 0),
                ("vda", 30),
            ]
            bulk = await host.call("Host.getAllVmIoTunePolicies")
            assert bulk[ID]["policy"] == policy
            assert len(bulk[ID]["current_values"]) == 1
            bad = {**one, "guaranteed": {"total_iops_sec": 1, "write_iops_sec": 1}}
            await host.fails(91, "VM.updateVmPolicy", "excludes", params={"ioTune": [bad]})
            host.hypervisor.faults.fail("set_metadata")
            await host.fails(63, "VM.updateVmPolicy", params={"vcpuLimit": 1})

    asyncio.run(main())


def test_a_vm_whose_limits_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with device_host(tmp_path) as host:
            await with_disk(host)
            host.hypervisor.faults.fail("io_limits")
            assert await host.call("Host.getAllVmIoTunePolicies") == {}

    asyncio.run(main())
