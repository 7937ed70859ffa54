"""A sanlock daemon of one's own: a folder for its socket, no watchdog, no root needed.

Source: sanlock's README for tests (SANLOCK_RUN_DIR, SANLOCK_PRIVILEGED).
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SOCKET, LOG = "sanlock.sock", "sanlock.log"
_READY_SECONDS = 30.0


def missing() -> str | None:
    """Why it cannot run here; None: it can."""
    return None if shutil.which("sanlock") else "sanlock is not installed (Debian package sanlock)"


def command(folder: Path, host: str) -> list[str]:
    """The command line of the daemon, in the foreground; it ends with its starter."""
    variables = [f"SANLOCK_RUN_DIR={folder}", "SANLOCK_PRIVILEGED=0"]
    settings = ["-D", "-w", "0", "-h", "0", "-l", "0", "-e", host, "-U", "root", "-G", "root"]
    return ["setpriv", "--pdeathsig", "KILL", "env", *variables, "sanlock", "daemon", *settings]


def _answers(place: Path) -> bool:
    """The socket is there a moment before the daemon listens."""
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(str(place)) == 0


@contextmanager
def sanlock(
    folder: Path, host: str, *, within: Sequence[str] = (), seen_as: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon with its socket in `folder`, which is made. `within`: what runs it elsewhere (nsenter ...), where that
    folder is `seen_as`."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [*within, *command(seen_as or folder, host)]
    with (folder / LOG).open("ab") as log:
        daemon = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        until = time.monotonic() + _READY_SECONDS
        while not _answers(folder / SOCKET):
            if daemon.poll() is not None or time.monotonic() > until:
                raise OSError(f"sanlock does not start: {(folder / LOG).read_text()}")
            time.sleep(0.02)
        yield daemon
    finally:
        daemon.kill()
        daemon.wait()
