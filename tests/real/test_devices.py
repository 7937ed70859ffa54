"""Devices, media and limits of a guest that runs: through the agent's API on a real libvirtd, looked at from inside."""

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import libvirt
import msgspec
import pytest
from lxml import etree

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.client.types import (
    DriveSpecPath,
    DriveSpecPayload,
    HotplugDiskParams,
    HotplugMemoryParams,
    HotplugNicParams,
    VmDiskDeviceIoTuneParams,
    VmDiskDeviceTuneLimits,
    VmDiskDeviceTuneParams,
    VmDiskDeviceType,
    VmMemoryDevice,
    VmStatus,
)
from ovis.node.hypervisor.interface import Hypervisor
from ovis.node.hypervisor.libvirt_driver import connect
from ovis.wire.errors import RpcError
from tests.node.hypervisor.devices_contract import DevicesContract
from tests.real import guest_shell
from tests.real.agent_process import AgentProcess, agent_process

BOOT = 90.0
MIB = 1 << 20
MAC = "52:54:00:de:71:02"
DOMAIN = """\
<domain type='qemu'>
  <name>devices</name>
  <uuid>{id}</uuid>
  <maxMemory unit='MiB' slots='4'>1024</maxMemory>
  <memory unit='MiB'>256</memory>
  <vcpu current='1'>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>console=ttyS0 quiet</cmdline></os>
  <features><acpi/></features>
  <cpu mode='maximum'><numa><cell id='0' cpus='0-1' memory='256' unit='MiB'/></numa></cpu>
  <devices>
    <controller type='pci' model='pcie-root'/>
    {ports}
    <controller type='scsi' model='virtio-scsi'/>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sda' bus='scsi'/><readonly/></disk>
    <interface type='bridge'>
      <mac address='52:54:00:de:71:01'/><source bridge='{bridge}'/><model type='virtio'/>
    </interface>
    <serial type='pty'/><console type='pty'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <graphics type='vnc' passwd='unknown'><listen type='address' address='127.0.0.1'/></graphics>
    <video><model type='vga'/></video>
    <memballoon model='virtio'/>
  </devices>
</domain>"""


class TestLibvirt(DevicesContract):
    @pytest.fixture(autouse=True)
    def _place(self, vhost: VirtualHost, tmp_path: Path) -> None:
        self.uri, self.folder = vhost.libvirt_uri, tmp_path

    def hypervisor(self) -> AbstractAsyncContextManager[Hypervisor]:
        return connect(self.uri)


@dataclass
class RunningGuest:
    """One guest for the whole file. `run` is a shell in it."""

    id: str
    node: Node
    folder: Path
    bridge: str
    domain: libvirt.virDomain
    agent: AgentProcess

    def run(self, script: str) -> str:
        return guest_shell.run(self.domain, script)

    def live(self) -> etree._Element:
        return etree.fromstring(self.domain.XMLDesc(0))

    def file(self, name: str, size: int = 8 * MIB) -> str:
        path = self.folder / name
        with path.open("wb") as file:
            file.truncate(size)
        return str(path)


@pytest.fixture(scope="module")
def guest(
    vhost: VirtualHost, guest_image: TinyGuest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGuest]:
    folder = tmp_path_factory.mktemp("devices")
    vm_id = str(uuid.uuid4())
    ports = "<controller type='pci' model='pcie-root-port'/>" * 12
    xml = DOMAIN.format(
        id=vm_id, kernel=guest_image.kernel, initrd=guest_image.initrd, bridge=vhost.bridge, ports=ports
    )  # fmt: skip
    with agent_process(folder, vhost, guest_image) as agent:
        with agent.configuration.open("a") as settings:
            settings.write("unplug_seconds = 3\n")
        agent.start()
        with agent.client() as node:
            node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=xml))
            wait(lambda: node.vm.get_stats(vm_id)[0].status is VmStatus.UP, seconds=BOOT)
            connection = libvirt.open(vhost.libvirt_uri)
            try:
                yield RunningGuest(vm_id, node, folder, vhost.bridge, connection.lookupByUUIDString(vm_id), agent)
            finally:
                with agent.client() as last:
                    last.vm.destroy(vm_id)
                connection.close()


