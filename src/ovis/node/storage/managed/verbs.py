"""The verbs of class ManagedVolume. They translate and decide nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ovis.client.types import ManagedVolumeAttachement, ManagedVolumeConnection, ManagedVolumeInformation
from ovis.client.verbs import (
    ManagedVolumeAttachVolumeArgs,
    ManagedVolumeDetachVolumeArgs,
    ManagedVolumeVolumesInfoArgs,
)
from ovis.node.errors import BadParameter
from ovis.node.registry import verb
from ovis.node.storage import arguments
from ovis.node.storage.managed.driver import Attachment, Connection

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.storage.managed.volumes import Managed

SECRETS = ("password", "secret", "keyring", "key", "token")
"""Values under a name that ends with one of these are not shown again."""


@verb("ManagedVolume.attach_volume")
async def attach_volume(node: Node, args: ManagedVolumeAttachVolumeArgs) -> ManagedVolumeInformation:
    given = args.connection_info
    if not isinstance(given.data, dict):
        raise BadParameter("connection_info.data", "must be an object")
    connection = Connection(given.driver_volume_type, given.data, given.adapter or "")
    domain = arguments.domain_or_none(args.sd_id) or ""
    done = await node.storage.managed.attach(args.vol_id.lower(), domain, connection)
    return _told(done)


@verb("ManagedVolume.detach_volume")
async def detach_volume(node: Node, args: ManagedVolumeDetachVolumeArgs) -> None:
    def users(paths: Collection[str]) -> list[str]:
        running = [vm for vm in node.vms if not vm.is_down]
        return [
            vm.id
            for vm in running
            if not vm.arriving_disks.isdisjoint(paths) or any(disk.path in paths for disk in vm.definition.disks)
        ]

    await node.storage.managed.detach(args.vol_id.lower(), users)


@verb("ManagedVolume.volumes_info")
async def volumes_info(node: Node, args: ManagedVolumeVolumesInfoArgs) -> list[ManagedVolumeInformation]:
    wanted = {volume.lower() for volume in args.vol_ids}
    found = await node.storage.managed.all()
    return [_described(one) for one in found if not wanted or one.record.volume in wanted]


def _told(done: Managed, **more: Any) -> ManagedVolumeInformation:
    attachment = done.record.attachment
    return ManagedVolumeInformation(
        vol_id=done.record.volume,
        attachment=None if attachment is None else _attachment(attachment),
        path=None if attachment is None else attachment.path,
        managed_path=None if attachment is None or done.link is None else str(done.link),
        **more,
    )


def _described(one: Managed) -> ManagedVolumeInformation:
    connection = one.record.connection
    info = ManagedVolumeConnection(
        adapter=connection.adapter or None, data=_shown(connection.data), driver_volume_type=connection.kind
    )
    return _told(one, connection_info=info, exists=one.exists)


def _shown(value: Any) -> Any:
    """Who may look at a host gets no password of its storage."""
    if isinstance(value, dict):
        return {key: _shown(inner) for key, inner in value.items() if not str(key).lower().endswith(SECRETS)}
    return [_shown(inner) for inner in value] if isinstance(value, list) else value


def _attachment(found: Attachment) -> ManagedVolumeAttachement:
    return ManagedVolumeAttachement(
        path=found.path, type=found.type, multipath_id=found.multipath, scsi_wwn=found.wwn, conf=found.conf
    )
