"""Thin volumes on a volume group that two hosts share grow by mail: real agents, sanlock, LVM and iSCSI."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from deploy.bed.hosts import Hosts
from tests.bed.parts.block_hosts import GIB, MIB, BlockHost, block_hosts, block_pool, extended, logical

pytestmark = pytest.mark.timeout(600)
SMALL = str(128 * MIB)


@dataclass
class Pair:
    """`disks`: six small thin volumes, each of a disk of its own. `size`: what all of them were extended to last."""

    hosts: list[BlockHost]
    domain: str
    disks: list[dict[str, str]]
    size: int = 0

    def next_size(self) -> int:
        self.size += GIB
        return self.size

    def assert_all_have(self, size: int, disks: list[dict[str, str]]) -> None:
        """On storage, past the agents, and as both of them tell it; each once."""
        found = logical(self.hosts[1].bed, self.domain)
        for ids in disks:
            assert int(found[ids["volumeID"]]["lv_size"]) == size
            assert {host.size(ids) for host in self.hosts} == {size}
        images = [tag for row in found.values() for tag in row["lv_tags"].split(",") if tag.startswith("IU_")]
        assert sorted(images) == sorted(f"IU_{ids['imageID']}" for ids in self.disks)


@pytest.fixture(scope="module")
def pair(beds: Hosts) -> Iterator[Pair]:
    with block_hosts(beds, size=60 * GIB) as hosts:
        domain = block_pool(hosts)
        yield Pair(hosts, domain, [hosts[0].create_thin(domain, 20 * GIB, initialSize=SMALL) for _ in range(6)])


def test_a_host_that_is_not_spm_gets_room_for_its_volume(pair: Pair) -> None:
    one, two = pair.hosts
    size = pair.next_size()
    disks = pair.disks[:1]
    (told,) = extended(two.begin_extending(pair.domain, disks, size)).values()
    assert (told.error, told.seen) == (None, size)
    print(f"extended by mail in {told.seconds:.2f} s")
    pair.assert_all_have(size, disks)
    assert {host.role() for host in (one, two)} == {"SPM", "Free"}


def test_of_two_hosts_that_ask_at_once_for_many_volumes_none_is_lost(pair: Pair) -> None:
    size = pair.next_size()
    jobs = [host.begin_extending(pair.domain, pair.disks, size) for host in pair.hosts]
    for job in jobs:
        told = extended(job)
        assert len(told) == len(pair.disks)
        assert {(one.error, one.seen) for one in told.values()} == {(None, size)}
    pair.assert_all_have(size, pair.disks)


def test_the_next_spm_answers_what_a_killed_one_was_doing(pair: Pair) -> None:
    one, two = pair.hosts
    size = pair.next_size()
    job = two.begin_extending(pair.domain, pair.disks, size)

    def has_begun() -> bool:
        sizes = {int(row["lv_size"]) for row in logical(one.bed, pair.domain).values()}
        return size in sizes

    one.until("the first is extended", has_begun)
    one.kill()
    two.lead()
    told = extended(job)
    assert {(one.error, one.seen) for one in told.values()} == {(None, size)}
    one.start()
    one.until("it is in the pool again", one.role)
    pair.assert_all_have(size, pair.disks)
