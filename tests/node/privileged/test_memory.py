"""Settings of the kernel's memory, in recorded trees; this kernel's own stay as they are."""

import asyncio
from pathlib import Path, PurePosixPath

import pytest
from programs import inside

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.memory import TuneMemory
from ovis.node.privileged.protocol import CommandResult
from ovis.node.privileged.rules import Rules

HUGE_PAGES = "sys/kernel/mm/transparent_hugepage/enabled"


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    for name in (HUGE_PAGES, "proc/sys/vm/vfs_cache_pressure", "proc/sys/vm/swappiness"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before\n")
    return tmp_path


def tuned(kernel: Path, request: TuneMemory) -> CommandResult:
    root = PurePosixPath(kernel)
    rules = Rules(repository=PurePosixPath("/nowhere"), user=0, group=0, sysfs=root / "sys", procfs=root / "proc")

    async def main() -> CommandResult:
        async with inside(rules) as helper:
            return await helper.call(request)

    return asyncio.run(main())


def test_what_is_named_changes_and_nothing_else(kernel: Path) -> None:
    assert tuned(kernel, TuneMemory(huge_pages="madvise", swappiness=10)).ok
    assert (kernel / HUGE_PAGES).read_text() == "madvise\n"
    assert (kernel / "proc/sys/vm/swappiness").read_text() == "10\n"
    assert (kernel / "proc/sys/vm/vfs_cache_pressure").read_text() == "before\n"


def test_a_kernel_without_the_setting_says_so_and_no_file_is_made(kernel: Path) -> None:
    (kernel / HUGE_PAGES).unlink()
    with pytest.raises(FileNotFoundError):
        tuned(kernel, TuneMemory(huge_pages="never"))
    assert not (kernel / HUGE_PAGES).exists()


def test_values_out_of_range_are_refused_before_anything_changes(kernel: Path) -> None:
    with pytest.raises(Refused, match="between 0 and 200"):
        tuned(kernel, TuneMemory(huge_pages="never", swappiness=201))
    assert (kernel / HUGE_PAGES).read_text() == "before\n"
