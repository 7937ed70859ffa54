"""The host's own rules on real guests under a shortage that parameters pretend: balloons, CPU and disk limits."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.wire.errors import RpcError
from tests.real.agent_process import agent_process
from tests.real.migration_pair import until

MIB = 1 << 20
BOOT_SECONDS = 200.0
DOMAIN = """\
<domain type='qemu'>
  <name>{name}</name><uuid>{id}</uuid>
  <metadata><ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'>
    <ovirt-vm:minGuaranteedMemoryMb type='int'>96</ovirt-vm:minGuaranteedMemoryMb></ovirt-vm:vm></metadata>
  <memory unit='MiB'>192</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>console=ttyS0 quiet</cmdline></os>
  <cpu mode='maximum'/>
  <devices>
    <disk type='file'><driver name='qemu' type='raw'/><source file='{disk}'/><target dev='vda' bus='virtio'/></disk>
    <serial type='pty'/>
    <memballoon model='virtio'><stats period='1'/></memballoon>
  </devices>
</domain>"""


@dataclass
class Guests:
    node: Node
    ids: list[str]
    connection: libvirt.virConnect

    def balloons(self) -> list[int]:
        """MiB that each has."""
        return [self.node.vm.get_stats(one)[0].balloon_info.balloon_cur // MIB for one in self.ids]  # type: ignore[union-attr]

    def domain(self, number: int) -> libvirt.virDomain:
        return self.connection.lookupByUUIDString(self.ids[number])


@pytest.fixture(scope="module")
def guests(vhost: VirtualHost, guest_image: TinyGuest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    folder = tmp_path_factory.mktemp("policy")
    with agent_process(folder, vhost, guest_image, policy_seconds=0.5) as agent:
        agent.start()
        connection = libvirt.open(vhost.libvirt_uri)
        with agent.client() as node:
            found = Guests(node, [create(node, folder, guest_image) for _ in range(2)], connection)
            try:
                until("the guests tell what they use", lambda: all(map(tells, found.ids, [node] * 2)), BOOT_SECONDS)
                yield found
            finally:
                for one in found.ids:
                    node.vm.destroy(one)
                connection.close()


def create(node: Node, folder: Path, guest: TinyGuest) -> str:
    vm_id = str(uuid.uuid4())
    disk = folder / f"{vm_id}.disk"
    disk.write_bytes(bytes(MIB))
    names = {"id": vm_id, "name": f"policy-{vm_id[:8]}", "disk": disk}
    text = DOMAIN.format(kernel=guest.kernel, initrd=guest.initrd, **names)
    node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=text))
    return vm_id


def tells(vm_id: str, node: Node) -> bool:
    stats = node.vm.get_stats(vm_id)[0]
    return bool(stats.memory_stats and stats.memory_stats.mem_unused)


def test_guests_give_memory_back_and_get_it_again(guests: Guests) -> None:
    assert guests.balloons() == [192, 192]
    guests.node.host.set_mom_policy_parameters({"ksmEnabled": False, "short": 1, "plenty": 1, "balloonEnabled": True})
    until("both have given back", lambda: max(guests.balloons()) < 170)
    assert min(guests.balloons()) >= 96
    guests.node.host.set_mom_policy_parameters({"short": 0, "plenty": 0})
    until("both have it again", lambda: guests.balloons() == [192, 192])
    guests.node.host.set_mom_policy_parameters({"balloonEnabled": False})


def test_cpu_and_disk_limits_of_an_engine(guests: Guests) -> None:
    limit = types.VmDiskDeviceIoTuneParams(total_iops_sec=400)
    tune = types.VmDiskDeviceTuneLimits(name="vda", guaranteed=limit, maximum=limit)
    given = types.UpdateVmPolicyParams(vcpu_limit_percent=50, io_tune=[tune])
    guests.node.vm.update_vm_policy(guests.ids[0], given)

    def limits(number: int) -> tuple[int, int]:
        domain = guests.domain(number)
        return domain.schedulerParameters()["vcpu_quota"], domain.blockIoTune("vda")["total_iops_sec"]

    until("the first is limited", lambda: limits(0)[0] > 0 and limits(0)[1] == 400)
    assert limits(1)[0] <= 0
    assert limits(1)[1] == 0
    guests.node.vm.update_vm_policy(guests.ids[0], types.UpdateVmPolicyParams(vcpu_limit_percent=100))
    until("its CPU is not limited any more", lambda: limits(0)[0] <= 0)


def test_rules_of_an_engine_run_or_are_refused(guests: Guests) -> None:
    with pytest.raises(RpcError, match="line 1, column 1: this \\( is not closed") as caught:
        guests.node.host.set_mom_policy("(with Guests guest")
    assert caught.value.code == 54
    text = '(with Guests guest (guest.Control "vcpu_quota" 70000))'
    outcome = guests.node.policy.what_if(text)
    assert [(one.target, one.control, one.value) for one in outcome.decisions] == [
        (one, "vcpu_quota", 70000) for one in guests.ids
    ]
    guests.node.host.set_mom_policy(text)
    until("they run", lambda: all(guests.domain(n).schedulerParameters()["vcpu_quota"] == 70000 for n in (0, 1)))
    assert guests.node.host.get_stats().mom_status is types.MOMStatus.ACTIVE
    guests.node.host.set_mom_policy("")
    assert guests.node.policy.show().is_default
