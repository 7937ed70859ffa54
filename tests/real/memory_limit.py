"""How much memory a virtual host may use: above it the kernel ends its largest process, as a full machine does."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.rig import cgroups
from deploy.rig.virtual_host import VirtualHost


@contextmanager
def memory_limit(host: VirtualHost, *, more: int) -> Iterator[None]:
    """Bytes beyond what it uses now."""
    group = _group(host)
    limit, usage = (
        (group / "memory.max", group / "memory.current")
        if (group / "memory.max").exists()
        else (group / "memory.limit_in_bytes", group / "memory.usage_in_bytes")
    )
    limit.write_text(str(int(usage.read_text()) + more))
    try:
        yield
    finally:
        limit.write_text("max" if limit.name == "memory.max" else "-1")


def _group(host: VirtualHost) -> Path:
    """Of the host's first process; that of the QEMUs is below."""
    assert host.first_process is not None
    told = Path(f"/proc/{host.first_process.pid}/cgroup").read_text()
    for hierarchy in cgroups.hierarchies():
        names = "memory" if hierarchy.kind == "cgroup" else ""
        if hierarchy.kind == "cgroup" and "memory" not in hierarchy.options:
            continue
        found = re.search(rf"^\d+:{names}:(.*)$", told, re.MULTILINE)
        if found and any((hierarchy.folder / found[1].lstrip("/")).glob("memory.*")):
            return hierarchy.folder / found[1].lstrip("/")
    pytest.skip("this machine's cgroups cannot limit memory")
