"""The disks of this host as the API lists them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath

from ovis.client.types import (
    BlockDeviceInfo,
    BlockDevicePathInfo,
    BlockDevicePathState,
    BlockDeviceStatus,
    BlockDeviceType,
    IscsiSessionInfo,
)
from ovis.node.errors import NodeError
from ovis.node.privileged.client import Root
from ovis.node.privileged.multipath import ReadMultipath
from ovis.node.storage.devices import maps, path_states
from ovis.node.storage.devices.maps import DiskPath, MultipathMap
from ovis.node.storage.devices.rescan import Rescan
from ovis.node.storage.lvm import groups
from ovis.node.storage.lvm.errors import NoSuchDevice
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.reports import PhysicalVolume

log = logging.getLogger(__name__)

SYSFS = Path("/sys")


class Devices:
    def __init__(self, root: Root, lvm: Lvm, *, sysfs: Path = SYSFS) -> None:
        self._root = root
        self._lvm = lvm
        self._sysfs = sysfs
        self.rescan = Rescan(root, sysfs)

    async def close(self) -> None:
        await self.rescan.close()

    async def listed(
        self,
        *,
        kind: BlockDeviceType | None = None,
        guids: Collection[str] = (),
        check_status: bool = True,
        refresh: bool = True,
    ) -> list[BlockDeviceInfo]:
        """Multipath maps; `kind` and `guids` choose among them. Raises LvmFailed."""
        if refresh:
            await self.rescan.run()
        found = [
            one
            for one in await self.maps()
            if (not guids or one.guid in guids) and (kind is None or kind_of(one) is kind)
        ]
        members = {device.name: device for device in await self._lvm.devices()} if found else {}
        used = await self._used(found, members) if check_status else None
        states = await self.path_states()
        return [describe(one, states, members.get(str(one.path)), used) for one in found]

    async def visibility(self, guids: Collection[str]) -> dict[str, bool]:
        """Whether each is seen; looked for once more when one is not."""
        seen = await asyncio.to_thread(maps.guids, self._sysfs)
        if not seen.issuperset(guids):
            await self.rescan.run()
            seen = await asyncio.to_thread(maps.guids, self._sysfs)
        return {guid: guid in seen for guid in guids}

    async def maps(self) -> Sequence[MultipathMap]:
        return await asyncio.to_thread(maps.read, self._sysfs)

    async def path_states(self) -> Mapping[str, bool]:
        """Disk -> whether multipath uses it. Empty when multipathd does not answer: then nothing is active for us."""
        try:
            told = await self._root.call(ReadMultipath(what="maps"))
            return path_states.read(told.check("asking multipathd for its maps").output)
        except (NodeError, OSError) as error:
            log.warning("the state of no path is known: %s", error)
            return {}

    async def paths(self, names: Sequence[str]) -> list[PurePosixPath]:
        """Of disks as the API names them: multipath identifiers, or paths below /dev. Raises NoSuchDevice."""
        known = {one.guid: one.path for one in await self.maps()}
        known |= {one.name: one.path for one in await self.maps()}
        missing = [name for name in names if not name.startswith("/dev/") and name not in known]
        if missing:
            raise NoSuchDevice(missing)
        return [PurePosixPath(name) if name.startswith("/dev/") else known[name] for name in names]

    async def _used(self, found: Sequence[MultipathMap], members: Mapping[str, PhysicalVolume]) -> set[str]:
        """Paths of those that are not free."""
        used = {str(one.path) for one in found if one.holders or not one.paths}
        used |= {str(one.path) for one in found if str(one.path) in members and members[str(one.path)].group}
        unsure = [str(one.path) for one in found if str(one.path) not in used]
        return used | {path for path, _ in await groups.used_devices(self._lvm, unsure)}


def kind_of(one: MultipathMap) -> BlockDeviceType:
    """What is not iSCSI counts as Fibre Channel: a disk that is simply there."""
    kinds = {path.is_iscsi for path in one.paths}
    if kinds == {True, False}:
        return BlockDeviceType.MIXED
    return BlockDeviceType.I_SCSI if kinds == {True} else BlockDeviceType.FCP


def describe(
    one: MultipathMap, states: Mapping[str, bool], member: PhysicalVolume | None, used: Collection[str] | None
) -> BlockDeviceInfo:
    """`used`: paths of disks that are not free; None: nobody looked."""
    status = BlockDeviceStatus.UNKNOWN
    if used is not None:
        status = BlockDeviceStatus.USED if str(one.path) in used else BlockDeviceStatus.FREE
    return BlockDeviceInfo(
        guid=one.guid,
        capacity=one.size,
        devtype=kind_of(one),
        discard_max_bytes=one.discard_limit,
        discard_zeroes_data=0,
        fwrev=one.revision,
        logicalblocksize=one.logical_block,
        physicalblocksize=one.physical_block,
        partitioned=one.is_partitioned,
        pathlist=sessions_of(one),
        pathstatus=paths_of(one, states),
        product_id=one.product,
        vendor_id=one.vendor,
        serial=one.serial,
        pvsize=member.size if member else None,
        pv_uuid=member.uuid if member else "",
        vg_uuid=member.group_uuid if member else "",
        status=status,
    )


def paths_of(one: MultipathMap, states: Mapping[str, bool]) -> list[BlockDevicePathInfo]:
    return [
        BlockDevicePathInfo(
            physdev=path.disk,
            lun=path.unit,
            capacity=path.size,
            state=BlockDevicePathState.ACTIVE if states.get(path.disk) else BlockDevicePathState.FAILED,
            type=BlockDeviceType.I_SCSI if path.is_iscsi else BlockDeviceType.FCP,
        )
        for path in one.paths
    ]


def sessions_of(one: MultipathMap) -> list[IscsiSessionInfo]:
    return [_session(path) for path in one.paths if path.session is not None]


def _session(path: DiskPath) -> IscsiSessionInfo:
    session = path.session
    assert session is not None
    return IscsiSessionInfo(
        connection=session.host,
        iqn=session.target,
        port=str(session.port),
        portal=str(session.group),
        initiatorname=session.interface,
    )
