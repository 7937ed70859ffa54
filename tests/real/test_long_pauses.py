"""A guest whose disk is full stands still, and goes on by itself when there is room again."""

import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import libvirt
import libvirt_qemu
import msgspec

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost, virtual_host
from ovis.client import types
from ovis.client.types import VmStatus
from tests.real.agent_process import agent_process

BOOT = 90.0
DOMAIN = (Path(__file__).parent / "tiny_domain.xml").read_text()
DISK = """<disk type='file'><driver name='qemu' type='raw' cache='none' error_policy='enospace'/><source file='{}'/>
  <target dev='vda' bus='virtio'/></disk>"""
KILL = """<metadata><vm xmlns='http://ovirt.org/vm/1.0'><resumeBehavior>kill</resumeBehavior></vm></metadata>"""
WRITE = "dd if=/dev/zero of=/dev/vda bs=1M count=64 oflag=direct 2>/dev/null; echo done > /run/written"


@contextmanager
def small_file_system(folder: Path) -> Iterator[Path]:
    """32 MiB, in memory. A virtual host that is made afterwards has it too."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", folder], check=True, timeout=20)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True, timeout=20)


def test_a_full_disk_pauses_until_there_is_room(vhost: VirtualHost, guest_image: TinyGuest, tmp_path: Path) -> None:
    with small_file_system(tmp_path / "small") as small, virtual_host("full") as host:
        path = small / "disk"
        with path.open("wb") as file:
            file.truncate(128 << 20)
        vm_id = str(uuid.uuid4())
        xml = DOMAIN.format(
            name="full", uuid=vm_id, kernel=guest_image.kernel, initrd=guest_image.initrd, mac="52:54:00:f0:11:01",
            bridge=host.bridge,
        ).replace("<devices>", "<devices>" + DISK.format(path))  # fmt: skip
        with agent_process(tmp_path, host, guest_image) as agent:
            agent.start()
            with agent.client() as node:

                def stats() -> types.RunningVmStats:
                    (found,) = node.vm.get_stats(vm_id)
                    assert isinstance(found, types.RunningVmStats)
                    return found

                node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=xml))
                wait(lambda: stats().status is VmStatus.UP, seconds=BOOT)
                execute(host, vm_id, WRITE)
                wait(lambda: stats().status is VmStatus.PAUSED)
                assert stats().pause_code == "ENOSPC"
                time.sleep(3)  # nothing has changed, so nothing may change
                assert stats().status is VmStatus.PAUSED
                subprocess.run(["mount", "-o", "remount,size=256m", small], check=True, timeout=20)
                wait(lambda: stats().status is VmStatus.UP)
                wait(lambda: path.stat().st_blocks * 512 >= 64 << 20)
                node.vm.destroy(vm_id)


def test_a_vm_that_is_to_be_killed_ends_after_a_long_pause(
    vhost: VirtualHost, guest_image: TinyGuest, tmp_path: Path
) -> None:
    with small_file_system(tmp_path / "small") as small, virtual_host("kill") as host:
        path = small / "disk"
        with path.open("wb") as file:
            file.truncate(128 << 20)
        vm_id = str(uuid.uuid4())
        xml = DOMAIN.format(
            name="kill", uuid=vm_id, kernel=guest_image.kernel, initrd=guest_image.initrd, mac="52:54:00:f0:11:02",
            bridge=host.bridge,
        ).replace("<devices>", KILL + "<devices>" + DISK.format(path))  # fmt: skip
        with agent_process(tmp_path, host, guest_image) as agent:
            with agent.configuration.open("a") as settings:
                settings.write("paused_seconds = 6\n")
            agent.start()
            with agent.client() as node:
                node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=xml))
                wait(lambda: node.vm.get_stats(vm_id)[0].status is VmStatus.UP, seconds=BOOT)
                execute(host, vm_id, WRITE)
                wait(lambda: node.vm.get_stats(vm_id)[0].status is VmStatus.PAUSED)
            agent.kill()  # the time of the pause counts from its beginning, not from the agent's
            agent.start()
            with agent.client() as node:
                wait(lambda: node.vm.get_stats(vm_id)[0].status is VmStatus.DOWN)
                ended = node.vm.get_stats(vm_id)[0]
                assert isinstance(ended, types.ExitedVmStats)
                assert ended.exit_reason == 14
                node.vm.destroy(vm_id)


def wait(is_so: Callable[[], bool], *, seconds: float = 40.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.1)


def execute(host: VirtualHost, vm_id: str, script: str) -> None:
    """Does not wait for its end."""
    connection = libvirt.open(host.libvirt_uri)
    try:
        command = {"execute": "guest-exec", "arguments": {"path": "sh", "arg": ["-c", script]}}
        domain = connection.lookupByUUIDString(vm_id)
        libvirt_qemu.qemuAgentCommand(domain, msgspec.json.encode(command).decode(), 10, 0)
    finally:
        connection.close()
