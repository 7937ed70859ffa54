"""Volumes that a storage vendor's own helper program attaches. Its protocol: privileged/adapters.py."""

from __future__ import annotations

import msgspec

from ovis.node.privileged.adapters import RunAdapter
from ovis.node.privileged.protocol import Secret
from ovis.node.storage.managed.driver import Attachment, Connection, Tools
from ovis.node.storage.managed.errors import DriverFailed, NotSupported


class _Reported(msgspec.Struct, frozen=True):
    path: str
    type: str = "block"
    multipath_id: str | None = None
    scsi_wwn: str | None = None
    conf: str | None = None


class AdapterDriver:
    def check(self, connection: Connection) -> None:
        """It does that itself."""

    async def attach(self, volume: str, connection: Connection, tools: Tools) -> Attachment:
        output = await self._run("attach", connection, None, tools)
        try:
            found = msgspec.json.decode(output, type=_Reported)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DriverFailed(f"reading what the adapter {connection.adapter} answered", str(error)) from error
        return Attachment(found.path, found.type, found.multipath_id, found.scsi_wwn, found.conf)

    async def detach(self, volume: str, connection: Connection, attachment: Attachment | None, tools: Tools) -> None:
        await self._run("detach", connection, attachment, tools)

    async def _run(self, action: str, connection: Connection, attachment: Attachment | None, tools: Tools) -> bytes:
        info = {"adapter": connection.adapter, "data": connection.data, "driver_volume_type": connection.kind}
        told = info if action == "attach" else {"connection_info": info, "attachment": _told(attachment)}
        data = Secret(msgspec.json.encode(told).decode())
        request = RunAdapter(adapter=connection.adapter, action="attach" if action == "attach" else "detach", data=data)
        try:
            result = await tools.root.call(request)
        except FileNotFoundError as error:
            raise NotSupported(connection.kind, f"the adapter {connection.adapter} is not installed") from error
        if not result.ok:
            raise DriverFailed(f"the adapter {connection.adapter}, asked to {action},", result.complaint)
        return result.output


def _told(attachment: Attachment | None) -> dict[str, str] | None:
    if attachment is None:
        return None
    given = {
        "path": attachment.path,
        "type": attachment.type,
        "multipath_id": attachment.multipath,
        "scsi_wwn": attachment.wwn,
        "conf": attachment.conf,
    }
    return {key: value for key, value in given.items() if value is not None}
