"""GlusterFS volumes, mounted through FUSE at mnt/glusterSD/<server:_volume>.

Further servers that know the volume come as the mount option backup-volfile-servers; they are not looked up here.
"""

from __future__ import annotations

import re

from ovis.client.types import ConnectionRefParameters
from ovis.node.storage.connections.errors import WrongParameters
from ovis.node.storage.connections.interface import Tools
from ovis.node.storage.connections.mounting import MountedServer, Place
from ovis.node.storage.connections.parameters import needed, options
from ovis.node.storage.formats.repository import mount_name

_VOLUME = re.compile(r"[^:/\s]+|\[[0-9A-Fa-f:]+\]"), re.compile(r"/?[^\s:]+")


class GlusterServer(MountedServer, frozen=True, tag_field="kind", tag="gluster"):
    volume: str
    options: tuple[str, ...] = ()

    @classmethod
    def asked(cls, given: ConnectionRefParameters) -> GlusterServer:
        text = needed("connection", given.connection, given.spec).rstrip("/")
        server, _, volume = text.rpartition(":")
        if not _VOLUME[0].fullmatch(server) or not _VOLUME[1].fullmatch(volume):
            raise WrongParameters("connection", f"{text!r} is not server:/volume")
        mount_name(text)
        return cls(text, options(given.mnt_options or given.options))

    @property
    def name(self) -> str:
        return f"glusterfs {self.volume}"

    def place(self, tools: Tools) -> Place:
        return Place(self.volume, tools.repository.gluster_mount(self.volume), "glusterfs", self.options)
