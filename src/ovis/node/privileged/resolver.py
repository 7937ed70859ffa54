"""The host's DNS servers: the lines `nameserver` of resolv.conf. Source: resolv.conf(5)."""

from __future__ import annotations

import errno
import os
from pathlib import Path

FILE = Path("/etc/resolv.conf")


class Resolver:
    def __init__(self, file: Path = FILE) -> None:
        self._file = file

    def read(self) -> tuple[str, ...]:
        """In the order of preference."""
        try:
            lines = self._file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ()
        words = (line.split() for line in lines)
        return tuple(w[1] for w in words if len(w) > 1 and w[0] == "nameserver")

    def write(self, servers: tuple[str, ...]) -> None:
        """Everything else in the file stays. Raises OSError; then it is as it was."""
        try:
            lines = self._file.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        kept = [line for line in lines if line.split()[:1] != ["nameserver"]]
        content = "\n".join([*kept, *(f"nameserver {server}" for server in servers)]) + "\n"
        # Where a program keeps the file elsewhere (a link), that file is changed: the link is that program's.
        real = Path(os.path.realpath(self._file))
        fresh = real.with_name(f"{real.name}.ovis")
        fresh.write_text(content, encoding="utf-8")
        fresh.chmod(0o644)
        try:
            fresh.replace(real)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            if error.errno != errno.EBUSY:  # mounted over, as in containers: only its content can be changed
                raise
            real.write_text(content, encoding="utf-8")
