"""A guest that counts goes from one host to the other and back, over a real network and with its disk on real NFS."""

import time
from collections.abc import Callable, Iterator
from functools import wraps

import pytest

from deploy.bed.hosts import Hosts
from deploy.guest.tiny_guest import GuestNotBuilt, built
from ovis.client import types
from tests.bed.parts.migrating import MOVING, STORAGE, BedPair, bed_pair
from tests.real.migration_pair import until

pytestmark = pytest.mark.timeout(600)
SLOW = 4  # MiB/s: the guest takes about ten seconds
FAST = types.MigrationParameters(max_bandwidth_mib_per_second=1000)
PATIENCE = 120.0
UP, DOWN, MIGRATING = types.VmStatus.UP, types.VmStatus.DOWN, types.VmStatus.MIGRATION_SOURCE


@pytest.fixture(scope="module")
def hosts(beds: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BedPair]:
    try:
        guest = built()
    except GuestNotBuilt as error:
        pytest.skip(str(error))
    with bed_pair(beds, tmp_path_factory.mktemp("mig"), guest) as both:
        yield both


@pytest.fixture
def guest(hosts: BedPair) -> BedPair:
    """One guest for all tests; another one where a test has ended it."""
    if not hosts.vm_id or hosts.status() is not UP or hosts.has_broken():
        hosts.clean()
        hosts.boot()
    return hosts


def with_another_guest_if_damaged(test: Callable[..., None]) -> Callable[..., None]:
    """Without KVM, QEMU can send a page in the moment between the note that it changes and the change itself; when the
    machine is busy a guest's kernel finds that now and then. Twice is allowed; whatever else goes wrong counts."""

    @wraps(test)
    def tried(guest: BedPair, **arguments: object) -> None:
        for _ in range(2):
            try:
                return test(guest=guest, **arguments)
            except AssertionError:
                if not guest.has_broken():
                    raise
            guest.clean()
            guest.boot()
        return test(guest=guest, **arguments)

    return tried


@pytest.mark.parametrize("encrypted", [False, True])
@with_another_guest_if_damaged
def test_a_guest_goes_there_and_back_and_loses_no_count(guest: BedPair, encrypted: bool) -> None:
    for _ in range(2):
        guest.migrate(encrypted=encrypted)
        until("its downtime is known", lambda: isinstance(guest.migration(), types.MigratedStats), PATIENCE)
        guest.arrived()
        guest.assert_counted_on()
        guest.assert_one_copy(guest.here)


@pytest.mark.parametrize(
    ("side", "networks"),
    [("source", [MOVING]), ("destination", [MOVING]), ("source", [MOVING, STORAGE])],
    ids=["source", "destination", "source and its storage"],
)
@with_another_guest_if_damaged
def test_a_host_cut_off_while_memory_flows_leaves_the_guest_where_it_was(
    guest: BedPair, side: str, networks: list[str]
) -> None:
    begin_slowly(guest)
    with guest.cut(guest.here if side == "source" else guest.there, *networks):
        until("the destination has given it up", lambda: guest.status(guest.there) in (None, DOWN), PATIENCE)
        if STORAGE in networks:
            assert guest.status() in (MIGRATING, UP)  # libvirt hangs in its storage, the agent does not
        else:
            until("it is up again", lambda: guest.status() is UP, PATIENCE)
    guest.stayed()
    guest.assert_counted_on()


@pytest.mark.parametrize("seconds", [0.0, 0.2])
@with_another_guest_if_damaged
def test_a_host_cut_off_at_the_switch_over_leaves_one_running_copy(guest: BedPair, seconds: float) -> None:
    begin_slowly(guest)
    with guest.client() as node:
        node.vm.migrate_change_params(guest.vm_id, FAST)
    guest.until_it_stands_still()
    time.sleep(seconds)
    with guest.cut(guest.there, MOVING):
        until("the destination knows", lambda: guest.status(guest.there) in (UP, None, DOWN), PATIENCE)
    settle(guest)
    guest.assert_counted_on()


def begin_slowly(guest: BedPair) -> None:
    """On return its memory flows, and will do so for a while."""
    guest.migrate(max_bandwidth_mib_per_second=SLOW)
    until("memory flows", lambda: (guest.stats().migration_progress_percent or 0) > 0, PATIENCE)


def settle(guest: BedPair) -> None:
    """Wait until both sides agree where it is, and hold them to it."""
    until("it is settled", lambda: guest.status() is not MIGRATING, PATIENCE)
    if guest.status() is UP:
        guest.stayed()
    else:
        guest.arrived()
        guest.assert_one_copy(guest.here)
