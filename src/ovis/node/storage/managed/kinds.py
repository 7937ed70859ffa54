"""The drivers, by the transport that the storage system's side names. A new kind is a file and a row."""

from __future__ import annotations

from ovis.node.storage.managed.adapter import AdapterDriver
from ovis.node.storage.managed.driver import Connection, Driver
from ovis.node.storage.managed.errors import NotSupported
from ovis.node.storage.managed.iscsi import IscsiDriver
from ovis.node.storage.managed.local import LocalDriver
from ovis.node.storage.managed.rbd import RbdDriver

DRIVERS: dict[str, Driver] = {"local": LocalDriver(), "rbd": RbdDriver(), "iscsi": IscsiDriver()}
ADAPTER: Driver = AdapterDriver()


def driver(connection: Connection) -> Driver:
    """Raises NotSupported."""
    if connection.adapter:
        return ADAPTER
    found = DRIVERS.get(connection.kind)
    if found is None:
        raise NotSupported(connection.kind, f"there is no driver for it; there are {', '.join(sorted(DRIVERS))}")
    return found