def wait(is_so: Callable[[], bool], *, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.1)


def test_a_disk_is_seen_limited_and_given_up(guest: RunningGuest) -> None:
    path = guest.file("disk")
    xml = f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{path}'/><target dev='vdb' bus='virtio'/></disk>"  # noqa: E501
    params = HotplugDiskParams(xml=xml)
    guest.node.vm.hotplug_disk(guest.id, params)
    wait(lambda: "vda" in guest.run("ls /sys/block"))
    limit = VmDiskDeviceIoTuneParams(total_iops_sec=500, read_bytes_sec_bytes_per_second=MIB)
    guest.node.vm.set_io_tune(guest.id, [VmDiskDeviceTuneParams(name="vdb", io_tune=limit)])
    assert guest.node.vm.get_io_tune(guest.id) == [VmDiskDeviceTuneParams(name="vdb", path=path, io_tune=limit)]
    found = guest.node.host.get_all_vm_io_tune_policies()
    assert found[guest.id].current_values == guest.node.vm.get_io_tune(guest.id)
    guest.node.vm.hotunplug_disk(guest.id, params)
    assert "vda" not in guest.run("ls /sys/block")
    assert guest.live().find("devices/disk[@device='disk']") is None


def test_a_disk_of_the_network_is_written_by_the_guest(guest: RunningGuest) -> None:
    path, socket, pid = guest.file("remote"), guest.folder / "nbd.sock", guest.folder / "nbd.pid"
    words = ["qemu-nbd", "--fork", "-t", "-f", "raw", "-x", "exported", "-k", str(socket), f"--pid-file={pid}", path]
    subprocess.run(words, check=True, timeout=60)
    drive = types.VmDiskDevice(
        device=VmDiskDeviceType.DISK,
        device_type=types.VmDeviceType.DISK,
        disk_type="network",
        protocol="nbd",
        hosts=[types.NetworkDiskHostInfo(name=str(socket), transport="unix")],
        path="exported",
        iface=types.VmDiskDeviceInterface.VIRTIO,
        name="vdd",
    )
    try:
        guest.node.vm.hotplug_disk(guest.id, HotplugDiskParams(drive=drive))
        with pytest.raises(RpcError, match="open for writing"):
            guest.node.vm.hotplug_disk(guest.id, HotplugDiskParams(drive=msgspec.structs.replace(drive, name="vde")))
        wait(lambda: "vda" in guest.run("ls /sys/block"))
        guest.run("echo over the network > /dev/vda; sync")
        told = guest.node.vm.get_stats(guest.id)[0]
        assert told.status is VmStatus.UP
        guest.node.vm.hotunplug_disk(guest.id, HotplugDiskParams(drive=drive))
        assert Path(path).read_bytes().startswith(b"over the network")
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_disk_that_a_sleeping_guest_keeps_is_told_and_goes_when_it_wakes(guest: RunningGuest) -> None:
    xml = f"<disk type='file'><source file='{guest.file('kept')}'/><target dev='vdc' bus='virtio'/></disk>"
    guest.node.vm.hotplug_disk(guest.id, HotplugDiskParams(xml=xml))
    wait(lambda: "vda" in guest.run("ls /sys/block"))
    guest.node.vm.pause(guest.id)
    with pytest.raises(RpcError, match="still there") as caught:
        guest.node.vm.hotunplug_disk(guest.id, HotplugDiskParams(xml=xml))
    assert caught.value.code == 46
    assert guest.live().find("devices/disk/target[@dev='vdc']") is not None
    guest.node.vm.cont(guest.id)
    wait(lambda: guest.live().find("devices/disk/target[@dev='vdc']") is None)


