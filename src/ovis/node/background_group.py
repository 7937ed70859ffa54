"""The control group of programs that shall not slow guests down: they get a tenth of the share of CPU and disks that
others have where there is too little of it, and all of it where nobody else wants any.

    <the agent's service>     given to it by systemd (Delegate=cpu io), which notes that as an extended attribute
      agent                   the agent and its helpers: a group with members has no groups with limits below it
      background              qemu-img, qemu-nbd, curl ...; cpu.weight, io.weight

Where nothing was given to it, where the kernel has control groups of version 1 only, or neither controller: None, and
nice and ionice have to do. Source: the kernel's cgroup-v2.rst, systemd's CGROUP_DELEGATION.md ("user.delegate").
"""

from __future__ import annotations

import contextlib
import logging
import os
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

ROOT, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
AGENT, BACKGROUND = "agent", "background"
DELEGATED = "user.delegate"
CONTROLLERS = ("cpu", "io")
WEIGHTS = {"cpu.weight": "10", "io.weight": "default 10"}  # of others: 100
JOIN = '(echo $$ > "$0/cgroup.procs") 2> /dev/null; exec "$@"'
"""For a shell: become a member of the group $0, if it lets us, and go on as the program $@."""


@cache
def ours() -> Path | None:
    """Made when first asked for."""
    try:
        return made()
    except OSError as error:
        log.warning("there is no control group for work in the background: %s", error)
        return None


def prefix(group: Path | None) -> list[str]:
    """Words before a program that is to run in it."""
    return [] if group is None else ["sh", "-c", JOIN, str(group)]


def made(root: Path = ROOT, own: Path = OWN) -> Path | None:
    """Safe to repeat. Raises OSError."""
    service = _given(root, own)
    if service is None:
        return None
    agent = service / AGENT
    agent.mkdir(exist_ok=True)
    for member in (service / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            (agent / "cgroup.procs").write_text(member)
    for controller in CONTROLLERS:
        with contextlib.suppress(OSError):  # not given, or not there
            (service / "cgroup.subtree_control").write_text(f"+{controller}")
    group = service / BACKGROUND
    group.mkdir(exist_ok=True)
    known = {name: weight for name, weight in WEIGHTS.items() if (group / name).exists()}
    for name, weight in known.items():
        (group / name).write_text(weight)
    return group if known else None


def _given(root: Path, own: Path) -> Path | None:
    """The group that the agent may divide."""
    if not (root / "cgroup.controllers").exists():
        return None
    lines = own.read_text().splitlines()
    path = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    here = root / path
    for group in (here, *([here.parent] if here.name == AGENT else [])):
        with contextlib.suppress(OSError):
            if os.getxattr(group, DELEGATED) == b"1":
                return group
    return None
