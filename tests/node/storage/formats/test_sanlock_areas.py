import pytest

from ovis.node.storage.formats.errors import Broken
from ovis.node.storage.formats.sanlock_areas import MIB, Geometry, geometry

TABLE = [(512, 2000, 1), (512, 1, 1), (4096, 250, 1), (4096, 251, 2), (4096, 500, 2), (4096, 1000, 4), (4096, 2000, 8)]


@pytest.mark.parametrize(("block_size", "hosts", "alignment_mib"), TABLE)
def test_the_smallest_alignment_for_so_many_hosts(block_size: int, hosts: int, alignment_mib: int) -> None:
    assert geometry(block_size, hosts) == Geometry(block_size, alignment_mib * MIB)
    assert geometry(block_size, hosts).max_hosts >= hosts


@pytest.mark.parametrize(("block_size", "hosts"), [(512, 2001), (4096, 2001), (1024, 1), (512, 0)])
def test_hosts_that_no_alignment_has_room_for(block_size: int, hosts: int) -> None:
    with pytest.raises(Broken):
        geometry(block_size, hosts)


@pytest.mark.parametrize("pair", [(512, 2 * MIB), (4096, 3 * MIB), (0, MIB), (512, 0)])
def test_pairs_that_sanlock_does_not_know(pair: tuple[int, int]) -> None:
    with pytest.raises(Broken) as refusal:
        Geometry(*pair)
    assert refusal.value.where == "ALIGNMENT"


def test_places_of_leases() -> None:
    usual = Geometry()
    assert usual.sdm_offset == MIB
    assert usual.volume_offset(4) == 104 * MIB
    assert usual.volume_offset(1947) == 2047 * MIB
    assert usual.index_offset == MIB
    assert usual.external_offset(0) == 3 * MIB
    assert usual.external_offset(1020) == 1023 * MIB
    assert usual.external_leases(usual.xleases_bytes) == 1021
    assert usual.host_offset(1) == 0
    assert usual.host_offset(2000) == 1999 * 512


def test_places_with_4k_blocks_and_2000_hosts() -> None:
    large = Geometry(4096, 8 * MIB)
    assert large.leases_bytes == 16384 * MIB
    assert large.volume_offset(1) == 808 * MIB
    assert large.external_offset(1) == 32 * MIB
    assert large.host_offset(2) == 4096


def test_a_place_outside_its_area_is_refused() -> None:
    usual = Geometry()
    with pytest.raises(Broken):
        usual.volume_offset(1948)
    with pytest.raises(Broken):
        usual.volume_offset(-1)
    with pytest.raises(Broken):
        usual.external_offset(1021)
    with pytest.raises(Broken):
        usual.host_offset(0)
    assert usual.volume_offset(1948, leases_bytes=2049 * MIB) == 2048 * MIB
    assert usual.external_leases(MIB) == 0
