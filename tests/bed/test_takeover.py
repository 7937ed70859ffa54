"""sanlock is killed on the SPM: its watchdog resets that host, and only then another one leads and ends its tasks.

A minute and a half of waiting: the times of sanlock and its watchdog are what is tested. It costs no processor time.
"""

import time
import uuid
from collections.abc import Iterator

import pytest

from deploy.bed.hosts import Hosts
from tests.bed.parts.storage_hosts import POOL, StorageHost, storage_hosts

pytestmark = pytest.mark.timeout(600)
HELD = 651
GIB = 1 << 30


@pytest.fixture(scope="module")
def hosts(beds: Hosts) -> Iterator[tuple[StorageHost, StorageHost, str]]:
    """The SPM, the other one, and the master domain."""
    with storage_hosts(beds) as (leader, other):
        for host in (leader, other):
            host.connect_server()
        master = leader.make_domain()
        leader.make_pool(master)
        for host in (leader, other):
            host.join(master)
        leader.lead()
        yield leader, other, master


def boots(host: StorageHost) -> int:
    return host.bed.console(100_000).count("Linux version")


def test_a_host_without_sanlock_is_reset_before_another_leads(hosts: tuple[StorageHost, StorageHost, str]) -> None:
    leader, other, master = hosts
    image, volume = str(uuid.uuid4()), str(uuid.uuid4())
    ids = {"storagedomainID": master, "imageID": image, "volumeID": volume}
    task = leader.call("Volume.create", storagepoolID=POOL, **ids, size=str(4 * GIB), volFormat=5, preallocate=1)
    leader.bed.shell("pkill -KILL -x sanlock")
    killed = time.monotonic()
    leader.until("it knows that it does not lead", lambda: leader.role() == "Free")
    assert leader.call("Host.getAllTasks") == {}
    while (outcome := other.ended(other.start_spm()))[0] != "success":
        assert outcome[1] == HELD
        assert time.monotonic() - killed < 300
        time.sleep(1)
    print(f"another host leads after {time.monotonic() - killed:.0f} s")
    assert boots(leader) > 1 or not leader.bed.is_up, "its watchdog had not fired"
    assert other.spm()["spmId"] == other.number
    ended = other.until(
        "the task ends", lambda: other.call("Host.getAllTasksStatuses")[task]["taskState"] == "finished"
    )
    assert ended
    assert other.call("Image.getVolumes", storagepoolID=POOL, storagedomainID=master, imageID=image) == []
