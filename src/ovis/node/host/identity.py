"""The lasting identity of the host: a UUID that survives reboots, upgrades and a change of the agent's rights.

Found once, then kept in a file, because firmware tables read differently to root and to other users.
"""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path

from ovis.node import durable_files
from ovis.node.errors import NodeError
from ovis.node.host import hardware
from ovis.node.host.kernel_files import KernelFiles

log = logging.getLogger(__name__)


class IdentityNotKept(NodeError):
    """One that changes at each start would be worse than none."""

    wire_name = "InvalidConfiguration"

    def __init__(self, file: Path, reason: OSError) -> None:
        super().__init__(f"this host has no id, and a new one cannot be kept in {file}: {reason.strerror}")
        self.file = file
        self.reason = reason


def host_id(configured: str, file: Path, files: KernelFiles) -> str:
    """What the administrator has set, else what `file` holds, else the machine's UUID or a new one, kept in `file`.

    Raises IdentityNotKept.
    """
    if configured:
        return configured
    try:
        return _kept(file) or _keep(file, hardware.machine_uuid(files) or str(uuid.uuid4()))
    except OSError as error:
        raise IdentityNotKept(file, error) from error


def _kept(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _keep(file: Path, identity: str) -> str:
    """Write it so that the file is there with its whole content or not at all; another agent's may win."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    durable_files.write(draft, f"{identity}\n".encode())
    try:
        if file.exists() and not _kept(file):
            draft.replace(file)  # an empty file is what a full disk left behind
        else:
            os.link(draft, file)
    except FileExistsError:
        return _kept(file)
    finally:
        draft.unlink(missing_ok=True)
    durable_files.flush(file.parent)
    log.info("this host is %s from now on (kept in %s)", identity, file)
    return identity