def test_a_scsi_disk_is_there_once(guest: RunningGuest) -> None:
    xml = f"<disk type='file'><source file='{guest.file('scsi')}'/><target dev='sdb' bus='scsi'/></disk>"
    guest.node.vm.hotplug_disk(guest.id, HotplugDiskParams(xml=xml))
    with pytest.raises(RpcError) as caught:
        guest.node.vm.hotplug_disk(guest.id, HotplugDiskParams(xml=xml))
    assert caught.value.code in (45, 91)
    guest.node.vm.hotunplug_disk(guest.id, HotplugDiskParams(xml=xml))
    assert guest.live().find("devices/disk/target[@dev='sdb']") is None


def test_a_card_comes_changes_and_goes(guest: RunningGuest) -> None:
    source = f"<source bridge='{guest.bridge}'/>"
    xml = f"<interface type='bridge'><mac address='{MAC}'/>{source}<model type='virtio'/></interface>"
    guest.node.vm.hotplug_nic(guest.id, HotplugNicParams(xml=xml))
    wait(lambda: MAC in guest.run("cat /sys/class/net/*/address"))
    card = next(c for c in guest.live().iterfind("devices/interface") if c.find(f"mac[@address='{MAC}']") is not None)
    alias = card.find("alias").get("name")
    update = types.vmUpdateInterfaceDeviceParams(alias=alias, link_active=False, device_type="interface")
    guest.node.vm.update_device(guest.id, update)
    name = guest.run(f"grep -l {MAC} /sys/class/net/*/address").strip().split("/")[-2]
    guest.run(f"ip link set {name} up")
    wait(lambda: guest.run(f"cat /sys/class/net/{name}/carrier").strip() == "0")
    update = types.vmUpdateInterfaceDeviceParams(alias=alias, link_active=True, device_type="interface")
    guest.node.vm.update_device(guest.id, update)
    wait(lambda: guest.run(f"cat /sys/class/net/{name}/carrier").strip() == "1")
    guest.node.vm.hotunplug_nic(guest.id, HotplugNicParams(xml=xml))
    assert MAC not in guest.run("cat /sys/class/net/*/address")


def test_cpus_are_plugged_and_pinned(guest: RunningGuest) -> None:
    answer = guest.node.vm.set_number_of_cpus(guest.id, 2, cpusets=["0", "0-1"])
    assert answer.smp == 2
    assert guest.domain.vcpuPinInfo()[0][:2] == (True, False)
    with pytest.raises(RpcError, match="maximum") as caught:
        guest.node.vm.set_number_of_cpus(guest.id, 3)
    assert caught.value.code == 60


