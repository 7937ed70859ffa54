"""Transient disks: what a VM writes goes into a layer on this host and is gone with it; the volume is only read.

    <folder>/<domain>-<volume>.<vm>      qcow2 on the volume's path

The name tells whose it is, so that what a dead agent left is found.
"""

from __future__ import annotations

import contextlib
from pathlib import Path, PurePosixPath

from ovis.node.storage.formats.identifiers import DomainId, VolumeId, is_identifier
from ovis.node.storage.volumes.errors import BadVolumeParameter, TransientExists
from ovis.node.storage.volumes.qemu_img import QCOW2, Disk, QemuImg

MODE = 0o660


def path_of(folder: Path, domain: DomainId, volume: VolumeId, vm: str) -> Path:
    """Raises BadVolumeParameter for ids that are none: they would be a path."""
    for text in (domain, volume, vm):
        if not is_identifier(text):
            raise BadVolumeParameter(f"transient disk of VM {vm!r}", f"{text!r} is no UUID")
    return folder / f"{domain}-{volume}.{vm}"


async def make(
    folder: Path, domain: DomainId, volume: VolumeId, vm: str, *, below: Disk, capacity: int
) -> PurePosixPath:
    """An empty layer on `below`, which stays prepared as long as the VM lives. Raises TransientExists."""
    path = path_of(folder, domain, volume, vm)
    _require_new(path)
    try:
        await QemuImg().create(
            Disk(PurePosixPath(path), QCOW2), capacity, backing=str(below.path), backing_format=below.format
        )
        path.chmod(MODE)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return PurePosixPath(path)


def _require_new(path: Path) -> None:
    if path.exists():
        raise TransientExists(f"transient disk {path}", "is there already: the VM runs, or was not cleaned up")
    path.parent.mkdir(parents=True, exist_ok=True)


def remove(folder: Path, domain: DomainId, volume: VolumeId, vm: str) -> None:
    """Safe to repeat."""
    path_of(folder, domain, volume, vm).unlink(missing_ok=True)


def left_behind(folder: Path, living: frozenset[str]) -> list[Path]:
    """Layers of VMs that are not among the `living`."""
    found: list[Path] = []
    with contextlib.suppress(FileNotFoundError):
        for path in sorted(folder.iterdir()):
            vm = path.suffix.removeprefix(".")
            if is_identifier(vm) and vm not in living:
                found.append(path)
    return found
