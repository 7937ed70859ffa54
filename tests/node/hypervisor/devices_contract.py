"""What every hypervisor must do with devices, CPUs and limits of a domain without an operating system."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from lxml import etree

from ovis.node.hypervisor.devices import CpuTime, IoLimits
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import DeviceRemoved, Hypervisor
from tests.node.hypervisor.contract import heard

LIMIT = 60.0
MIB = 1 << 20
XML = """<domain type='qemu'><name>devices-{0}</name><uuid>{0}</uuid>
  <maxMemory unit='MiB' slots='2'>512</maxMemory><memory unit='MiB'>128</memory><vcpu current='1'>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
  <cpu><numa><cell id='0' cpus='0-1' memory='128' unit='MiB'/></numa></cpu>
  <devices><controller type='pci' model='pcie-root'/><controller type='pci' model='pcie-root-port'/>
    <controller type='pci' model='pcie-root-port'/><controller type='scsi' model='virtio-scsi'/>
    <disk type='file' device='cdrom'><target dev='sdz' bus='scsi'/><readonly/></disk>
    <memballoon model='virtio'/></devices></domain>"""
DISK = "<disk type='file'><driver name='qemu' type='raw'/><source file='{}'/><target dev='sda' bus='scsi'/></disk>"
CD = "<disk type='file' device='cdrom'>{}<target dev='sdz' bus='scsi'/><readonly/></disk>"
MODULE = "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>"


class DevicesContract:
    folder: Path

    def hypervisor(self) -> AbstractAsyncContextManager[Hypervisor]:
        raise NotImplementedError

    def run(self, body: Callable[[Hypervisor, str], Awaitable[None]]) -> None:
        """`body` gets a running domain, which is removed afterwards."""

        async def whole() -> None:
            me = str(uuid.uuid4())
            async with asyncio.timeout(LIMIT), self.hypervisor() as host:
                await host.create(XML.format(me))
                try:
                    await body(host, me)
                finally:
                    await host.destroy(me)

        asyncio.run(whole())

    def file(self) -> str:
        path = self.folder / "disk"
        with path.open("wb") as file:
            file.truncate(MIB)
        return str(path)

    def test_a_disk_comes_once_and_goes(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            disk = DISK.format(self.file())
            await host.devices.attach(me, disk)
            with pytest.raises(HypervisorError):
                await host.devices.attach(me, disk)
            alias = (await live(host, me)).xpath("string(//disk[target/@dev='sda']/alias/@name)")
            async with host.events() as events:
                await host.devices.detach(me, alias)  # SCSI needs nobody in the guest
                assert (await heard(events, DeviceRemoved, me)).alias == alias
            assert (await live(host, me)).find("devices/disk/target[@dev='sda']") is None
            with pytest.raises(HypervisorError):
                await host.devices.detach(me, alias)

        self.run(body)

    def test_throughput_is_limited(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.devices.attach(me, DISK.format(self.file()))
            assert await host.devices.io_limits(me, "sda") == IoLimits()
            wanted = IoLimits(total_iops_sec=100, read_bytes_sec=5000)
            await host.devices.set_io_limits(me, "sda", wanted)
            assert await host.devices.io_limits(me, "sda") == wanted
            await host.devices.set_io_limits(me, "sda", IoLimits())
            assert await host.devices.io_limits(me, "sda") == IoLimits()
            with pytest.raises(HypervisorError):
                await host.devices.set_io_limits(me, "sda", IoLimits(total_iops_sec=1, read_iops_sec=1))
            with pytest.raises(HypervisorError):
                await host.devices.io_limits(me, "vdq")

        self.run(body)

    def test_a_medium_is_changed(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            path = self.file()
            await host.devices.update(me, CD.format(f"<source file='{path}'/>"))
            assert (await live(host, me)).xpath("string(//disk[@device='cdrom']/source/@file)") == path
            for attempt in range(5):  # the firmware, which looks for a system, may close the tray again
                try:
                    await host.devices.update(me, CD.format(""), force=True)
                    break
                except HypervisorError:
                    assert attempt < 4
                    await asyncio.sleep(0.5)
            assert (await live(host, me)).xpath("string(//disk[@device='cdrom']/source/@file)") == ""
            with pytest.raises(HypervisorError):
                await host.devices.update(me, CD.format("").replace("sdz", "sdy"))

        self.run(body)

    def test_cpus_come_up_to_the_maximum(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.devices.set_vcpus(me, 2)
            assert (await live(host, me)).xpath("string(vcpu/@current)") in ("", "2")
            await host.devices.pin_vcpu(me, 1, frozenset({0}))
            for call in (host.devices.set_vcpus(me, 3), host.devices.pin_vcpu(me, 7, frozenset({0}))):
                with pytest.raises(HypervisorError):
                    await call

        self.run(body)

    def test_memory_comes_and_the_balloon_is_told(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.devices.attach(me, MODULE)
            root = await live(host, me)
            assert root.xpath("string(//memory[@model]/alias/@name)") == "dimm0"
            assert root.findtext("memory") == str(256 * 1024)
            await host.devices.set_balloon(me, 128 * MIB)
            with pytest.raises(HypervisorError):
                await host.devices.set_balloon(me, 4096 * MIB)

        self.run(body)

    def test_cpu_time_is_limited(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.devices.set_cpu_time(me, period_us=50_000)
            await host.devices.set_cpu_time(me, quota_us=20_000)
            assert await host.devices.cpu_time(me) == CpuTime(50_000, 20_000)
            await host.devices.set_cpu_time(me, quota_us=-1)
            assert (await host.devices.cpu_time(me)).quota_us < 0

        self.run(body)

    def test_an_unknown_device_of_the_host_is_refused(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            with pytest.raises(HypervisorError):
                await host.devices.host_device("pci_ffff_ff_ff_7")

        self.run(body)


async def live(host: Hypervisor, me: str) -> etree._Element:
    return etree.fromstring(await host.xml(me))
