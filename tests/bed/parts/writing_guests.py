"""Guests with a thin disk each, on two hosts that share a volume group: they write as quickly as they can."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libvirt

from deploy.bed.hosts import Hosts
from deploy.guest.tiny_guest import TinyGuest
from tests.bed.parts.block_hosts import GIB, MIB, BlockHost, block_hosts, block_pool
from tests.bed.parts.storage_hosts import POOL
from tests.real import guest_shell

DOMAIN = (Path(__file__).parents[2] / "real/tiny_domain.xml").read_text()
DISK = (
    "<disk type='block' device='disk'><driver name='qemu' type='qcow2' cache='none' io='native' error_policy='stop'/>"
    "<source dev='/dev/unknown'/><target dev='vda' bus='virtio'/></disk>"
)
NAMES = {"poolID": "pool", "domainID": "storagedomainID", "imageID": "imageID", "volumeID": "volumeID"}
CONFIG = """thin_step_mib = 256
[vms]
allowed_paths = ["/rhev/data-center", "{guests}"]
sample_seconds = 2
"""
HYPERVISOR = 'uri = "qemu:///system"\nacceleration = "tcg"'
WRITE = "dd if=/dev/zero of=/dev/vda bs=1M count={mib} oflag=direct 2>/dev/null; touch /run/written"
BOOT_SECONDS = 600.0
"""An emulated guest in a bed on a machine that does much else."""
WAITED = re.compile(r"room ([\d.]+) s after the threshold was passed")


class Guest:
    """On a host, with one thin disk."""

    def __init__(self, host: BlockHost, ids: dict[str, str], guest: TinyGuest) -> None:
        self.host, self.ids, self.id = host, ids, str(uuid.uuid4())
        xml = description(self.id, {**ids, "pool": POOL}, guest)
        host.call("VM.create", vmID=self.id, vmParams={"xml": xml})

    def answers(self) -> bool:
        return bool(self.asked(guest_shell.is_there))

    def begin_writing(self, mib: int) -> None:
        self.asked(lambda domain: guest_shell.start(domain, WRITE.format(mib=mib)))

    def has_written(self) -> bool:
        return "yes" in self.asked(lambda domain: guest_shell.run(domain, "test -e /run/written && echo yes"))

    def asked(self, what: Callable[[libvirt.virDomain], Any]) -> Any:
        """Empty while libvirt or the guest does not answer."""
        with self.host.libvirt() as connection:
            try:
                return what(connection.lookupByUUIDString(self.id))
            except libvirt.libvirtError:
                return ""

    def pauses(self) -> int:
        """How often the log tells that it was paused."""
        return int(self.host.bed.run(["grep", "-c", f"VM {self.id}.*-> Paused", "/var/log/ovisd.log"], check=False).out)

    def waits(self) -> list[float]:
        """Seconds from each passed threshold to the bigger volume."""
        told = self.host.bed.run(["grep", self.id, "/var/log/ovisd.log"], check=False).out
        return [float(seconds) for seconds in WAITED.findall(told)]


def description(vm_id: str, ids: dict[str, str], guest: TinyGuest) -> str:
    text = DOMAIN.format(
        name=f"vm-{vm_id[:8]}", uuid=vm_id, kernel=guest.kernel, initrd=guest.initrd, mac="", bridge=""
    )
    text = re.sub(r"<interface.*</interface>", DISK, text, flags=re.DOTALL)
    named = "".join(f"<ovirt-vm:{name}>{ids[key]}</ovirt-vm:{name}>" for name, key in NAMES.items())
    device = f"<ovirt-vm:device devtype='disk' name='vda'>{named}</ovirt-vm:device>"
    holder = f"<metadata><ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'>{device}</ovirt-vm:vm></metadata>"
    return text.replace("<memory", f"{holder}<memory", 1)


@contextmanager
def writing_guests(beds: Hosts, image: TinyGuest) -> Iterator[list[Guest]]:
    """One on the SPM's host, one on the other."""
    config = CONFIG.format(guests=image.kernel.parent)
    with block_hosts(beds, size=60 * GIB, more=config, hypervisor=HYPERVISOR, memory_mib=1300) as hosts:
        domain = block_pool(hosts)
        disks = [hosts[0].create_thin(domain, 16 * GIB, initialSize=str(256 * MIB)) for _ in hosts]
        made = [Guest(host, ids, image) for host, ids in zip(hosts, disks, strict=True)]
        for guest in made:
            guest.host.until("its agent answers", guest.answers, patience=BOOT_SECONDS)
        yield made
