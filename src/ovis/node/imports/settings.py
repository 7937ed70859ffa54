"""What imports and exports are told of the host and its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ovis.node.vm.paths import PathRules
from ovis.node.vm.settings import VmSettings


@dataclass(frozen=True)
class ImportSettings:
    """`storage_root`: pools lie below it. `allowed_paths`: volumes must lie below one of these, OVAs below one of
    `ova_paths`. `secrets` lies in memory: passwords wait there for virt-v2v."""

    state: Path
    secrets: Path
    storage_root: Path
    allowed_paths: tuple[Path, ...]
    ova_paths: tuple[Path, ...] = (Path("/"),)
    device_links: tuple[str, ...] = ()
    """Folders of links to devices that the agent makes: volumes of block storage."""
    convert_guests: Literal["auto", "never", "always"] = "auto"
    at_once: int = 4
    deadline: float = 25.0
    """For looking at files, whose storage may hang."""

    @property
    def volumes(self) -> PathRules:
        return PathRules(VmSettings(allowed_paths=self.allowed_paths, device_links=self.device_links))

    @property
    def records(self) -> Path:
        return self.state / "imports"

    @property
    def exports(self) -> Path:
        """Records of the VMs that are being written into archives."""
        return self.state / "exports"

    @property
    def left_behind(self) -> tuple[Path, ...]:
        """Where something is found after a start if VMs were imported before it."""
        return self.records, self.secrets
