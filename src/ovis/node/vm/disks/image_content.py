"""Bytes of a disk inside its image, of whatever format, read by qemu-img in a process of its own.

It only ever reads, and is ended at its deadline. The format is what the caller knows: never what a guest may have
written into a raw disk.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

SECTOR = 512
LIMIT = 64 << 10
SECONDS = 8.0


class Unreadable(Exception):
    """qemu-img's words, or that it did not end."""


@dataclass(frozen=True)
class ImageContent:
    """`size`: what a guest sees of the disk, in bytes."""

    path: str
    format: str
    size: int
    is_block: bool = False

    def read(self, offset: int, length: int) -> bytes:
        """Blocks. At most 64 KiB, from whole sectors on; fewer at the end of the disk. Raises Unreadable."""
        length = min(length, LIMIT, self.size - offset)
        length = -(-length // SECTOR) * SECTOR
        if length <= 0 or offset % SECTOR or offset + length > self.size:
            return b""
        below = {"driver": "host_device" if self.is_block else "file", "filename": self.path}
        window = {
            "driver": "raw",
            "offset": offset,
            "size": length,
            "file": {"driver": self.format, "file": below},
        }
        import tempfile  # brings three more modules; read only when a disk is looked into

        with tempfile.TemporaryDirectory(prefix="ovis-") as folder:
            target = Path(folder) / "part"
            _run(
                ["qemu-img", "convert", "-U", "-O", "raw", f"json:{msgspec.json.encode(window).decode()}", str(target)]
            )
            return target.read_bytes()


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable(f"qemu-img did not end within {SECONDS:g} s") from error
    except OSError as error:
        raise Unreadable(f"qemu-img cannot be run: {error}") from error
    if done.returncode:
        raise Unreadable(done.stderr.strip()[-500:])
