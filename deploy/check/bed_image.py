"""The bed, built while other checks run: that is no test's time, and mostly waits for a mirror."""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.bed import availability
from deploy.bed.image import ImageMissing, built
from deploy.check.pytest_run import end

_SECONDS = 1200


class BedImage:
    def __init__(self, root: Path, *, wanted: bool) -> None:
        self._root = root
        self._wanted = wanted
        self._building: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            built()
        except ImageMissing:
            if self._wanted and os.geteuid() == 0:
                command = ["nice", sys.executable, "-m", "deploy.bed", "build"]
                self._building = subprocess.Popen(
                    command, cwd=self._root, stdin=subprocess.DEVNULL, start_new_session=True
                )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._building is not None:
            end(self._building)

    def missing(self) -> str:
        """Why no bed can run here, when it is built as far as it can be; else empty."""
        if self._building is not None:
            self._building.wait(_SECONDS)
        return availability.missing() or ""
