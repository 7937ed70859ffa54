"""LVM on loop devices, with udev: what block storage domains stand on."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bed.parts.loop import loop_device
from tests.bed.parts.programs import run
from tests.bed.parts.volume_group import report, volume_group

GIB = 1 << 30


@pytest.fixture
def group(tmp_path: Path) -> Iterator[str]:
    with ExitStack() as stack:
        devices = [stack.enter_context(loop_device(tmp_path, GIB)) for _ in range(2)]
        yield stack.enter_context(volume_group("bedgroup", devices))


def test_a_volume_is_made_grown_and_removed(group: str) -> None:
    run("lvcreate", "--yes", "--name", "disk", "--size", "128m", "--addtag", "IU_x", group)
    run("lvextend", "--size", "+128m", f"{group}/disk")
    (row,) = report("lvs", "-o", "lv_name,lv_size,lv_tags", group)
    assert row == {"lv_name": "disk", "lv_size": str(256 << 20), "lv_tags": "IU_x"}
    assert Path(f"/dev/{group}/disk").is_block_device()
    run("lvremove", "--yes", f"{group}/disk")
    assert not Path(f"/dev/{group}/disk").exists()


def test_a_deactivated_volume_has_no_device(group: str) -> None:
    run("lvcreate", "--yes", "--name", "disk", "--size", "128m", group)
    run("lvchange", "--activate", "n", f"{group}/disk")
    assert not Path(f"/dev/{group}/disk").exists()
    run("lvchange", "--activate", "y", f"{group}/disk")
    Path(f"/dev/{group}/disk").write_bytes(b"seen")


def test_tags_and_metadata_areas_are_those_of_a_domain(group: str) -> None:
    run("vgchange", "--addtag", "RHAT_storage_domain_UNREADY", group)
    (row,) = report("vgs", "-o", "vg_tags,vg_mda_count,vg_extent_size", group)
    assert row == {
        "vg_tags": "RHAT_storage_domain_UNREADY",
        "vg_mda_count": "4",
        "vg_extent_size": str(128 << 20),
    }
