"""What the storage half needs to know of the host it runs on; made from the configuration (section [storage]) by Node.

Everything that a test must keep to itself is a field here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ovis.node.storage.formats.repository import Repository


@dataclass(frozen=True)
class StorageSettings:
    """Seconds. `state`: what must survive a restart of the agent (connections, the pool, tasks of this host); there
    is nothing in it on a host that never had storage. `run`: sockets and secrets, gone after a boot."""

    state: Path
    run: Path
    repository: Repository = field(default_factory=Repository)
    host_name: str = "ovis"
    owner: tuple[int, int] = (36, 36)
    """uid and gid of what is made on file systems and of devices in use; those of existing hosts."""

    privileged_socket: Path | None = None
    managed_links: Path = Path("/run/vdsm/managedvolumes")
    """Links to managed volumes that VMs use."""
    helper_options: tuple[str, ...] = ()
    """For a root helper of the agent's own."""
    io_deadline: float = 60.0
    check_period: float = 10.0
    metadata_period: float = 300.0
    retry_period: float = 30.0
    """Before a pool that could not be joined again after a start, or a lost host id, is tried once more."""

    locks: str = "sanlock"
    """`sanlock`, or `local`: every domain gets the lock of this host alone (one machine, no shared storage)."""
    sanlock_folder: Path | None = None
    """Where sanlock's socket is; None: its own default."""
    sanlock_io_timeout: int = 10

    nfs_options: tuple[str, ...] = ()
    lvm_filter: tuple[str, ...] = ()
    """LVM sees only these devices (regular expressions); empty: multipath devices and what iSCSI brings."""

    tasks_at_once: int = 10

    @property
    def transient(self) -> Path:
        """What VMs write to transient disks."""
        return self.state / "transient"
