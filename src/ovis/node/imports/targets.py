"""Where imported disks go: volumes that exist already.

Now the path follows the layout of storage domains on disk; when the agent manages storage, preparing an image gives it.
Source: reference/vdsm.md (image paths).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ovis.client.types import ExternalVmParams, VolumeFormat
from ovis.node.errors import BadParameter
from ovis.node.imports.errors import BadTarget
from ovis.node.vm.paths import Mention, PathRules


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
    """`ROOT/POOL/DOMAIN/images/IMAGE/VOLUME`, each a file or a device that a VM might have as a disk."""

    def __init__(self, root: Path, rules: PathRules) -> None:
        self._root = root
        self._rules = rules

    def find(self, wanted: ExternalVmParams) -> list[Target]:
        driver = "qcow2" if wanted.format is VolumeFormat.COW else "raw"
        images = self._root / wanted.pool_id / wanted.domain_id / "images"
        found = [
            Target(disk.image_id, disk.volume_id, real(images / disk.image_id / disk.volume_id, self._rules), driver)
            for disk in wanted.disks
        ]
        for number, target in enumerate(found):
            if target.path in [other.path for other in found[:number]]:
                raise BadTarget(target.volume_id, "it is named for two disks")
        return found


def real(path: Path, rules: PathRules) -> Path:
    """The file or block device to which the path of a volume leads. Blocks. Raises BadTarget."""
    try:
        return Path(rules.check(Mention(str(path), path.name, "source", is_disk=True), "volume"))
    except BadParameter as error:
        raise BadTarget(path.name, error.problem) from error
