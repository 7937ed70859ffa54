"""Hook scripts for tests: a folder of hooks, and short ways to put scripts into it."""

import sys
from pathlib import Path

from ovis.node.hooks.hooks import Hooks
from ovis.node.hooks.settings import HookSettings


class HookFolder:
    """`hooks` reads it. Scripts are Python with `hooking`, `os` and `sys` there, or of the shell."""

    def __init__(self, folder: Path, *, seconds: float = 20.0, statistics_period: float = 0.0) -> None:
        self.folder = folder
        self.settings = HookSettings(
            folder=folder / "hooks",
            seconds=seconds,
            statistics_period=statistics_period,
            run_folder=folder / "run",
            launch_folder=folder / "launch",
        )
        self.hooks = Hooks(self.settings)

    def shell(self, point: str, text: str, name: str = "10_test") -> Path:
        return self.put(point, f"#!/bin/sh\n{text}\n", name)

    def python(self, point: str, text: str, name: str = "10_test") -> Path:
        return self.put(point, f"#!{sys.executable}\nimport os, sys, hooking\n{text}\n", name)

    def put(self, point: str, text: str, name: str) -> Path:
        place = self.settings.folder / point
        place.mkdir(parents=True, exist_ok=True)
        path = place / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def record(self, *points: str) -> None:
        """Scripts that write down that they ran."""
        for point in points:
            self.shell(point, f'echo "{point} $vmId" >> {self.folder}/ran', "50_record")

    @property
    def ran(self) -> list[str]:
        try:
            return [line.split()[0] for line in (self.folder / "ran").read_text().splitlines()]
        except OSError:
            return []
