"""Two agents, two sanlock daemons, one file domain: the role of the SPM, leases of VMs, and agents that are killed."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig import sanlock
from ovis.client import types
from ovis.client.node import Node
from ovis.wire.errors import RpcError
from tests.real.migration_pair import Pair, pair, runs, until

SEEN_AS = Path("/run/sanlock")
POOL, DOMAIN = str(uuid.uuid4()), str(uuid.uuid4())
BOOT_SECONDS = 100.0
UP, DOWN = types.VmStatus.UP, types.VmStatus.DOWN
HOTPLUG_LEASE_FAILED = 86
LEASE = """<lease><key>{lease}</key><lockspace>{domain}</lockspace>
<target offset="LEASE-OFFSET:{lease}:{domain}" path="LEASE-PATH:{lease}:{domain}"/></lease>"""
STORAGE = """
[storage]
root = "{folder}/root"
run_folder = "{folder}/links"
user = 0
group = 0
sanlock_folder = "{seen_as}"
sanlock_io_seconds = 1
retry_seconds = 1
check_seconds = 1
"""


class Sharing(Pair):
    """Both agents have the same storage."""

    def description(self, vm_id: str, console: Path) -> str:
        text = super().description(vm_id, console)
        return text.replace("<memballoon", LEASE.format(lease=vm_id, domain=DOMAIN) + "<memballoon")

    def plain_description(self, vm_id: str) -> str:
        return super().description(vm_id, self.new_console(f"{vm_id}.log"))

    def make_storage(self) -> None:
        (self.folder / "root/mnt/nas:_export").mkdir(parents=True)
        with self.client(0) as node:
            node.storage_domain.create(
                DOMAIN,
                types.StorageDomainTypeId.NFS,
                "nas:/export",
                "first",
                types.StorageDomainClassId.DATA,
                version=5,
            )
            node.storage_pool.create(POOL, "first", DOMAIN, 1, [DOMAIN])
        for number in (0, 1):
            self.connect(number)
        with self.client(0) as node:
            self.become_spm(node)

    def connect(self, number: int) -> None:
        with self.client(number) as node:
            node.storage_pool.connect(POOL, number + 1, DOMAIN, 1)
            until("the host id is held", lambda: holds_host_id(node))

    def become_spm(self, node: Node) -> types.TaskResult:
        status = node.storage_pool.get_spm_status(POOL)
        return self.result(node, node.storage_pool.spm_start(POOL, status.spm_id, status.spm_lver))

    def result(self, node: Node, task: str) -> types.TaskResult:
        ended = (types.TaskState.FINISHED,)
        until("the task has ended", lambda: node.task.get_status(task).task_state in ended)
        result = node.task.get_status(task).task_result
        node.task.clear(task)
        return result

    def lease(self, vm_id: str) -> types.Lease:
        return types.Lease(lease_id=vm_id, sd_id=DOMAIN)

    def make_lease(self, vm_id: str) -> None:
        with self.client(0) as node:
            assert self.result(node, node.lease.create(self.lease(vm_id))) is types.TaskResult.SUCCESS

    def owners(self, vm_id: str) -> int:
        with self.client(1) as node:
            return node.lease.status(self.lease(vm_id)).owners


def holds_host_id(node: Node) -> bool:
    vitals = node.host.get_storage_repo_stats([DOMAIN]).get(DOMAIN)
    return vitals is not None and bool(vitals.acquired)


@pytest.fixture(scope="module")
def hosts(guest_image: TinyGuest, vhost: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sharing]:
    if reason := sanlock.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("sharing")
    storage = STORAGE.format(folder=folder, seen_as=SEEN_AS)
    with ExitStack() as stack:
        both = stack.enter_context(pair(folder, guest_image, vms=storage, kind=Sharing, lock_manager="sanlock"))
        assert isinstance(both, Sharing)
        for host in both.hosts:
            place, inside = host.run_dir / "sanlock", host.command([])
            stack.enter_context(sanlock.sanlock(place, host.name, within=inside, seen_as=SEEN_AS))
        both.make_storage()
        yield both
        both.clean()


def test_a_vm_with_a_lease_runs_on_one_host_and_goes_to_the_other(hosts: Sharing) -> None:
    vm_id = str(uuid.uuid4())
    text = hosts.description(vm_id, hosts.folder / f"{vm_id}.log")
    with hosts.client(0) as node, pytest.raises(RpcError, match="has no lease"):
        node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=text))
    hosts.make_lease(vm_id)
    with hosts.client(0) as node:
        node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=text))
    hosts.vm_id, hosts.here = vm_id, 0
    until("the guest is up", lambda: hosts.status() is UP, BOOT_SECONDS)
    assert hosts.owners(vm_id) == 1
    with hosts.client(1) as node:
        node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=text))
        until("the second one is refused", lambda: hosts.status(1) is DOWN)
        assert "lock" in (node.vm.get_stats(vm_id)[0].exit_message or "")
        node.vm.destroy(vm_id)
    hosts.assert_one_copy(0)
    hosts.migrate()
    hosts.arrived()
    hosts.assert_one_copy(1)
    assert hosts.owners(vm_id) == 1
    with hosts.client(1) as node:
        node.vm.destroy(vm_id)
    until("the lease is free", lambda: hosts.owners(vm_id) == 0)


def test_a_lease_that_is_plugged_in_is_held_by_one_vm_until_it_is_plugged_out(hosts: Sharing) -> None:
    lease_id, vms = str(uuid.uuid4()), [str(uuid.uuid4()) for _ in hosts.hosts]
    hosts.make_lease(lease_id)
    device = types.VmLeaseDevice(lease_id=lease_id, sd_id=DOMAIN)
    for number, vm_id in enumerate(vms):
        text = hosts.plain_description(vm_id)
        with hosts.client(number) as node:
            node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=text, launch_paused=True))
            until("it is there", lambda: node.vm.get_stats(vm_id)[0].status is types.VmStatus.PAUSED)  # noqa: B023
    with hosts.client(0) as first, hosts.client(1) as second:
        unknown = types.VmLeaseDevice(lease_id=str(uuid.uuid4()), sd_id=DOMAIN)
        with pytest.raises(RpcError, match="no lease"):
            first.vm.hotplug_lease(vms[0], unknown)
        assert hosts.owners(lease_id) == 0
        first.vm.hotplug_lease(vms[0], device)
        assert hosts.owners(lease_id) == 1
        with pytest.raises(RpcError) as caught:
            second.vm.hotplug_lease(vms[1], device)
        assert caught.value.code == HOTPLUG_LEASE_FAILED
        first.vm.hotunplug_lease(vms[0], device)
        assert hosts.owners(lease_id) == 0
        second.vm.hotplug_lease(vms[1], device)
        assert hosts.owners(lease_id) == 1
        first.vm.destroy(vms[0])
        second.vm.destroy(vms[1])
        until("the lease is free", lambda: hosts.owners(lease_id) == 0)


def test_a_vm_does_not_notice_that_its_agent_was_killed_and_the_spm_s_role_is_free(hosts: Sharing) -> None:
    vm_id = str(uuid.uuid4())
    hosts.make_lease(vm_id)
    text = hosts.description(vm_id, hosts.folder / f"{vm_id}.log")
    hosts.vm_id, hosts.here = vm_id, 0
    with hosts.client(0) as node:
        node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=text))
    until("the guest is up", lambda: hosts.status() is UP, BOOT_SECONDS)
    with hosts.client(1) as node:
        assert hosts.become_spm(node) is not types.TaskResult.SUCCESS, "the other host is SPM"
        assert node.storage_pool.get_spm_status(POOL).spm_id == 1
        hosts.agents[0].kill()
        until("nobody is SPM", lambda: node.storage_pool.get_spm_status(POOL).spm_id == -1)
        assert hosts.become_spm(node) is types.TaskResult.SUCCESS
        assert node.lease.status(hosts.lease(vm_id)).owners == 1
    assert vm_id in runs(hosts.hosts[0])
    hosts.agents[0].start()
    with hosts.client(0) as node:
        until("it has joined again", lambda: holds_host_id(node))
        status = node.storage_pool.get_spm_status(POOL)
        assert (status.spm_id, status.spm_status) == (2, types.SpmRole.FREE)
        assert hosts.status() is UP
        node.vm.destroy(vm_id)
