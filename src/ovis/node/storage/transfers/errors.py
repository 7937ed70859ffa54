"""What can go wrong with the image transfer daemon.

StorageError
├── DaemonMissing       it does not run here
├── DaemonFailed        it answered an error, or nothing in time
└── TicketRefused       it does not take, know or give up this ticket
"""

from __future__ import annotations

from ovis.node.storage.errors import StorageError


class DaemonMissing(StorageError):
    wire_name = "ImageDaemonUnsupported"

    def __init__(self, socket: object) -> None:
        super().__init__(f"no image transfer daemon answers at {socket} on this host: is ovirt-imageio running?")


class DaemonFailed(StorageError):
    wire_name = "ImageDaemonError"


class TicketRefused(StorageError):
    wire_name = "ImageTicketsError"
