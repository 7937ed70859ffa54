"""A file of this host as a loop device: for tests and labs.

data: {"device_path": FILE, "access_mode": "rw" or "ro"}. The file lies below the folder that the root helper was given.
"""

from __future__ import annotations

from msgspec import Struct

from ovis.node.privileged.loops import AttachLoop, DetachLoop
from ovis.node.storage.managed.driver import READ_ONLY, Attachment, Connection, Tools, parsed


class _Data(Struct, frozen=True):
    device_path: str
    access_mode: str = "rw"


class LocalDriver:
    def check(self, connection: Connection) -> None:
        parsed(connection.data, _Data)

    async def attach(self, volume: str, connection: Connection, tools: Tools) -> Attachment:
        data = parsed(connection.data, _Data)
        request = AttachLoop(volume=volume, file=data.device_path, is_read_only=data.access_mode == READ_ONLY)
        return Attachment(await tools.root.call(request))

    async def detach(self, volume: str, connection: Connection, attachment: Attachment | None, tools: Tools) -> None:
        await tools.root.call(DetachLoop(volume=volume))
