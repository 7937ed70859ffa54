"""A disk that can be told to fail: every read and write ends with EIO, until it is mended."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bed.parts.loop import loop_device
from tests.bed.parts.programs import run

SECTOR = 512
GAP = 1 << 20
"""Before the disk's own first byte: nobody shall find the same labels on what lies below."""


@dataclass(frozen=True)
class FailingDisk:
    """`device`: the disk, a loop device, as LVM takes it in these tests."""

    device: Path
    under: Path
    size: int

    @property
    def name(self) -> str:
        return f"failing-{self.under.name}"

    def fail(self) -> None:
        self._become("error")

    def mend(self) -> None:
        self._become(self.table)

    @property
    def table(self) -> str:
        return f"linear {self.under} {GAP // SECTOR}"

    def _become(self, table: str) -> None:
        run("dmsetup", "suspend", "--noflush", "--nolockfs", self.name)
        run("dmsetup", "load", self.name, "--table", f"0 {self.size // SECTOR} {table}")
        run("dmsetup", "resume", self.name)


@contextmanager
def failing_disk(folder: Path, size: int) -> Iterator[FailingDisk]:
    with loop_device(folder, size + GAP) as under:
        made = FailingDisk(Path(), under, size)
        run("dmsetup", "create", made.name, "--table", f"0 {size // SECTOR} {made.table}")
        try:
            device = Path(run("losetup", "--find", "--show", "--direct-io=on", f"/dev/mapper/{made.name}").strip())
            try:
                yield FailingDisk(device, under, size)
            finally:
                run("losetup", "--detach", device)
        finally:
            run("dmsetup", "remove", "--retry", made.name)
