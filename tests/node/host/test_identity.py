import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from ovis.node.host.identity import IdentityNotKept, host_id
from ovis.node.host.kernel_files import KernelFiles

Tree = Callable[[str], KernelFiles]
FIRMWARE = "4c4c4544-0042-3510-8053-b4c04f4a3232"


def test_what_is_configured_wins(tree: Tree, tmp_path: Path) -> None:
    file = tmp_path / "node.id"
    assert host_id("mine", file, tree("two-sockets")) == "mine"
    assert not file.exists()


def test_the_firmware_is_asked_once(tree: Tree, tmp_path: Path) -> None:
    file = tmp_path / "etc" / "node.id"
    assert host_id("", file, tree("two-sockets")) == FIRMWARE
    # A later start without the right to read the firmware tables changes nothing.
    assert host_id("", file, tree("bare")) == FIRMWARE


def test_without_firmware_an_identity_is_made_and_kept(tree: Tree, tmp_path: Path) -> None:
    first = host_id("", tmp_path / "node.id", tree("bare"))
    assert str(uuid.UUID(first)) == first
    assert host_id("", tmp_path / "node.id", KernelFiles(tmp_path)) == first
    assert [p.name for p in tmp_path.glob("*node.id*")] == ["node.id"]


def test_a_uuid_that_many_boards_share_is_not_taken(tree: Tree, tmp_path: Path) -> None:
    files = tree("two-sockets")
    shared = "03000200-0400-0500-0006-000700080009"
    (files.root / "sys/class/dmi/id/product_uuid").write_text(shared)
    assert host_id("", tmp_path / "node.id", files) != shared


def test_an_empty_file_is_written_anew(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "node.id").write_text("\n")
    assert host_id("", tmp_path / "node.id", tree("two-sockets")) == FIRMWARE
    assert (tmp_path / "node.id").read_text() == FIRMWARE + "\n"


def test_an_identity_that_cannot_be_kept_is_an_error(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IdentityNotKept, match="cannot be kept in"):
        host_id("", tmp_path / "file" / "node.id", tree("two-sockets"))
