"""What this host's kernel knows of a device decides whether LVM has to tell it."""

from pathlib import Path

from ovis.node.storage.pool import extensions


def test_only_a_block_device_has_a_size_that_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(4096))
    assert extensions.seen(str(file)) == 0
    assert extensions.seen(str(tmp_path / "missing")) == 0
    known = [entry for entry in Path("/sys/class/block").iterdir() if (Path("/dev") / entry.name).is_block_device()]
    for entry in known[:1]:
        assert extensions.seen(f"/dev/{entry.name}") == int((entry / "size").read_text()) * 512
