"""GlusterFS volumes, mounted through FUSE at mnt/glusterSD/<server:_volume>.

Further servers that know the volume come as the mount option backup-volfile-servers; they are not looked up here.
"""

from __future__ import annotations

import re
from typing import ClassVar

from msgspec import Struct

from ovis.client.types import ConnectionRefParameters
from ovis.node.storage.connections import mounting
from ovis.node.storage.connections.errors import WrongParameters
from ovis.node.storage.connections.interface import Tools
from ovis.node.storage.connections.mounting import Place
from ovis.node.storage.connections.parameters import needed, options
from ovis.node.storage.formats.repository import mount_name

_VOLUME = re.compile(r"[^:/\s]+|\[[0-9A-Fa-f:]+\]"), re.compile(r"/?[^\s:]+")


class GlusterServer(Struct, frozen=True, tag_field="kind", tag="gluster"):
    brings_devices: ClassVar[bool] = False

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

    async def connect(self, tools: Tools) -> None:
        await mounting.connect(self._place(tools), tools)

    async def disconnect(self, tools: Tools) -> None:
        await mounting.disconnect(self._place(tools), tools)

    def is_connected(self, tools: Tools) -> bool:
        return mounting.is_connected(self._place(tools), tools)

    def kept(self) -> GlusterServer:
        return self

    def _place(self, tools: Tools) -> Place:
        return Place(self.volume, tools.repository.gluster_mount(self.volume), "glusterfs", self.options)
