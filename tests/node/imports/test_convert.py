import os
from pathlib import Path

import pytest
from archives import qcow2_header

from ovis.node.imports import convert
from ovis.node.imports.errors import BadTarget
from ovis.node.imports.targets import Target

MIB = 1 << 20


def target(path: Path, driver: str = "raw") -> Target:
    return Target("image", "volume", path, driver)


def test_room_is_measured_by_format(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.write_bytes(bytes(MIB))
    convert.check_room(MIB, "disk", target(raw))
    with pytest.raises(BadTarget, match="it has 1048576 bytes"):
        convert.check_room(MIB + 1, "disk", target(raw))
    qcow2 = tmp_path / "qcow2"
    qcow2.write_bytes(qcow2_header(size=8 * MIB))
    convert.check_room(8 * MIB, "disk", target(qcow2, "qcow2"))
    with pytest.raises(BadTarget, match="it has 8388608 bytes"):
        convert.check_room(9 * MIB, "disk", target(qcow2, "qcow2"))


def test_a_volume_of_another_format_or_with_a_parent_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "volume"
    path.write_bytes(bytes(MIB))
    with pytest.raises(BadTarget, match="announced as qcow2"):
        convert.check_room(1, "disk", target(path, "qcow2"))
    path.write_bytes(qcow2_header(backing=104))
    with pytest.raises(BadTarget, match="backing file"):
        convert.check_room(1, "disk", target(path, "qcow2"))


def test_holes_take_no_space(tmp_path: Path) -> None:
    path = tmp_path / "volume"
    path.touch()
    os.truncate(path, 100 * MIB)
    assert convert.used(target(path)) == 0
