"""Page merging is tuned in a recorded tree of sysfs; this kernel's own stays as it is."""

import asyncio
from pathlib import Path, PurePosixPath

import pytest
from programs import inside, put

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.page_merging import TunePageMerging
from ovis.node.privileged.protocol import CommandResult
from ovis.node.privileged.rules import Rules

BEFORE = {"run": "1", "pages_to_scan": "100", "sleep_millisecs": "20", "merge_across_nodes": "1"}


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    folder = tmp_path / "sys/kernel/mm/ksm"
    folder.mkdir(parents=True)
    for name, value in BEFORE.items():
        (folder / name).write_text(f"{value}\n")
    return folder


def tuned(kernel: Path, request: TunePageMerging) -> CommandResult:
    rules = Rules(repository=PurePosixPath("/nowhere"), user=0, group=0, sysfs=PurePosixPath(kernel.parents[2]))

    async def main() -> CommandResult:
        async with inside(rules) as root:
            return await root.call(request)

    return asyncio.run(main())


def settings(kernel: Path) -> dict[str, str]:
    return {file.name: file.read_text().strip() for file in kernel.iterdir()}


def test_what_is_named_changes_and_nothing_else(kernel: Path) -> None:
    assert tuned(kernel, TunePageMerging(pages_to_scan=64, run=0)).ok
    assert settings(kernel) == BEFORE | {"pages_to_scan": "64", "run": "0"}


def test_pages_are_separated_before_nodes_are_and_merging_goes_on(kernel: Path, programs: Path) -> None:
    put(programs, "tee", f'cat > "$1"; cp "$1" {kernel.parent}/run-at-the-time')
    assert tuned(kernel, TunePageMerging(merge_across_nodes=0)).ok
    assert (kernel.parent / "run-at-the-time").read_text() == "2\n"
    assert settings(kernel) == BEFORE | {"merge_across_nodes": "0"}


def test_failure_to_separate_leaves_it_running(kernel: Path, programs: Path) -> None:
    put(programs, "tee", "exit 1")
    assert not tuned(kernel, TunePageMerging(merge_across_nodes=0, run=0)).ok
    assert settings(kernel) == BEFORE


def test_the_same_value_separates_nothing(kernel: Path, programs: Path) -> None:
    put(programs, "tee", "exit 1")
    assert tuned(kernel, TunePageMerging(merge_across_nodes=1)).ok


def test_values_that_no_kernel_takes_are_refused(kernel: Path) -> None:
    for request in (TunePageMerging(pages_to_scan=-1), TunePageMerging(sleep_millisecs=1 << 32)):
        with pytest.raises(Refused):
            tuned(kernel, request)
    assert settings(kernel) == BEFORE


def test_kernel_without_it_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    kernel = tmp_path / "sys/kernel/mm/ksm"
    kernel.mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        tuned(kernel, TunePageMerging(run=1))
    assert not list(kernel.iterdir())
