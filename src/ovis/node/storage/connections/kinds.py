"""The kinds of storage. A new one is a file with its class, and a row here."""

from __future__ import annotations

from ovis.client.types import StorageDomainTypeId
from ovis.node.storage.connections.errors import UnknownKind
from ovis.node.storage.connections.fibre_channel import FibreChannel
from ovis.node.storage.connections.gluster import GlusterServer
from ovis.node.storage.connections.interface import Kind
from ovis.node.storage.connections.iscsi import IscsiTarget
from ovis.node.storage.connections.local import LocalFolder
from ovis.node.storage.connections.nfs import NfsServer
from ovis.node.storage.connections.posix import PosixServer

KINDS: dict[int, type[Kind]] = {
    StorageDomainTypeId.NFS: NfsServer,
    StorageDomainTypeId.FCP: FibreChannel,
    StorageDomainTypeId.ISCSI: IscsiTarget,
    StorageDomainTypeId.LOCALFS: LocalFolder,
    StorageDomainTypeId.POSIXFS: PosixServer,
    StorageDomainTypeId.GLUSTERFS: GlusterServer,
}

AnyServer = NfsServer | FibreChannel | IscsiTarget | LocalFolder | PosixServer | GlusterServer


def kind(number: int) -> type[Kind]:
    """Raises UnknownKind."""
    try:
        return KINDS[number]
    except KeyError:
        raise UnknownKind(number) from None
