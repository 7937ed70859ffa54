"""Two hosts and one pool: agents, sanlock and NFS as they are, on a network that can be cut."""

from collections.abc import Iterator

import pytest

from deploy.bed.hosts import Hosts
from tests.bed.parts.storage_hosts import CUT, POOL, StorageHost, storage_hosts

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def hosts(beds: Hosts) -> Iterator[list[StorageHost]]:
    """In the pool, none of them SPM."""
    with storage_hosts(beds) as both:
        for host in both:
            host.connect_server()
        master = both[0].make_domain()
        where = {"masterSdUUID": master, "masterVersion": 1, "domainList": [master]}
        both[0].call("StoragePool.create", storagepoolID=POOL, name="shared", **where)
        for host in both:
            host.join(master)
        yield both


def one_is_spm(hosts: list[StorageHost]) -> tuple[StorageHost, StorageHost]:
    """The SPM and the other; one of them becomes it."""
    roles = [host.role() for host in hosts]
    if "SPM" not in roles:
        assert hosts[0].ended(hosts[0].start_spm())[0] == "success"
        roles = [host.role() for host in hosts]
    assert sorted(roles) == ["Free", "SPM"]
    leader = roles.index("SPM")
    return hosts[leader], hosts[1 - leader]


def test_of_two_that_ask_one_becomes_spm_and_the_other_is_told_who(hosts: list[StorageHost]) -> None:
    tasks = [host.start_spm() for host in hosts]
    outcomes = [host.ended(task) for host, task in zip(hosts, tasks, strict=True)]
    assert sorted(result for result, _, _ in outcomes) == ["cleanSuccess", "success"], outcomes
    leader, other = one_is_spm(hosts)
    lost = outcomes[hosts.index(other)]
    assert lost[1] == 651
    assert f"host {leader.number}" in lost[2]
    for host in hosts:
        assert host.spm()["spmId"] == leader.number


def test_killed_agent_gives_the_role_up_and_comes_back_as_a_member(hosts: list[StorageHost]) -> None:
    leader, other = one_is_spm(hosts)
    leader.kill()
    other.until("it becomes SPM", lambda: other.ended(other.start_spm())[0] == "success")
    leader.start()
    assert leader.until("it is in the pool again", leader.role) == "Free"
    assert leader.spm()["spmId"] == other.number


def test_host_that_loses_storage_is_spm_no_more_and_returns(hosts: list[StorageHost]) -> None:
    leader, other = one_is_spm(hosts)
    leader.bed.unplug(CUT)
    try:
        other.until("it becomes SPM", lambda: other.ended(other.start_spm())[0] == "success")
        assert leader.call("Host.getAllTasks", seconds=20) == {}
    finally:
        leader.bed.plug(CUT)
    assert leader.until("it sees the pool again", leader.role) == "Free"
    assert leader.spm()["spmId"] == other.number
    other.call("StoragePool.spmStop", storagepoolID=POOL)
    leader.until("it becomes SPM again", lambda: leader.ended(leader.start_spm())[0] == "success")
    assert one_is_spm(hosts) == (leader, other)
