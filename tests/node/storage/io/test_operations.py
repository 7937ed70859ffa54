"""What no real file system shows on demand."""

import errno
import os
from pathlib import Path

import pytest

from ovis.node.storage.io import messages, operations
from ovis.node.storage.io.messages import Request
from ovis.node.storage.io.operations import Operations
from ovis.node.storage.io.paths import Roots


def stale_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As an NFS client that still has what the server has replaced."""
    real, tries = getattr(os, name), iter((True,))

    def call(*arguments: object, **options: object) -> object:
        if next(tries, False):
            raise OSError(errno.ESTALE, "Stale file handle")
        return real(*arguments, **options)

    monkeypatch.setattr(operations.os, name, call)


def test_a_stale_handle_is_looked_at_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"new")
    files = Operations(Roots([os.fsencode(tmp_path)], []))
    stale_once(monkeypatch, "pread")
    assert files.do(Request(messages.READ, os.fsencode(tmp_path / "a"), size=10)) == b"new"


def test_what_must_not_happen_twice_is_not_tried_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Operations(Roots([os.fsencode(tmp_path)], []))
    stale_once(monkeypatch, "fsync")
    with pytest.raises(OSError, match="Stale"):
        files.do(Request(messages.CREATE, os.fsencode(tmp_path / "a"), mode=0o600))
    assert not (tmp_path / "a").exists()


def test_listings_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        (tmp_path / f"{number}").touch()
    files = Operations(Roots([os.fsencode(tmp_path)], []))
    monkeypatch.setattr(messages, "LIMIT", 100)
    for operation in (messages.TREE, messages.NAMES):
        monkeypatch.setattr(messages, "LIMIT", 100 if operation == messages.TREE else 20)
        with pytest.raises(OSError, match="too large"):
            files.do(Request(operation, os.fsencode(tmp_path), offset=1))


def test_folders_that_cannot_be_flushed_are_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    files = Operations(Roots([os.fsencode(tmp_path)], []))
    monkeypatch.setattr(operations.os, "fsync", refuse)
    files.do(Request(messages.MAKE_FOLDER, os.fsencode(tmp_path / "f"), mode=0o755))
    assert (tmp_path / "f").is_dir()
