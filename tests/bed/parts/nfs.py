"""An NFS server in the bed itself. The module needs the service "nfs"."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bed.parts.programs import run

QUICK = "soft,timeo=10,retrans=1"
"""Mount options with which a dead server shows in seconds."""
VDSM = 36
"""Number of the user and group that own what is on a storage domain."""


@contextmanager
def export(folder: Path) -> Iterator[str]:
    """The address to mount. The folder is made; it must lie on ext4 (below /srv), not on tmpfs or an overlay."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    run("chown", f"{VDSM}:{VDSM}", folder)
    run("exportfs", "-i", "-o", "rw,sync,no_subtree_check,no_root_squash", f"*:{folder}")
    try:
        yield f"127.0.0.1:{folder}"
    finally:
        run("exportfs", "-u", f"*:{folder}")


SERVER = "10.98.1.1"


@contextmanager
def mortal_export(folder: Path) -> Iterator[str]:
    """An export through an address that `dead` cuts. The folder is new, and gone at the end."""
    run("ip", "link", "add", "server", "type", "dummy")
    run("ip", "address", "add", f"{SERVER}/24", "dev", "server")
    run("ip", "address", "add", "10.98.2.1/24", "dev", "server")  # to send from, while the other is away
    run("ip", "link", "set", "server", "up")
    try:
        with export(folder):
            yield f"{SERVER}:{folder}"
    finally:
        run("ip", "link", "delete", "server")
        shutil.rmtree(folder)


@contextmanager
def dead() -> Iterator[None]:
    """The server is not there: what is sent to it is lost."""
    run("ip", "address", "delete", f"{SERVER}/24", "dev", "server")
    run("ip", "route", "add", SERVER, "dev", "server")
    try:
        yield
    finally:
        run("ip", "route", "delete", SERVER, "dev", "server")
        run("ip", "address", "add", f"{SERVER}/24", "dev", "server")


@contextmanager
def mounted(source: str, target: Path, *, version: str = "4.2", options: str = QUICK) -> Iterator[Path]:
    target.mkdir(parents=True, exist_ok=True)
    more = ",nolock" if version == "3" else ""
    run("mount", "-t", "nfs", "-o", f"vers={version},{options}{more}", source, target)
    try:
        yield target
    finally:
        run("umount", target)
