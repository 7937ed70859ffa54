"""What a guest's hardware does: a watchdog that nobody feeds, a floppy drive whose medium is changed."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import libvirt
import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.client.types import VmStatus
from tests.real import guest_shell
from tests.real.agent_process import AgentProcess, agent_process
from tests.real.floppy_reader import boot_sector

DOMAIN = (Path(__file__).parent / "tiny_domain.xml").read_text()
WATCHDOG = "<watchdog model='i6300esb' action='{}'/></devices>"
UNLOCK = "devmem $((bar+12)) 16 0x80; devmem $((bar+12)) 16 0x86; "
ARM = (
    "d=$(dirname $(grep -l 0x25ab /sys/bus/pci/devices/*/device)); echo 1 > $d/enable; "
    "bar=$(($(head -1 $d/resource | cut -d' ' -f1))); "
    # both stages of the timer about a second, then the lock register: enabled
    + UNLOCK + "devmem $bar 32 0x300; " + UNLOCK + "devmem $((bar+4)) 32 0x300; "
    + "printf '\\002' | dd of=$d/config bs=1 seek=104 conv=notrunc 2>/dev/null"
)  # fmt: skip
"""Sets the card up as its driver would, which the guest lacks. Source: Intel 6300ESB datasheet, chapter 16."""
FLOPPY = """<domain type='qemu'><name>floppy</name><uuid>{id}</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os><devices>
  <disk type='file'><driver name='qemu' type='raw'/><source file='{disk}'/><target dev='hda' bus='ide'/></disk>
  <disk type='file' device='floppy'><driver name='qemu' type='raw'/><target dev='fda' bus='fdc'/></disk>
  <serial type='file'><source path='{console}'/></serial>
</devices></domain>"""


@pytest.fixture(scope="module")
def agent(
    vhost: VirtualHost, guest_image: TinyGuest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    with agent_process(tmp_path_factory.mktemp("hw"), vhost, guest_image) as process:
        process.start()
        yield process


def wait(what: str, is_so: Callable[[], object], *, seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"not in time: {what}"
        time.sleep(0.1)


@contextmanager
def created(agent: AgentProcess, vm_id: str, xml: str) -> Iterator[Node]:
    with agent.client() as node:
        node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=xml))
        try:
            yield node
        finally:
            node.vm.destroy(vm_id)


@pytest.mark.parametrize(("action", "status"), [("pause", VmStatus.PAUSED), ("poweroff", VmStatus.DOWN)])
def test_a_watchdog_that_is_not_fed_acts_and_is_told(
    agent: AgentProcess, vhost: VirtualHost, guest_image: TinyGuest, action: str, status: VmStatus
) -> None:
    vm_id = str(uuid.uuid4())
    xml = DOMAIN.format(
        name=f"dog-{action}", uuid=vm_id, kernel=guest_image.kernel, initrd=guest_image.initrd,
        mac="52:54:00:d0:60:01", bridge=vhost.bridge,
    ).replace("</devices>", WATCHDOG.format(action))  # fmt: skip
    with created(agent, vm_id, xml) as node:
        wait("it is up", lambda: node.vm.get_stats(vm_id)[0].status is VmStatus.UP)
        connection = libvirt.open(vhost.libvirt_uri)
        try:
            domain = connection.lookupByUUIDString(vm_id)
            guest_shell.start(domain, ARM)
            wait("it has acted", lambda: node.vm.get_stats(vm_id)[0].status is status)
        finally:
            connection.close()
        stats = node.vm.get_stats(vm_id)[0]
        if isinstance(stats, types.RunningVmStats):
            assert stats.watchdog_event is not None
            assert stats.watchdog_event.action is types.WatchdogEventAction.PAUSE


def test_a_floppy_is_read_changed_and_taken_out(agent: AgentProcess) -> None:
    folder, vm_id = agent.folder, str(uuid.uuid4())
    disk, console = folder / "boot.img", folder / "floppy.log"
    disk.write_bytes(boot_sector().ljust(1 << 20, b"\0"))
    console.touch()

    def says(text: bytes) -> Callable[[], bool]:
        begin = console.stat().st_size
        return lambda: text in console.read_bytes()[begin:]

    with created(agent, vm_id, FLOPPY.format(id=vm_id, disk=disk, console=console)) as node:
        wait("it runs and finds nothing", says(b"NONE"))
        files = types.DriveVmPayload(vol_id="OVISDISK", file={"answers.txt": "aGVsbG8="})
        spec = types.DriveSpecPayload(
            device=types.VmDiskDeviceType.FLOPPY, spec_params=types.DrivePayload(vm_payload=files)
        )
        node.vm.change_floppy(vm_id, spec)
        wait("it reads the one made of files", says(b"OVISDISK"))
        other = folder / "other.img"
        other.write_bytes(b"another floppy".ljust(1440 << 10, b"\0"))
        node.vm.change_floppy(vm_id, types.DriveSpecPath(path=str(other)))
        wait("it reads the other one", says(b"another floppy"))
        node.vm.change_floppy(vm_id, types.DriveSpecPath(path=""))
        wait("it finds nothing again", says(b"NONE"))


def test_a_guest_is_asked_to_reboot_and_to_shut_down(
    agent: AgentProcess, vhost: VirtualHost, guest_image: TinyGuest
) -> None:
    vm_id = str(uuid.uuid4())
    xml = DOMAIN.format(
        name="polite", uuid=vm_id, kernel=guest_image.kernel, initrd=guest_image.initrd, mac="52:54:00:d0:60:02",
        bridge=vhost.bridge,
    )  # fmt: skip
    with created(agent, vm_id, xml) as node:
        wait("it is up", lambda: node.vm.get_stats(vm_id)[0].status is VmStatus.UP)
        node.vm.shutdown(vm_id, reboot=True)
        wait("it reboots", lambda: node.vm.get_stats(vm_id)[0].status is not VmStatus.UP)
        wait("it is up again", lambda: node.vm.get_stats(vm_id)[0].status is VmStatus.UP)
        node.vm.shutdown(vm_id)
        wait("it is off", lambda: node.vm.get_stats(vm_id)[0].status is VmStatus.DOWN)
        ended = node.vm.get_stats(vm_id)[0]
        assert isinstance(ended, types.ExitedVmStats)
        assert (ended.exit_code, ended.exit_reason) == (0, 6)
