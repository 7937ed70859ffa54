"""Other managers of networks leave ours alone: a small file for each that runs here, read anew by it.

A manager that does not run gets none; the next change, or the next boot, writes it. ifupdown has no such file: what its
own files say of devices of ours is told in the log.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from ovis.node import durable_files
from ovis.node.network import other_managers
from ovis.node.network.model import Configuration
from ovis.node.network.state import State
from ovis.node.privileged.commands import ENVIRONMENT

log = logging.getLogger(__name__)

_SECONDS = 10.0
Tell = Callable[[Sequence[str]], None]


def run(command: Sequence[str]) -> None:
    """What it could not be told it learns when it is started again."""
    try:
        done = subprocess.run(command, capture_output=True, env=ENVIRONMENT, timeout=_SECONDS, check=False)
        problem = done.stderr.decode(errors="replace").strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        log.warning("%s: %s", " ".join(command), problem)


def is_network_of_managers(procfs: Path = Path("/proc")) -> bool:
    """Whether this process sees the machine's own devices: managers look after these alone. True where the kernel
    does not let us look at the first process (ptrace(2), access mode checking)."""
    try:
        return (procfs / "self/ns/net").readlink() == (procfs / "1/ns/net").readlink()
    except OSError:
        return True


class OtherManagers:
    """`etc`, `running`: the host's /etc and /run."""

    name = "other managers of networks"
    comes_first = True

    def __init__(
        self, etc: Path, running: Path, tell: Tell = run, is_theirs: Callable[[], bool] = is_network_of_managers
    ) -> None:
        self._tell = tell
        self._is_theirs = is_theirs
        self._etc = etc
        self._kinds = (
            (
                running / "NetworkManager",
                etc / "NetworkManager/conf.d/90-ovis.conf",
                other_managers.network_manager,
                ("nmcli", "general", "reload", "conf"),
            ),
            (
                running / "systemd/netif/state",
                etc / "systemd/network/00-ovis.network",
                other_managers.networkd,
                ("networkctl", "reload"),
            ),
        )

    def follow(self, wanted: Configuration, now: State) -> None:
        """Raises OSError."""
        if not self._is_theirs():
            return
        names = other_managers.ours(wanted)
        for sign, file, content, reload in self._kinds:
            if (sign.exists() or file.exists()) and _put(file, content(names)) and sign.exists():
                self._tell(reload)
        if twice := other_managers.claimed(self._interfaces(), names):
            where = self._etc / "network"
            log.warning("%s are in networks of this host and in %s: remove them there", ", ".join(twice), where)

    def _interfaces(self) -> list[str]:
        folder = self._etc / "network"
        files = [folder / "interfaces", *sorted(folder.glob("interfaces.d/*"))]
        return [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]


def _put(file: Path, content: str) -> bool:
    """An empty one is removed. Whether something changed."""
    try:
        former = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        former = ""
    if content == former:
        return False
    if content:
        file.parent.mkdir(parents=True, exist_ok=True)
        durable_files.replace(file, content.encode())
        file.chmod(0o644)
    else:
        file.unlink()
        durable_files.flush(file.parent)
    return True
