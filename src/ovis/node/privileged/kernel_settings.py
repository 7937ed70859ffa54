"""Settings of the kernel that are files: /sys, /proc/sys."""

from __future__ import annotations

import os
from pathlib import Path


def write(file: Path, value: int | str) -> None:
    """Never makes a file. Raises OSError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        os.write(descriptor, f"{value}\n".encode())
    finally:
        os.close(descriptor)
