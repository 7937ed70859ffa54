"""The walk itself, without a process around it."""

import errno
import os
import threading
from pathlib import Path

import pytest

from ovis.node.storage.io.paths import Roots


def test_a_folder_that_turns_into_a_link_while_we_walk_leads_nowhere(tmp_path: Path) -> None:
    """Somebody swaps a folder and a link to a secret all the time; what is read is ours or refused."""
    root, secret = tmp_path / "root", tmp_path / "secret"
    for folder in (root / "a", secret):
        folder.mkdir(parents=True)
        (folder / "file").write_text("ours" if folder != secret else "secret")
    (root / "link").symlink_to(secret)
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            for source, target in (("a", "kept"), ("link", "a"), ("a", "link"), ("kept", "a")):
                os.rename(root / source, root / target)

    swapping = threading.Thread(target=swap)
    swapping.start()
    seen: set[bytes] = set()
    refusals: set[int | None] = set()
    try:
        for _ in range(3000):
            try:
                descriptor = Roots([os.fsencode(root)], []).open(os.fsencode(root / "a" / "file"), os.O_RDONLY)
            except OSError as error:
                refusals.add(error.errno)
                continue
            seen.add(os.read(descriptor, 10))
            os.close(descriptor)
    finally:
        is_over.set()
        swapping.join()
    assert seen <= {b"ours"}
    assert refusals <= {errno.ENOENT, errno.ELOOP, errno.ENOTDIR}


def test_nothing_stays_open_after_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    before = os.listdir("/proc/self/fd")
    roots = Roots([os.fsencode(tmp_path)], [])
    for path in ("link/passwd", "missing/file", "../x", "link"):
        with pytest.raises(OSError, match=r"cross-device|No such|symbolic"):
            roots.open(os.fsencode(tmp_path / path), os.O_RDONLY)
    assert os.listdir("/proc/self/fd") == before


def test_the_longest_root_counts(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").touch()
    (tmp_path / "inner").rename(tmp_path / "real")
    (tmp_path / "inner").symlink_to(tmp_path / "real")
    # a root is trusted, links in it too
    roots = Roots([os.fsencode(tmp_path), os.fsencode(tmp_path / "inner")], [])
    os.close(roots.open(os.fsencode(tmp_path / "inner" / "file"), os.O_RDONLY))
