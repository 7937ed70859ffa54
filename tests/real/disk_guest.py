"""A booted guest with disks whose volumes are files named by their ids, and what a test does to them."""

import base64
import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import libvirt
import libvirt_qemu
from lxml import etree

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node

libvirt.registerErrorHandler(lambda *_: None, None)  # or it prints each of them

DOMAIN = (Path(__file__).parent / "tiny_domain.xml").read_text()
MIB = 1 << 20
POOL = str(uuid.uuid4())
DOMAIN_ID = str(uuid.uuid4())


def image_tool(*arguments: object) -> str:
    return subprocess.run(
        ["qemu-img", *map(str, arguments)], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def until(what: str, true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@dataclass
class Disk:
    """`volumes` from the base to the layer in use."""

    target: str
    folder: Path
    format: str = "qcow2"
    size: int = 32 * MIB
    image_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    volumes: list[str] = field(default_factory=list)

    @property
    def active(self) -> Path:
        return self.folder / self.volumes[-1]

    def prepare(self, *, backing: bool = False, folder: Path | None = None) -> str:
        """A new volume beside the others, not in the chain yet; its id."""
        volume_id = str(uuid.uuid4())
        path = (folder or self.folder) / volume_id
        path.parent.mkdir(parents=True, exist_ok=True)
        if backing:
            image_tool("create", "-q", "-f", "qcow2", "-b", self.volumes[-1], "-F", self.format, path)
        else:
            image_tool("create", "-q", "-f", self.format, path, self.size)
        return volume_id

    def spec(self, volume_id: str | None = None, *, domain_id: str = DOMAIN_ID) -> types.DriveSpecVolume:
        return types.DriveSpecVolume(
            pool_id=POOL, domain_id=domain_id, image_id=self.image_id, volume_id=volume_id or self.volumes[-1]
        )

    def snapshot(self) -> types.SnapshotVolumeDriveInfo:
        """Prepares the new layer; it counts as the active one from now on."""
        before = self.volumes[-1]
        self.volumes.append(self.prepare(backing=True))
        return types.SnapshotVolumeDriveInfo(
            base_volume_id=before, domain_id=DOMAIN_ID, image_id=self.image_id, volume_id=self.volumes[-1]
        )

    def check(self) -> None:
        """Every layer is whole, and the chain can be read from the top."""
        if self.format == "qcow2":
            for volume in self.volumes:
                image_tool("check", "-q", "-U", self.folder / volume)
        chain = json.loads(image_tool("info", "-U", "--backing-chain", "--output=json", self.active))
        assert [Path(layer["filename"]).name for layer in chain] == list(reversed(self.volumes))


@dataclass
class DiskGuest:
    id: str
    host: VirtualHost
    disks: dict[str, Disk]

    @contextmanager
    def domain(self) -> Iterator[libvirt.virDomain]:
        connection = libvirt.open(self.host.libvirt_uri)
        try:
            yield connection.lookupByUUIDString(self.id)
        finally:
            connection.close()

    def agent(self, execute: str, **arguments: object) -> Any:
        command = json.dumps({"execute": execute, "arguments": arguments})
        with self.domain() as domain:
            return json.loads(libvirt_qemu.qemuAgentCommand(domain, command, 20, 0))["return"]

    def shell(self, command: str) -> str:
        pid = self.agent("guest-exec", path="/bin/sh", arg=["-c", f"set -e; {command}"], **{"capture-output": True})[
            "pid"
        ]
        found: dict[str, Any] = {}
        until(command, lambda: found.update(self.agent("guest-exec-status", pid=pid)) or found["exited"])
        output = base64.b64decode(found.get("out-data", "")).decode()
        assert found["exitcode"] == 0, (command, output, base64.b64decode(found.get("err-data", "")))
        return output

    def write(self, target: str, *, at: int, mib: int = 1) -> None:
        """Random data at `at` MiB, on the disk when this returns."""
        self.shell(f"dd if=/dev/urandom of=/dev/{target} bs=1M seek={at} count={mib} conv=fsync,notrunc 2>/dev/null")

    def digest(self, target: str) -> str:
        """Of the whole disk, past the guest's cache."""
        return self.shell(f"echo 3 >/proc/sys/vm/drop_caches; md5sum /dev/{target}").split()[0]

    def chain(self, target: str) -> list[str]:
        """Volume ids from the base to the layer in use, as libvirt has them."""
        with self.domain() as domain:
            root = etree.fromstring(domain.XMLDesc(0))
        part = root.find(f"devices/disk/target[@dev='{target}']").getparent()
        found = []
        while part is not None and (source := part.find("source")) is not None:
            found.append(Path(source.get("file")).name)
            part = part.find("backingStore")
        return list(reversed(found))

    def noted_chain(self, target: str) -> list[str]:
        """The same as the VM's metadata tells it."""
        with self.domain() as domain:
            text = domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "http://ovirt.org/vm/1.0", 0)
        root = etree.fromstring(text)
        nodes = root.findall(f"device[@name='{target}']/volumeChain/volumeChainNode/volumeID")
        return [node.text or "" for node in nodes]


def digest_of(path: Path, image_format: str) -> str:
    """Of what a guest would see."""
    raw = path.with_suffix(".digest")
    image_tool("convert", "-U", "-f", image_format, "-O", "raw", path, raw)
    try:
        return subprocess.run(["md5sum", raw], check=True, capture_output=True, text=True).stdout.split()[0]
    finally:
        raw.unlink()


def boot(
    node: Node, host: VirtualHost, guest: TinyGuest, folder: Path, formats: dict[str, str], *, size: int = 32 * MIB
) -> DiskGuest:
    """A VM with one disk for each entry of `formats`; on return its agent answers.

    The disks are small because the guest, emulated in software, reads all of them to make a digest.
    """
    disks = {}
    for target, image_format in formats.items():
        disk = Disk(target, folder / f"{uuid.uuid4().hex[:8]}-{target}", image_format, size)
        disk.volumes.append(disk.prepare())
        disks[target] = disk
    found = create(node, host, guest, disks)

    def answers() -> bool:
        try:
            found.agent("guest-ping")
        except libvirt.libvirtError:
            return False
        return True

    until("the guest agent answers", answers)
    return found


def create(node: Node, host: VirtualHost, guest: TinyGuest, disks: dict[str, Disk]) -> DiskGuest:
    """A VM with these disks; on return it has begun to start."""
    vm_id = str(uuid.uuid4())
    xml = DOMAIN.format(
        name=f"vm-{vm_id[:8]}",
        uuid=vm_id,
        kernel=guest.kernel,
        initrd=guest.initrd,
        mac="52:54:00:" + ":".join(f"{b:02x}" for b in uuid.UUID(vm_id).bytes[:3]),
        bridge=host.bridge,
    )
    xml = xml.replace("<devices>", f"<devices>{''.join(map(_disk_xml, disks.values()))}")
    groups = "".join(map(_metadata, disks.values()))
    holder = f"<metadata><ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'>{groups}</ovirt-vm:vm></metadata>"
    xml = xml.replace("<memory", f"{holder}<memory", 1)
    node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=xml))
    return DiskGuest(vm_id, host, disks)


def _disk_xml(disk: Disk) -> str:
    return (
        f"<disk type='file' device='disk'><driver name='qemu' type='{disk.format}'/><source file='{disk.active}'/>"
        f"<target dev='{disk.target}' bus='virtio'/><serial>{disk.image_id}</serial></disk>"
    )


def _metadata(disk: Disk) -> str:
    return (
        f"<ovirt-vm:device devtype='disk' name='{disk.target}'><ovirt-vm:poolID>{POOL}</ovirt-vm:poolID>"
        f"<ovirt-vm:domainID>{DOMAIN_ID}</ovirt-vm:domainID><ovirt-vm:imageID>{disk.image_id}</ovirt-vm:imageID>"
        f"<ovirt-vm:volumeID>{disk.volumes[-1]}</ovirt-vm:volumeID></ovirt-vm:device>"
    )
