"""What the hooks are told of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HookSettings:
    """`seconds`: all scripts of a point together. `statistics_period`: seconds between two runs around the same
    statistics. `run_folder` is the agent's own, `launch_folder` the one where hooks find launch flags of VMs."""

    folder: Path = Path("/usr/libexec/vdsm/hooks")
    seconds: float = 60.0
    statistics_period: float = 10.0
    run_folder: Path = Path("/run/ovis/hooks")
    launch_folder: Path = Path("/run/vdsm")
