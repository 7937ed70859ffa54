import asyncio
from pathlib import Path, PurePosixPath

import pytest
from volume_station import FILE, MIB, qemu_img, qemu_io, volume_id

from ovis.node.storage.formats.identifiers import VolumeId
from ovis.node.storage.volumes import transient
from ovis.node.storage.volumes.errors import BadVolumeParameter, TransientExists
from ovis.node.storage.volumes.qemu_img import Disk

VM = "66666666-0000-4000-8000-000000000001"


def make(folder: Path, below: Path) -> Path:
    disk = Disk(PurePosixPath(below), "raw")
    return Path(asyncio.run(transient.make(folder / "t", FILE, volume_id(1), VM, below=disk, capacity=MIB)))


def test_what_is_written_does_not_reach_the_volume(tmp_path: Path) -> None:
    below = tmp_path / "below"
    qemu_img("create", "-q", "-f", "raw", str(below), str(MIB))
    layer = make(tmp_path, below)
    qemu_io(layer, "qcow2", "write -P 1 0 64k", "read -P 0 64k 64k")
    qemu_io(below, "raw", "read -P 0 0 1M")
    with pytest.raises(TransientExists):
        make(tmp_path, below)
    assert transient.left_behind(tmp_path / "t", frozenset([VM])) == []
    assert transient.left_behind(tmp_path / "t", frozenset()) == [layer]
    transient.remove(tmp_path / "t", FILE, volume_id(1), VM)
    transient.remove(tmp_path / "t", FILE, volume_id(1), VM)
    assert not layer.exists()


def test_ids_are_no_paths(tmp_path: Path) -> None:
    with pytest.raises(BadVolumeParameter):
        transient.path_of(tmp_path, FILE, VolumeId("../../etc/x"), VM)
