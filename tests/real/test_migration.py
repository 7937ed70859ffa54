"""A guest that counts goes from one host to the other and back, and everything goes wrong on the way."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lxml import etree

from deploy.guest.tiny_guest import TinyGuest
from ovis.client import types
from ovis.wire.errors import RpcError
from tests.real.memory_limit import memory_limit
from tests.real.migration_pair import Pair, domain, domains, kill_libvirtd, pair, until

SLOW = 4  # MiB/s: the guest takes about ten seconds
FAST = types.MigrationParameters(max_bandwidth_mib_per_second=1000)
IN_PROGRESS, NOT_IN_PROGRESS = 51, 81
BUSY = "rm -f /tmp/calm; while [ ! -e /tmp/calm ]; do dd if=/dev/urandom of=/dev/shm/busy bs=1M count=16; done"
CALM = "touch /tmp/calm; killall dd; rm -f /dev/shm/busy"


@pytest.fixture(scope="module")
def hosts(guest_image: TinyGuest, vhost: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("mig"), guest_image) as both:
        yield both
        both.clean()


@pytest.fixture
def guest(hosts: Pair) -> Pair:
    """One guest for all tests; another one where a test has ended it."""
    hosts.revive()
    if not hosts.vm_id or hosts.status() is not types.VmStatus.UP or hosts.has_broken():
        hosts.clean()
        hosts.boot()
    return hosts


def begin_slowly(guest: Pair) -> None:
    """On return its memory flows, and will do so for a while."""
    guest.migrate(max_bandwidth_mib_per_second=SLOW)
    until("memory flows", lambda: (guest.stats().migration_progress_percent or 0) > 0)
    assert guest.status(guest.there) is types.VmStatus.MIGRATION_DESTINATION


def test_a_guest_goes_there_and_back_and_loses_no_count(guest: Pair) -> None:
    for encrypted in (False, True):
        guest.migrate(encrypted=encrypted)
        until("its downtime is known", lambda: isinstance(guest.migration(), types.MigratedStats))
        done = guest.migration()
        assert isinstance(done, types.MigratedStats)
        assert 0 < done.downtime_ms < 10_000
        guest.arrived()
        assert guest.stats().display_info[0].ip_address == guest.hosts[guest.here].address
        guest.assert_counted_on()
        guest.assert_one_copy(guest.here)


def events(guest: Pair) -> list[str]:
    """What the agent in the guest was told of its journeys since the last look."""
    return guest.shell("cat /run/desktop/events; rm -f /run/desktop/events").split()


def test_the_guest_is_told_of_its_journey(guest: Pair) -> None:
    until("its agent talks", lambda: guest.stats().apps_list)
    events(guest)
    guest.migrate(enable_guest_events=True)
    guest.arrived()
    told: list[str] = []
    until("it is told", lambda: told.extend(events(guest)) or len(told) > 1)
    assert told == ["before_migration", "after_migration"]


def test_the_guest_is_told_that_it_stays_by_an_agent_that_was_killed(guest: Pair) -> None:
    until("its agent talks", lambda: guest.stats().apps_list)
    guest.migrate(enable_guest_events=True, max_bandwidth_mib_per_second=SLOW)
    until("memory flows", lambda: (guest.stats().migration_progress_percent or 0) > 0)
    guest.agents[guest.here].kill()
    (qemu,) = guest.hosts[guest.there].processes("qemu-system-x86")
    os.kill(qemu, signal.SIGKILL)
    guest.agents[guest.here].start()
    guest.stayed()
    told: list[str] = []
    until("it is told", lambda: told.extend(events(guest)) or len(told) > 1)
    assert told == ["before_migration", "after_migration-failed"]


def test_a_second_migration_is_refused_and_a_cancelled_one_leaves_the_guest_where_it_was(guest: Pair) -> None:
    begin_slowly(guest)
    with guest.client() as node:
        with pytest.raises(RpcError) as refused:
            node.vm.migrate(guest.vm_id, types.MigrateParams(dst=guest.hosts[guest.there].address))
        assert refused.value.code == IN_PROGRESS
        node.vm.migrate_cancel(guest.vm_id)
        with pytest.raises(RpcError) as over:
            node.vm.migrate_cancel(guest.vm_id)
        assert over.value.code == NOT_IN_PROGRESS
    guest.stayed()
    guest.assert_counted_on()


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_killed_agent_does_not_stop_a_migration(guest: Pair, side: str) -> None:
    begin_slowly(guest)
    agent = guest.agents[guest.here if side == "source" else guest.there]
    agent.kill()
    agent.start()
    assert guest.status() is types.VmStatus.MIGRATION_SOURCE
    speed_up(guest)
    guest.arrived()
    guest.assert_counted_on()
    guest.assert_one_copy(guest.here)


def speed_up(guest: Pair) -> None:
    with guest.client() as node:
        node.vm.migrate_change_params(guest.vm_id, FAST)


def test_a_source_agent_killed_before_libvirt_was_asked_keeps_its_guest(guest: Pair) -> None:
    guest.migrate()
    guest.agents[guest.here].kill()
    guest.agents[guest.here].start()
    until("it is settled", lambda: guest.status() is not types.VmStatus.MIGRATION_SOURCE)
    if guest.status() is types.VmStatus.DOWN:  # libvirt was quicker than the kill
        guest.arrived()
    else:
        guest.stayed()
    guest.assert_counted_on()


def test_a_migration_that_ended_while_the_source_agent_was_dead(guest: Pair) -> None:
    begin_slowly(guest)
    speed_up(guest)
    guest.agents[guest.here].kill()
    until("it runs there", lambda: guest.status(guest.there) is types.VmStatus.UP)
    guest.agents[guest.here].start()
    guest.arrived()
    guest.assert_counted_on()


def test_without_an_answer_of_the_destination_the_source_does_not_decide(guest: Pair) -> None:
    begin_slowly(guest)
    speed_up(guest)
    for agent in guest.agents:
        agent.kill()
    until("libvirt has moved it", lambda: guest.vm_id not in ids(guest, guest.here))
    guest.agents[guest.here].start()
    assert guest.status() is types.VmStatus.MIGRATION_SOURCE
    guest.agents[guest.there].start()
    guest.arrived()
    guest.assert_counted_on()


def ids(guest: Pair, number: int) -> set[str]:
    return set(domains(guest.hosts[number]))


def test_a_destination_without_agent_is_no_destination(guest: Pair) -> None:
    guest.agents[guest.there].kill()
    try:
        guest.migrate()
        until("it is up again", lambda: guest.status() is types.VmStatus.UP)
    finally:
        guest.agents[guest.there].start()
    guest.stayed()
    guest.assert_counted_on()


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_killed_libvirtd_ends_a_migration_and_not_the_guest(guest: Pair, side: str) -> None:
    begin_slowly(guest)
    host = guest.hosts[guest.here if side == "source" else guest.there]
    kill_libvirtd(host)
    host.start_libvirtd()
    guest.stayed()
    guest.assert_counted_on()


def test_a_destination_whose_qemu_dies(guest: Pair) -> None:
    begin_slowly(guest)
    (qemu,) = guest.hosts[guest.there].processes("qemu-system-x86")
    os.kill(qemu, signal.SIGKILL)
    guest.stayed()
    guest.assert_counted_on()


def test_a_destination_that_runs_out_of_memory(guest: Pair) -> None:
    begin_slowly(guest)
    host = guest.hosts[guest.there]
    (qemu,) = host.processes("qemu-system-x86")
    with memory_limit(host, more=2 << 20):
        speed_up(guest)
        until("the kernel ends QEMU there", lambda: qemu not in host.processes("qemu-system-x86"))
        guest.stayed()
    guest.assert_counted_on()


def test_a_destination_that_speaks_nothing_but_stomp(guest: Pair) -> None:
    with stomp_only_door(guest) as address:
        with guest.client() as node:
            node.vm.migrate(guest.vm_id, types.MigrateParams(dst=address))
        guest.arrived()
    guest.assert_counted_on()
    guest.assert_one_copy(guest.here)


@contextmanager
def stomp_only_door(guest: Pair) -> Iterator[str]:
    agent, host = guest.agents[guest.there], guest.hosts[guest.there]
    files = [guest.folder / "pki" / name for name in ("node.pem", "node-key.pem", "ca.pem")]
    program = Path(__file__).with_name("stomp_only_door.py")
    command = [*agent.prefix, sys.executable, program, host.address, "54399", agent.socket, *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as door:
        assert door.stdout is not None
        assert door.stdout.readline() == b"ready\n"
        try:
            yield f"{host.address}:54399"
        finally:
            door.kill()


def test_cpus_and_memory_are_placed_for_the_new_host(guest: Pair) -> None:
    guest.migrate(cpusets=["0"], numa_nodesets=["0"])
    guest.arrived()
    with domain(guest.hosts[guest.here], guest.vm_id) as found:
        assert found.vcpuPinInfo()[0][:2] == (True, False)
        xml = etree.fromstring(found.XMLDesc())
    assert xml.find("numatune/memnode[@cellid='0']").get("nodeset") == "0"
    guest.assert_counted_on()
    guest.migrate(cpusets=["0-1"], numa_nodesets=["0"])
    guest.arrived()


def test_a_cut_network_leaves_the_guest_on_the_source(guest: Pair) -> None:
    begin_slowly(guest)
    with cut(guest):
        until("it is up again", lambda: guest.status() is types.VmStatus.UP)
    guest.stayed()
    guest.assert_counted_on()


@contextmanager
def cut(guest: Pair) -> Iterator[None]:
    """The destination hears and says nothing."""
    host = guest.hosts[guest.there]
    host.exec(["ip", "link", "set", "eth0", "down"])
    try:
        yield
    finally:
        host.exec(["ip", "link", "set", "eth0", "up"])


def test_a_guest_that_never_converges_stays_in_finite_time(guest: Pair) -> None:
    guest.execute(
        "rm -f /tmp/calm; while [ ! -e /tmp/calm ]; do dd if=/dev/urandom of=/dev/shm/busy bs=1M count=16; done"
    )
    schedule = types.ConvergenceSchedule(
        init=[types.ConvergenceAction(name="setDowntime", params=["10"])],
        stalling=[
            types.ConvergenceItem(limit=1, action=types.ConvergenceAction(name="setDowntime", params=["20"])),
            types.ConvergenceItem(limit=-1, action=types.ConvergenceAction(name="abort", params=[])),
        ],
    )
    guest.migrate(max_bandwidth_mib_per_second=16, convergence_schedule=schedule)
    guest.stayed()
    guest.assert_counted_on()


def test_post_copy_moves_a_guest_that_never_converges(guest: Pair) -> None:
    schedule = types.ConvergenceSchedule(
        init=[types.ConvergenceAction(name="setDowntime", params=["10"])],
        stalling=[types.ConvergenceItem(limit=0, action=types.ConvergenceAction(name="postcopy", params=[]))],
    )
    guest.migrate(max_bandwidth_mib_per_second=16, convergence_schedule=schedule)
    guest.arrived()
    guest.execute(CALM)
    guest.assert_counted_on()
    guest.assert_one_copy(guest.here)


def test_the_limit_of_the_destination_is_waited_for(guest: Pair) -> None:
    first = guest.vm_id
    guest.migrate(max_bandwidth_mib_per_second=SLOW, incoming_limit=1)
    until("it arrives", lambda: guest.status(guest.there) is types.VmStatus.MIGRATION_DESTINATION)
    other = types.VmParameters(vm_id=OTHER, xml=SMALL)
    with guest.client() as node:

        def status() -> types.VmStatus | None:
            return guest.status(vm_id=OTHER)

        node.vm.create(OTHER, other)
        until("it runs", lambda: status() is not types.VmStatus.WAIT_FOR_LAUNCH)
        node.vm.migrate(OTHER, types.MigrateParams(dst=guest.hosts[guest.there].address, incoming_limit=1))
        log = guest.agents[guest.here].folder / "ovisd.log"
        until("it is told to wait", lambda: f"VM {OTHER} waits" in Path(log).read_text())
        assert status() is types.VmStatus.MIGRATION_SOURCE
        node.vm.migrate_change_params(first, FAST)
        until("the other one has moved, too", lambda: status() is types.VmStatus.DOWN)
        node.vm.destroy(OTHER)
    guest.arrived()
    with guest.client() as node:
        node.vm.destroy(OTHER)


OTHER = "0b5e77ed-0000-4000-8000-0000000000aa"
SMALL = f"""<domain type='qemu'><name>small</name><uuid>{OTHER}</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"""


def prepared_files(guest: Pair) -> str:
    """The handle of two empty files."""
    files = [guest.folder / "memory", guest.folder / "parameters"]
    for path in files:
        path.touch()
    return ",".join(map(str, files))


def test_a_saved_guest_goes_on_where_it_was(guest: Pair) -> None:
    handle = prepared_files(guest)
    with guest.client() as node:
        node.vm.hibernate(guest.vm_id, handle)
        until("it is saved", lambda: guest.status() is types.VmStatus.DOWN)
        assert guest.stats().exit_reason == 5
        node.vm.destroy(guest.vm_id)
        assert not ids(guest, guest.here)
        node.vm.create(guest.vm_id, types.VmParameters(vm_id=guest.vm_id, hiber_vol_handle=handle))
    until("it is up again", lambda: guest.status() is types.VmStatus.UP)
    guest.assert_counted_on()
    told: list[str] = []
    until("it is told", lambda: told.extend(events(guest)) or len(told) > 1)
    assert told == ["before_hibernation", "after_hibernation"]


def test_an_agent_killed_while_it_saves_loses_nothing(guest: Pair) -> None:
    handle = prepared_files(guest)
    agent = guest.agents[guest.here]
    with guest.client() as node:
        node.vm.hibernate(guest.vm_id, handle)
    agent.kill()
    agent.start()
    until("it is settled", lambda: guest.status() is not types.VmStatus.SAVING_STATE)
    if guest.status() is types.VmStatus.DOWN:
        assert guest.stats().exit_reason == 5
        with guest.client() as node:
            node.vm.destroy(guest.vm_id)
            node.vm.create(guest.vm_id, types.VmParameters(vm_id=guest.vm_id, hiber_vol_handle=handle))
    until("it is up", lambda: guest.status() is types.VmStatus.UP)
    guest.assert_counted_on()


def test_a_libvirtd_killed_while_it_saves_leaves_the_guest_running(guest: Pair) -> None:
    host = guest.hosts[guest.here]
    with guest.client() as node:
        node.vm.hibernate(guest.vm_id, prepared_files(guest))
    kill_libvirtd(host)
    host.start_libvirtd()
    until("it is settled", lambda: guest.status() is not types.VmStatus.SAVING_STATE)
    if guest.status() is types.VmStatus.DOWN:  # it was quicker
        assert guest.stats().exit_reason == 5
    else:
        guest.assert_counted_on()
