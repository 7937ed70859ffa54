"""The host verbs against a real libvirt, and the network inventory against devices that the kernel made."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from deploy.rig.virtual_host import VirtualHost
from ovis.client import codec
from ovis.node.host.host_devices import host_devices
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.monitor import HostMonitor
from ovis.node.host.statistics import VmCounts
from ovis.node.hypervisor.acceleration import Acceleration, Kind
from ovis.node.hypervisor.libvirt_driver import connect

LIMIT = 120


def test_libvirt_says_what_vms_can_use(vhost: VirtualHost, tmp_path: Path) -> None:
    async def main() -> None:
        async with asyncio.timeout(LIMIT), connect(vhost.libvirt_uri) as hypervisor:
            monitor = HostMonitor(
                hypervisor,
                acceleration=lambda: Acceleration(Kind.TCG, "there is no /dev/kvm"),
                vm_counts=VmCounts,
                implemented=(),
                identity_file=tmp_path / "node.id",
            )
            try:
                found = await monitor.capabilities()
                raw = codec.encode_result("Host.getCapabilities", await monitor.capabilities())
            finally:
                monitor.close()
        assert {"q35", "pc"} <= set(found.emulated_machines)
        assert "model_qemu64" in found.cpu_flags.split(",")
        assert not found.kvm_enabled
        assert found.packages2["libvirt"].version
        assert found.packages2["qemu-kvm"].version
        assert json.loads(raw)["accelerationReason"] == "there is no /dev/kvm"

    asyncio.run(main())


def test_devices_that_could_be_given_to_a_vm_are_listed(vhost: VirtualHost) -> None:
    async def main() -> None:
        async with asyncio.timeout(LIMIT), connect(vhost.libvirt_uri) as hypervisor:
            found = host_devices(await hypervisor.devices.all_host_devices(), KernelFiles())
            codec.encode_result("Host.hostdevListByCaps", found)
        assert found["computer"].params.capability == "system"
        assert not found["computer"].params.is_assignable

    asyncio.run(main())


# Runs in a network namespace of its own, with a /sys that shows its devices. VLANs and bonds need another kernel: they
# belong to the bed tier.
DEVICES = """
set -e
mount -t sysfs none /sys
ip link add veth0 type veth peer name veth1
ip link add br0 type bridge
ip link set veth0 master br0
ip address add 192.0.2.7/25 dev br0
ip address add 192.0.2.8/25 dev br0 valid_lft 600 preferred_lft 600
ip link set br0 up && ip link set veth0 up && ip link set veth1 up
ip route add default via 192.0.2.1
"""
DESCRIBE = """
from ovis.client import codec
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.network import NetworkSource, read
found = read(KernelFiles(), NetworkSource())
print(codec.encode_value(found.bridges["br0"]).decode())
"""


def test_a_bridge_of_the_kernel_is_described(vhost: VirtualHost) -> None:
    script = f"{DEVICES}\nexec {sys.executable} -c '{DESCRIBE}'"
    result = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 0, result.stderr
    bridge = json.loads(result.stdout)
    assert bridge["ports"] == ["veth0"]
    assert bridge["ipv4addrs"] == ["192.0.2.7/25", "192.0.2.8/25"]
    assert (bridge["netmask"], bridge["gateway"]) == ("255.255.255.128", "192.0.2.1")
    assert bridge["dhcpv4"]
