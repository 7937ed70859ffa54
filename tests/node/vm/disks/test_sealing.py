"""Sealing with a program of our own in place of virt-sysprep."""

import asyncio
from pathlib import Path

import pytest

from ovis.node.vm.disks import sealing
from ovis.node.vm.disks.errors import Unsupported
from ovis.node.vm.disks.image_header import ImageHeader
from ovis.node.vm.disks.sealing import SealFailed
from ovis.node.vm.disks.volumes import Volume

VOLUMES = [Volume("/d/a", False, ImageHeader("qcow2", 1)), Volume("/d/b", True, ImageHeader("raw", 1))]


def program(folder: Path, body: str) -> str:
    path = folder / "virt-sysprep"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_every_disk_is_named_with_its_format(tmp_path: Path) -> None:
    seal = program(tmp_path, f'echo "$@" > {tmp_path}/arguments')
    asyncio.run(sealing.seal(seal, "vm", VOLUMES))
    assert (tmp_path / "arguments").read_text().split() == [
        "--format",
        "qcow2",
        "-a",
        "/d/a",
        "--format",
        "raw",
        "-a",
        "/d/b",
    ]


def test_failure_is_told_in_the_programs_words(tmp_path: Path) -> None:
    with pytest.raises(SealFailed, match="no operating system"):
        asyncio.run(sealing.seal(program(tmp_path, "echo no operating system >&2; exit 1"), "vm", VOLUMES))


def test_program_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(SealFailed, match="did not end"):
        asyncio.run(sealing.seal(program(tmp_path, "exec sleep 60"), "vm", VOLUMES, seconds=0.2))


def test_host_without_the_program_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match="needs virt-sysprep"):
        asyncio.run(sealing.start(None, None, "vm", "job", []))  # type: ignore[arg-type]  # neither is reached
