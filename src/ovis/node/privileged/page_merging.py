"""The kernel's merging of equal pages (KSM). Source: Documentation/admin-guide/mm/ksm.rst, mm/ksm.c."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar, Literal

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.kernel_settings import write
from ovis.node.privileged.protocol import CommandResult, Request
from ovis.node.privileged.work import Work

_SEPARATE = 2
_LARGEST = (1 << 32) - 1


class TunePageMerging(Request[CommandResult], frozen=True, kw_only=True):
    """Change what is named, each as in /sys/kernel/mm/ksm. After a failure some of it may have changed; `run` is then
    what it was. Changing `merge_across_nodes` first separates all merged pages, which takes memory and time.

    FileNotFoundError: this kernel does not merge pages, or has no such setting.
    """

    seconds: ClassVar[float] = 30

    run: Literal[0, 1, 2] | None = None
    pages_to_scan: int | None = None
    sleep_millisecs: int | None = None
    merge_across_nodes: Literal[0, 1] | None = None


async def tune_page_merging(request: TunePageMerging, work: Work) -> CommandResult:
    for name in ("pages_to_scan", "sleep_millisecs"):
        value = getattr(request, name)
        if value is not None and not 0 <= value <= _LARGEST:
            raise Refused(f"{name} = {value}", f"it must be between 0 and {_LARGEST}")
    folder = Path(work.rules.sysfs) / "kernel/mm/ksm"
    (folder / "run").stat()
    for name in ("pages_to_scan", "sleep_millisecs"):
        if (value := getattr(request, name)) is not None:
            await asyncio.to_thread(write, folder / name, value)
    across = request.merge_across_nodes
    if across is not None and across != int((folder / "merge_across_nodes").read_text()):
        return await _change_across(folder, across, request.run, work)
    if request.run is not None:
        return await _set_run(folder, request.run, work)
    return CommandResult(0)


async def _change_across(folder: Path, across: int, run: int | None, work: Work) -> CommandResult:
    end = before = int((folder / "run").read_text())
    try:
        separated = await _set_run(folder, _SEPARATE, work)
        if separated.ok:
            await asyncio.to_thread(write, folder / "merge_across_nodes", across)
            end = before if run is None else run
        return separated
    finally:
        if end != _SEPARATE:
            write(folder / "run", end)


async def _set_run(folder: Path, value: int, work: Work) -> CommandResult:
    """By a program, which can be ended: separating all pages lasts as long as there are any."""
    return await work.run("tee", str(folder / "run"), stdin=f"{value}\n".encode())
