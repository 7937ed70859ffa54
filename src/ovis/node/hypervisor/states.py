"""States of a domain as libvirt knows them. The agent's own VM status is made from these elsewhere."""

from dataclasses import dataclass
from enum import StrEnum


class DomainState(StrEnum):
    """Source: virDomainState. NOSTATE and a number of a later libvirt become UNKNOWN."""

    UNKNOWN = "unknown"
    RUNNING = "running"
    BLOCKED = "blocked"  # not used by QEMU
    PAUSED = "paused"
    SHUTTING_DOWN = "shutting_down"
    SHUT_OFF = "shut_off"
    CRASHED = "crashed"
    SUSPENDED = "suspended"  # the guest sleeps (ACPI S3)


@dataclass(frozen=True)
class DomainInfo:
    """`reason` is libvirt's word for how the state came about, in lower case with underscores.

    running: booted, migrated, restored, from_snapshot, unpaused, migration_canceled, save_canceled, wakeup, crashed,
    postcopy, postcopy_failed. paused: user, migration, save, dump, ioerror, watchdog, from_snapshot, shutting_down,
    snapshot, crashed, starting_up, postcopy, postcopy_failed. shut_off: shutdown, destroyed, crashed, migrated, saved,
    failed, from_snapshot, daemon. "unknown" everywhere.
    """

    id: str
    name: str
    state: DomainState
    reason: str
    persistent: bool = False
