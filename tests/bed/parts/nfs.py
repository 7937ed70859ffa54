"""An NFS server in the bed itself. The module needs the service "nfs"."""

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


@contextmanager
def mounted(source: str, target: Path, *, version: str = "4.2", options: str = QUICK) -> Iterator[Path]:
    target.mkdir(parents=True, exist_ok=True)
    more = ",nolock" if version == "3" else ""
    run("mount", "-t", "nfs", "-o", f"vers={version},{options}{more}", source, target)
    try:
        yield target
    finally:
        run("umount", target)
