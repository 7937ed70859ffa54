"""Hook scripts as administrators have them around a real guest."""

import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.client.types import HotplugNicParams, VmStatus
from ovis.node.hooks.catalogue import Catalogue
from ovis.node.hooks.scripts import Scripts
from ovis.wire.errors import RpcError
from tests.real.agent_process import AgentProcess, agent_process

DOMAIN = """\
<domain type='qemu'>
  <name>hooked-{id}</name>
  <uuid>{id}</uuid>
  <metadata><ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'>
    <ovirt-vm:custom>{custom}</ovirt-vm:custom></ovirt-vm:vm></metadata>
  <memory unit='MiB'>128</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>console=ttyS0 quiet</cmdline></os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <controller type='pci' model='pcie-root'/><controller type='pci' model='pcie-root-port'/>
    <controller type='pci' model='pcie-root-port'/><controller type='pci' model='pcie-root-port'/>
    <serial type='pty'/>
    <graphics type='vnc' passwd='unknown'><listen type='address' address='127.0.0.1'/></graphics>
  </devices>
</domain>"""

ASSET = """\
import os
import hooking

domxml = hooking.read_domxml()
if "asset" in os.environ:
    sysinfo = domxml.createElement("sysinfo")
    sysinfo.setAttribute("type", "smbios")
    chassis = domxml.createElement("chassis")
    entry = domxml.createElement("entry")
    entry.setAttribute("name", "asset")
    entry.appendChild(domxml.createTextNode(os.environ["asset"]))
    chassis.appendChild(entry)
    sysinfo.appendChild(chassis)
    domain = domxml.getElementsByTagName("domain")[0]
    domain.appendChild(sysinfo)
    domain.setAttribute("xmlns:qemu", "http://libvirt.org/schemas/domain/qemu/1.0")
    line = domxml.createElement("qemu:commandline")
    for word in ("-fw_cfg", "name=opt/hook,string=here"):
        argument = domxml.createElement("qemu:arg")
        argument.setAttribute("value", word)
        line.appendChild(argument)
    domain.appendChild(line)
    hooking.write_domxml(domxml)
"""


@dataclass
class Hooked:
    folder: Path
    agent: AgentProcess
    guest: TinyGuest
    host: VirtualHost

    def put(self, point: str, text: str, name: str = "50_test") -> Path:
        path = self.folder / "hooks" / point / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def record(self, *points: str) -> None:
        for point in points:
            self.put(point, f"#!/bin/sh\necho {point} >> {self.folder}/ran\n", "90_record")

    @property
    def ran(self) -> list[str]:
        path = self.folder / "ran"
        return path.read_text().split() if path.exists() else []

    def begin(self, node: Node, **custom: str) -> str:
        vm_id = str(uuid.uuid4())
        members = "".join(f"<ovirt-vm:{name}>{value}</ovirt-vm:{name}>" for name, value in custom.items())
        xml = DOMAIN.format(id=vm_id, kernel=self.guest.kernel, initrd=self.guest.initrd, custom=members)
        node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=xml))
        return vm_id

    def create(self, node: Node, **custom: str) -> str:
        vm_id = self.begin(node, **custom)
        wait(lambda: node.vm.get_stats(vm_id)[0].status is not VmStatus.WAIT_FOR_LAUNCH)
        return vm_id

    def live(self, vm_id: str) -> etree._Element:
        connection = libvirt.open(self.host.libvirt_uri)
        try:
            return etree.fromstring(connection.lookupByUUIDString(vm_id).XMLDesc(0))
        finally:
            connection.close()


@pytest.fixture(scope="module")
def hooked(vhost: VirtualHost, guest_image: TinyGuest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooked]:
    folder = tmp_path_factory.mktemp("hooks")
    with agent_process(folder, vhost, guest_image) as agent:
        with agent.configuration.open("a") as settings:
            settings.write(
                f'[hooks]\nfolder = "{folder}/hooks"\nlaunch_folder = "{folder}/launch"\nseconds = 6\n'
                "statistics_seconds = 0.1\n"
            )  # fmt: skip
        yield Hooked(folder, agent, guest_image, vhost)


def wait(is_so, *, seconds: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.05)


