"""Where imported disks go: volumes that exist already.

Now the path follows the layout of storage domains on disk; when the agent manages storage, preparing an image gives it.
Source: reference/vdsm.md (image paths).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ovis.client.types import ExternalVmParams, VolumeFormat
from ovis.node.imports.errors import BadTarget


@dataclass(frozen=True)
class Target:
    """`driver` is QEMU's word for the format."""

    image_id: str
    volume_id: str
    path: Path
    driver: str


class Targets(Protocol):
    def find(self, wanted: ExternalVmParams) -> list[Target]:
        """One for each disk, in order; they exist. Blocks. Raises BadTarget."""
        ...


class TargetsByPath:
    """`ROOT/POOL/DOMAIN/images/IMAGE/VOLUME`, each a file or a block device below one of the `allowed` places."""

    def __init__(self, root: Path, allowed: Sequence[Path]) -> None:
        self._root = root
        self._allowed = allowed

    def find(self, wanted: ExternalVmParams) -> list[Target]:
        driver = "qcow2" if wanted.format is VolumeFormat.COW else "raw"
        images = self._root / wanted.pool_id / wanted.domain_id / "images"
        found = [
            Target(disk.image_id, disk.volume_id, real(images / disk.image_id / disk.volume_id, self._allowed), driver)
            for disk in wanted.disks
        ]
        for number, target in enumerate(found):
            if target.path in [other.path for other in found[:number]]:
                raise BadTarget(target.volume_id, "it is named for two disks")
        return found


def real(path: Path, allowed: Sequence[Path]) -> Path:
    """The file or block device to which the path of a volume leads. Blocks. Raises BadTarget."""
    found = Path(os.path.realpath(path))
    volume = path.name
    if not any(found.is_relative_to(os.path.realpath(place)) for place in allowed):
        raise BadTarget(volume, f"{path} lies outside of the places allowed by `vms.allowed_paths`")
    try:
        mode = found.stat().st_mode
    except OSError as error:
        raise BadTarget(volume, f"{path}: {error.strerror}") from error
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
        raise BadTarget(volume, f"{path} is neither a file nor a block device")
    return found