def test_cpus_that_the_guest_keeps_are_an_error_that_tells_how_many_there_are(guest: RunningGuest) -> None:
    """Under emulation the guest does not give a CPU back within libvirt's five seconds."""
    if guest.node.host.get_vm_full_list([guest.id])[0].smp != 2:
        guest.node.vm.set_number_of_cpus(guest.id, 2)
    with pytest.raises(RpcError, match="it has 2 now") as caught:
        guest.node.vm.set_number_of_cpus(guest.id, 1)
    assert caught.value.code == 60
    there = guest.domain.vcpusFlags(libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert guest.node.host.get_vm_full_list([guest.id])[0].smp == there


def memory_of(guest: RunningGuest) -> int:
    return int(guest.run("grep MemTotal /proc/meminfo | tr -dc 0-9"))


def test_memory_is_plugged_and_asked_back(guest: RunningGuest) -> None:
    module = VmMemoryDevice(
        device=types.VmMemoryDeviceType.MEMORY, device_type=types.VmDeviceType.MEMORY, node=0, size=128 * MIB
    )  # fmt: skip
    answer = guest.node.vm.hotplug_memory(guest.id, HotplugMemoryParams(memory=module))
    assert answer.mem_size == 384 * MIB
    wait(lambda: guest.live().find("devices/memory") is not None)
    before = memory_of(guest)
    # As movable memory: a guest that puts its own structures there never gives it back.
    guest.run(
        "for m in /sys/devices/system/memory/memory*/state; do grep -q offline $m && echo online_movable > $m; done"
    )
    wait(lambda: memory_of(guest) > before)
    guest.node.vm.hotunplug_memory(guest.id, HotplugMemoryParams(memory=module))
    wait(lambda: guest.live().find("devices/memory") is None)
    wait(lambda: guest.node.host.get_vm_full_list([guest.id])[0].mem_size == 256 * MIB)
    with pytest.raises(RpcError) as caught:
        guest.node.vm.hotunplug_memory(guest.id, HotplugMemoryParams(memory=module))
    assert caught.value.code == 85


def test_the_cd_is_made_of_files_changed_and_taken_out(guest: RunningGuest) -> None:
    files = types.DriveVmPayload(file={"user-data": "I2Nsb3VkLWNvbmZpZwo=", "meta-data": ""})
    spec = DriveSpecPayload(device=VmDiskDeviceType.CDROM, spec_params=types.DrivePayload(vm_payload=files))
    guest.node.vm.change_cd(guest.id, spec)
    assert (
        guest.run("dd if=/dev/sr0 bs=2048 skip=16 count=1 2>/dev/null | dd bs=1 skip=1 count=5 2>/dev/null") == "CD001"
    )
    assert guest.run("grep -ac cloud-config /dev/sr0").strip() == "1"
    other = guest.file("other.iso", 4 * MIB)
    guest.node.vm.change_cd(guest.id, DriveSpecPath(path=other))
    assert guest.live().find("devices/disk[@device='cdrom']/source").get("file") == other
    guest.node.vm.change_cd(guest.id, DriveSpecPath(path=""))
    assert guest.live().find("devices/disk[@device='cdrom']/source[@file]") is None


def test_cpu_time_balloon_and_policy(guest: RunningGuest) -> None:
    guest.node.vm.set_cpu_tune_period(guest.id, 50_000)
    guest.node.vm.set_cpu_tune_quota(guest.id, 45_000)
    found = guest.domain.schedulerParametersFlags(libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert (found["vcpu_period"], found["vcpu_quota"]) == (50_000, 45_000)
    guest.node.vm.set_cpu_tune_quota(guest.id, -1)
    limit = VmDiskDeviceIoTuneParams(total_iops_sec=10)
    tune = VmDiskDeviceTuneLimits(name="vda", guaranteed=limit, maximum=limit)
    guest.node.vm.update_vm_policy(guest.id, types.UpdateVmPolicyParams(vcpu_limit_percent=50, io_tune=[tune]))
    assert guest.node.vm.get_io_tune_policy(guest.id) == [tune]
    with pytest.raises(RpcError) as caught:
        guest.node.vm.set_balloon_target(guest.id, 100 * MIB)
    assert caught.value.code == 53


def test_a_console_password_is_set_through_update_device(guest: RunningGuest) -> None:
    params = types.vmUpdateGraphicsDeviceParams(
        graphics_type=types.VmGraphicsDeviceType.VNC, password="secret", ttl=60, device_type="graphics"
    )  # fmt: skip
    guest.node.vm.update_device(guest.id, params)
    graphics = etree.fromstring(guest.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)).find("devices/graphics")
    assert graphics.get("passwd") == "secret"


def test_a_killed_agent_knows_the_devices_again(guest: RunningGuest) -> None:
    """The last one: the connection of the others is gone afterwards."""
    image = str(uuid.uuid4())
    xml = f"""<hotplug><devices><disk type='file'><source file='{guest.file("survivor")}'/>
        <target dev='sdc' bus='scsi'/></disk></devices><metadata><ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'>
        <ovirt-vm:device devtype='disk' name='sdc'><ovirt-vm:imageID>{image}</ovirt-vm:imageID></ovirt-vm:device>
        </ovirt-vm:vm></metadata></hotplug>"""
    guest.node.vm.hotplug_disk(guest.id, HotplugDiskParams(xml=xml))
    guest.agent.kill()
    guest.agent.start()
    with guest.agent.client() as node:
        assert image in (node.vm.get_info(guest.id).xml or "")
        assert [change.path for change in node.vm.get_xml_difference(guest.id)] != []
        node.vm.hotunplug_disk(guest.id, HotplugDiskParams(xml=xml))
        assert image not in (node.vm.get_info(guest.id).xml or "")
    assert guest.live().find("devices/disk/target[@dev='sdc']") is None
