"""The kernel's NFS server and client."""

import fcntl
from pathlib import Path

import pytest

from tests.bed.parts.nfs import export, mounted
from tests.bed.parts.programs import run

pytestmark = pytest.mark.bed(services=["nfs"])


@pytest.mark.parametrize("version", ["3", "4.2"])
def test_what_one_mount_writes_the_other_reads(version: str, tmp_path: Path) -> None:
    with (
        export(Path("/srv/smoke")) as source,
        mounted(source, tmp_path / "a", version=version) as first,
        mounted(source, tmp_path / "b", version="4.2") as second,
    ):
        (first / "file").write_text("seen")
        assert (second / "file").read_text() == "seen"
        (second / "file").unlink()


def test_a_lock_is_had_at_once(tmp_path: Path) -> None:
    with export(Path("/srv/smoke")) as source, mounted(source, tmp_path / "a") as folder:
        with (folder / "locked").open("w") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / "locked").unlink()


def test_an_export_that_is_withdrawn_is_an_error_in_seconds(tmp_path: Path) -> None:
    with export(Path("/srv/smoke")) as source, mounted(source, tmp_path / "a", version="3") as folder:
        run("exportfs", "-u", "*:/srv/smoke")
        with pytest.raises(OSError, match=r"Stale|denied|Permission"):
            (folder / "file").write_text("lost")
        run("exportfs", "-i", "-o", "rw,sync,no_subtree_check,no_root_squash", "*:/srv/smoke")
