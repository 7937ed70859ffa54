"""The VMs of the measurements: usual servers as an engine describes them, with two disks and two network cards."""

from __future__ import annotations

import uuid
from pathlib import Path

_NAMESPACE = uuid.UUID("6f7a5e6e-9a3c-4d53-8f0e-0d5a2f6b9c11")

_XML = """<domain type='kvm' xmlns:ovirt-vm='http://ovirt.org/vm/1.0'>
  <name>bench-{number:03}</name>
  <uuid>{id}</uuid>
  <metadata>
    <ovirt-vm:vm>
      <ovirt-vm:clusterVersion>4.7</ovirt-vm:clusterVersion>
      <ovirt-vm:minGuaranteedMemoryMb type='int'>512</ovirt-vm:minGuaranteedMemoryMb>
      <ovirt-vm:custom/>
    </ovirt-vm:vm>
  </metadata>
  <memory unit='MiB'>1024</memory>
  <vcpu>4</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/><target dev='sda' bus='sata'/><readonly/>
    </disk>
{disks}
{cards}
    <graphics type='vnc' port='-1' autoport='yes'/>
    <video><model type='vga'/></video>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <serial type='pty'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""
_DISK = """    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none'/><source file='{path}'/><target dev='{target}' bus='virtio'/>
      <serial>{serial}</serial>
    </disk>"""
_CARD = """    <interface type='bridge'>
      <mac address='{mac}'/><source bridge='{bridge}'/><model type='virtio'/>
    </interface>"""

GUEST_ANSWERS: dict[str, object] = {
    "guest-get-host-name": {"host-name": "shop-07.example.com"},
    "guest-get-users": [{"user": "admin", "login-time": 1.0, "domain": ""}],
    "guest-get-fsinfo": [
        {"name": name, "mountpoint": path, "type": "xfs", "used-bytes": 7 << 30, "total-bytes": 40 << 30, "disk": []}
        for name, path in (("vda1", "/boot"), ("dm-0", "/"), ("dm-1", "/home"), ("vdb1", "/srv/data"))
    ],
    "guest-network-get-interfaces": [
        {"name": "lo", "ip-addresses": [{"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8}]},
        *(
            {
                "name": f"eth{number}",
                "hardware-address": f"56:6f:9a:00:00:0{number}",
                "ip-addresses": [
                    {"ip-address": f"192.0.2.{10 + number}", "ip-address-type": "ipv4", "prefix": 24},
                    {"ip-address": f"2001:db8::{10 + number}", "ip-address-type": "ipv6", "prefix": 64},
                    {"ip-address": f"fe80::546f:9aff:fe00:{number}", "ip-address-type": "ipv6", "prefix": 64},
                ],
            }
            for number in range(2)
        ),
    ],
}
"""What the QEMU guest agent in each of them tells."""


def vm_id(number: int) -> str:
    return str(uuid.uuid5(_NAMESPACE, str(number)))


def create_params(number: int, disk_folder: Path, bridge: str = "ovirtmgmt") -> dict[str, object]:
    """Parameters of VM.create for VM `number`; its empty disk files are made when they are not there."""
    disks = []
    for index, target in enumerate(("vda", "vdb")):
        path = disk_folder / f"{number:03}-{target}.raw"
        path.touch()
        disks.append(_DISK.format(path=path, target=target, serial=uuid.uuid5(_NAMESPACE, f"{number}/{index}")))
    cards = [
        _CARD.format(mac=f"56:6f:9a:{index:02x}:{number >> 8:02x}:{number & 255:02x}", bridge=bridge)
        for index in range(2)
    ]
    xml = _XML.format(number=number, id=vm_id(number), disks="\n".join(disks), cards="\n".join(cards))
    return {"vmID": vm_id(number), "vmParams": {"xml": xml}}