def test_scripts_around_the_life_of_a_guest(hooked: Hooked) -> None:
    hooked.put("before_vm_start", f"#!{sys.executable}\n{ASSET}")
    life = ["vm_start", "vm_pause", "vm_cont", "vm_set_ticket", "nic_hotplug", "vm_destroy"]
    hooked.record(*(f"{when}_{what}" for what in life for when in ("before", "after")))
    hooked.record("before_vdsm_start", "after_vdsm_stop")
    hooked.put("after_get_vm_stats", f"#!{sys.executable}\nimport hooking\nd = hooking.read_json()\nd[0]['clientIp'] = '192.0.2.7'\nhooking.write_json(d)\n")  # fmt: skip  # noqa: E501
    hooked.agent.start()
    with hooked.agent.client() as node:
        assert "before_vm_start" in node.host.get_capabilities().hooks
        vm_id = hooked.create(node, asset="rack 7")
        wait(lambda: "after_vm_start" in hooked.ran)
        live = hooked.live(vm_id)
        assert live.findtext("sysinfo/chassis/entry") == "rack 7"
        assert "opt/hook" in etree.tostring(live, encoding="unicode")
        node.vm.pause(vm_id)
        node.vm.cont(vm_id)
        node.vm.set_ticket(vm_id, "secret", 60, types.VmTicketConflictAction.KEEP)
        nic = f"<interface type='bridge'><mac address='52:54:00:00:00:77'/><source bridge='{hooked.host.bridge}'/><model type='virtio'/></interface>"  # noqa: E501
        node.vm.hotplug_nic(vm_id, HotplugNicParams(xml=nic))
        wait(lambda: node.vm.get_stats(vm_id)[0].client_ip == "192.0.2.7")
        node.vm.destroy(vm_id)
    hooked.agent.stop()
    assert hooked.ran == [
        "before_vdsm_start", *(f"{when}_{what}" for what in life for when in ("before", "after")), "after_vdsm_stop",
    ]  # fmt: skip


def test_hooks_of_the_catalogue_on_a_real_libvirt(hooked: Hooked) -> None:
    """As many as one VM can have; their results are looked at in tests/hooks."""
    folder = hooked.folder
    for name in ("more", "floppy"):
        (folder / name).write_bytes(bytes(1440 << 10))
    properties = {
        "smbios": '{"chassis": {"asset": "rack 8"}}',
        "pincpu": "0",
        "cpuflags": "-vmx",
        "vmdisk": f"{folder}/more",
        "floppy": f"{folder}/floppy",
        "scratchpad": f"1M,{folder}/scratch",
        "enable_diskunmap": "true",
        "log_console": f"{folder}/console.log",
        "log_firmware": f"{folder}/firmware.log",
        "qemu_cmdline": '["-fw_cfg", "name=opt/hook,string=here"]',
    }
    names = [
        "diskunmap",
        "qemucmdline",
        *(name for name in properties if name not in ("enable_diskunmap", "qemu_cmdline")),
    ]
    scripts = Scripts(folder / "hooks")
    for name in names:
        Catalogue().enable(scripts, name)
    hooked.agent.start()
    with hooked.agent.client() as node:
        vm_id = hooked.create(node, **properties)
        assert node.vm.get_stats(vm_id)[0].status is not VmStatus.DOWN, node.vm.get_stats(vm_id)[0]
        live = hooked.live(vm_id)
        assert (folder / f"scratch.{vm_id}").exists()
        assert len(live.findall("devices/disk")) == 3
        wait(lambda: "SeaBIOS" in (folder / "firmware.log").read_text())
        node.vm.destroy(vm_id)
        assert not (folder / f"scratch.{vm_id}").exists()
    hooked.agent.stop()
    for name in names:
        Catalogue().disable(scripts, name)


def test_scripts_that_hang_or_refuse_harm_only_their_vm(hooked: Hooked) -> None:
    hooked.agent.start()
    with hooked.agent.client() as node:
        script = hooked.put("before_vm_start", f"#!/bin/sh\ntouch {hooked.folder}/hangs\nsleep 1000\n", "10_bad")
        vm_id = hooked.begin(node)
        wait((hooked.folder / "hangs").exists)
        script.unlink()
        other = hooked.create(node)
        hooked.put("before_vm_pause", "#!/bin/sh\nexec cat /dev/zero\n", "10_bad")
        with pytest.raises(RpcError, match="16777216 bytes"):
            node.vm.pause(other)
        assert node.vm.get_stats(other)[0].status is not VmStatus.PAUSED
        node.vm.destroy(other)
        wait(lambda: node.vm.get_stats(vm_id)[0].status is VmStatus.DOWN)
        stats = node.vm.get_stats(vm_id)[0]
        assert "had not ended" in stats.exit_message
        node.vm.destroy(vm_id)
    hooked.agent.stop()
