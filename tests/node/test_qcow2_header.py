import subprocess
from pathlib import Path

import pytest

from ovis.node import qcow2_header


def test_what_qemu_img_writes(tmp_path: Path) -> None:
    options = ["-f", "qcow2", "-o", "data_file=data,data_file_raw=on", str(tmp_path / "x"), "3M"]
    subprocess.run(["qemu-img", "create", "-q", *options], check=True, cwd=tmp_path)
    found = qcow2_header.parse((tmp_path / "x").read_bytes())
    assert found is not None
    assert (found.version, found.size, found.backing_offset, found.cluster_bits) == (3, 3 << 20, 0, 16)
    assert found.incompatible == qcow2_header.EXTERNAL_DATA_FILE


def test_no_qcow2_and_half_of_one() -> None:
    assert qcow2_header.parse(b"") is None
    assert qcow2_header.parse(bytes(512)) is None
    with pytest.raises(ValueError, match="cut off"):
        qcow2_header.parse(qcow2_header.MAGIC + bytes(60))
