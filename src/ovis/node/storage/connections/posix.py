"""Any other file system that mount(8) knows, at mnt/<what is mounted>."""

from __future__ import annotations

from ovis.client.types import ConnectionRefParameters
from ovis.node.storage.connections.gluster import GlusterServer
from ovis.node.storage.connections.interface import Server, Tools
from ovis.node.storage.connections.mounting import MountedServer, Place
from ovis.node.storage.connections.parameters import absolute, needed, options
from ovis.node.storage.formats.repository import mount_name


class PosixServer(MountedServer, frozen=True, tag_field="kind", tag="posix"):
    """`type`: as for mount -t."""

    source: str
    type: str
    options: tuple[str, ...] = ()

    @classmethod
    def asked(cls, given: ConnectionRefParameters) -> Server:
        kind = needed("vfs_type", given.vfs_type, given.vfstype)
        if kind == "glusterfs":
            return GlusterServer.asked(given)
        source = _source(needed("connection", given.connection, given.spec))
        mount_name(source)
        return cls(source, kind, options(given.mnt_options or given.options))

    @property
    def name(self) -> str:
        return f"{self.type} {self.source}"

    def place(self, tools: Tools) -> Place:
        return Place(self.source, tools.repository.mount(self.source), self.type, self.options)


def _source(text: str) -> str:
    """Paths and the path of server:/path in one spelling; what else there is (volumes, several servers) as it comes."""
    if text.startswith("//"):
        return "/" + absolute(text, "connection")
    if text.startswith("/"):
        return absolute(text, "connection")
    servers, colon, path = text.rpartition(":/")
    return f"{servers}:{absolute('/' + path, 'connection')}" if colon and servers else text
