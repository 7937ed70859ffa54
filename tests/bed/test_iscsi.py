"""An iSCSI target reached over two portals, and multipath above it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bed.parts import iscsi
from tests.bed.parts.programs import run, until
from tests.bed.parts.volume_group import report, volume_group

pytestmark = pytest.mark.bed(services=["tgt", "iscsi", "multipath"])
SIZE = 512 << 20


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Path]:
    """A LUN with two paths."""
    with iscsi.portals() as addresses, iscsi.target(addresses) as target:
        target.add_unit(1, tmp_path / "unit", SIZE)
        with iscsi.logged_in(target):
            until("both paths are active", lambda: paths().count("active") == 2)
            until("udev has named the device", devices)  # later than multipathd knows it
            (found,) = devices()
            yield found
            until("udev has let go of it", lambda: can_flush(found.name))
    until("its paths are gone", lambda: not paths())


def can_flush(name: str) -> bool:
    """udev may be looking at it."""
    return subprocess.run(["multipath", "-f", name], capture_output=True, timeout=60, check=False).returncode == 0


def devices() -> list[Path]:
    return [path for path in Path("/dev/mapper").iterdir() if path.name.startswith("3")]


def paths() -> list[str]:
    """The state in the device mapper of each path that multipathd knows."""
    rows = [line.split() for line in run("multipathd", "show", "paths", "raw", "format", "%d %t").splitlines()]
    return [row[1] for row in rows if len(row) == 2]


def test_two_paths_are_one_device(device: Path) -> None:
    assert int(run("blockdev", "--getsize64", device)) == SIZE
    with volume_group("bedlun", [device]) as group:
        run("lvcreate", "--yes", "--name", "disk", "--size", "128m", group)
        (row,) = report("pvs", "-o", "pv_name,vg_name")
        assert row == {"pv_name": str(device), "vg_name": group}


def test_the_device_lives_on_with_one_path(device: Path) -> None:
    with iscsi.cut(iscsi.PORTALS[0]):
        file = os.open(device, os.O_WRONLY | os.O_SYNC)
        try:
            os.write(file, b"through the other path".ljust(4096, b"\0"))
        finally:
            os.close(file)
        until("one path has failed", lambda: sorted(paths()) == ["active", "failed"])
    assert device.read_bytes()[:7] == b"through"
    until("both paths are back", lambda: paths() == ["active", "active"])
