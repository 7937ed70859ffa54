"""How the kernel uses memory: huge pages, caches, swap. Source: Documentation/admin-guide/mm/transhuge.rst,
Documentation/admin-guide/sysctl/vm.rst.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar, Literal

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.kernel_settings import write
from ovis.node.privileged.protocol import CommandResult, Request
from ovis.node.privileged.work import Work

_MOST = {"cache_pressure": 1000, "swappiness": 200}


class TuneMemory(Request[CommandResult], frozen=True, kw_only=True):
    """Change what is named. FileNotFoundError: this kernel has no such setting; those before it are changed."""

    seconds: ClassVar[float] = 10

    huge_pages: Literal["always", "madvise", "never"] | None = None
    cache_pressure: int | None = None
    swappiness: int | None = None


async def tune_memory(request: TuneMemory, work: Work) -> CommandResult:
    for name, most in _MOST.items():
        value = getattr(request, name)
        if value is not None and not 0 <= value <= most:
            raise Refused(f"{name} = {value}", f"it must be between 0 and {most}")
    settings = {
        Path(work.rules.sysfs) / "kernel/mm/transparent_hugepage/enabled": request.huge_pages,
        Path(work.rules.procfs) / "sys/vm/vfs_cache_pressure": request.cache_pressure,
        Path(work.rules.procfs) / "sys/vm/swappiness": request.swappiness,
    }
    for file, value in settings.items():
        if value is not None:
            await asyncio.to_thread(write, file, value)
    return CommandResult(0)
