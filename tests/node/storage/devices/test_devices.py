"""Disks of a made-up sysfs, over a simulated LVM."""

import asyncio
from pathlib import Path, PurePosixPath

import pytest
from made_up_disks import FIRST, GIB, REPORT, SECOND, Sysfs, devices, two_disks

from ovis.client.types import BlockDevicePathState, BlockDeviceStatus, BlockDeviceType, StorageDomainTypeId
from ovis.node.privileged.errors import HelperLost
from ovis.node.storage.devices import maps, path_states
from ovis.node.storage.devices.path_states import UnreadableMaps
from ovis.node.storage.lvm import describe, groups
from ovis.node.storage.lvm.errors import NoSuchDevice
from ovis.node.storage.lvm.isolation import Isolation
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.privileged import PrivilegedLvm


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return two_disks(tmp_path / "sys")


def test_a_map_is_described_with_its_paths(tmp_path: Path, sysfs: Sysfs) -> None:
    listing, _ = devices(tmp_path, sysfs)
    (told,) = asyncio.run(listing.listed(guids=[FIRST]))
    assert (told.guid, told.capacity, told.serial, told.vendor_id) == (FIRST, 16 * GIB, "beaf11", "IET")
    assert (told.devtype, told.status, told.pv_uuid) == (BlockDeviceType.I_SCSI, BlockDeviceStatus.FREE, "")
    assert [(path.physdev, path.lun, path.state) for path in told.pathstatus] == [
        ("sda", 7, BlockDevicePathState.ACTIVE),
        ("sdb", 7, BlockDevicePathState.FAILED),
    ]
    assert [session.connection for session in told.pathlist] == ["10.0.0.1", "10.0.0.2"]


def test_the_transport_chooses(tmp_path: Path, sysfs: Sysfs) -> None:
    listing, _ = devices(tmp_path, sysfs)
    assert [one.guid for one in asyncio.run(listing.listed(kind=BlockDeviceType.FCP))] == [SECOND]
    sysfs.device("dm-3", "mpath-both", ["sda", "sdc"])
    assert maps.read(sysfs.folder)[2].name == "both"
    assert [one.guid for one in asyncio.run(listing.listed(kind=BlockDeviceType.MIXED))] == ["both"]


def test_what_is_used_is_told_without_asking_for_it(tmp_path: Path, sysfs: Sysfs) -> None:
    async def main() -> None:
        listing, root = devices(tmp_path, sysfs)
        lvm = Lvm(PrivilegedLvm(root), Isolation())
        group = await groups.create(
            lvm, "9d8c7b6a-5f4e-4d3c-b2a1-0f1e2d3c4b5a", [PurePosixPath(f"/dev/mapper/{FIRST}")]
        )
        root.disks[f"/dev/mapper/{SECOND}"].signature = "ext4"
        first, second = await listing.listed(refresh=False)
        assert (first.status, first.vg_uuid) == (BlockDeviceStatus.USED, group.uuid)
        assert second.status is BlockDeviceStatus.USED
        assert {one.status for one in await listing.listed(check_status=False)} == {BlockDeviceStatus.UNKNOWN}
        maps_by_path = describe.by_path(await listing.maps())
        told = describe.describe(group, maps_by_path, {"sda": True})
        assert told.type is StorageDomainTypeId.ISCSI
        assert told.pvlist is not None
        assert (told.pvlist[0].guid, told.pvlist[0].serial) == (FIRST, "beaf11")
        assert describe.kind(group, {}) is None

    asyncio.run(main())


def test_a_map_with_partitions_is_used(tmp_path: Path, sysfs: Sysfs) -> None:
    sysfs.device("dm-4", f"part1-mpath-{SECOND}", ["dm-1"])
    sysfs.device("dm-1", f"mpath-{SECOND}", holders=["dm-4"])
    listing, _ = devices(tmp_path, sysfs)
    (told,) = asyncio.run(listing.listed(guids=[SECOND]))
    assert (told.partitioned, told.status) == (True, BlockDeviceStatus.USED)


def test_a_silent_multipathd_leaves_no_path_active(tmp_path: Path, sysfs: Sysfs) -> None:
    listing, root = devices(tmp_path, sysfs)
    root.multipathd = HelperLost("ReadMultipath")
    (told,) = asyncio.run(listing.listed(guids=[FIRST]))
    assert {path.state for path in told.pathstatus} == {BlockDevicePathState.FAILED}


def test_disks_that_are_missed_are_looked_for_once(tmp_path: Path, sysfs: Sysfs) -> None:
    async def main() -> None:
        listing, root = devices(tmp_path, sysfs)
        assert await listing.visibility([FIRST]) == {FIRST: True}
        assert not root.commands
        root.rescans = HelperLost("RescanSessions")  # a look that fails is no failure of the question
        assert await listing.visibility([FIRST, "other"]) == {FIRST: True, "other": False}
        assert [words[0] for words in root.commands].count("RescanSessions") == 1
        await listing.close()

    asyncio.run(main())


def test_many_who_look_share_a_look(tmp_path: Path, sysfs: Sysfs) -> None:
    async def main() -> None:
        listing, root = devices(tmp_path, sysfs)
        await asyncio.gather(*(listing.rescan.run() for _ in range(10)))
        assert [words[0] for words in root.commands].count("RescanSessions") <= 2

    asyncio.run(main())


def test_disks_are_named_by_identifier_or_path(tmp_path: Path, sysfs: Sysfs) -> None:
    listing, _ = devices(tmp_path, sysfs)
    first = PurePosixPath("/dev/mapper") / FIRST
    assert asyncio.run(listing.paths([FIRST, str(first)])) == [first, first]
    with pytest.raises(NoSuchDevice):
        asyncio.run(listing.paths([FIRST, "nothing"]))


def test_a_report_that_cannot_be_read_is_refused() -> None:
    assert path_states.read(REPORT.encode()) == {"sda": True, "sdb": False}
    with pytest.raises(UnreadableMaps):
        path_states.read(b"timeout\n")


@pytest.mark.parametrize(
    ("text", "known"), [("wz--n-", True), ("wz-pn-", True), ("rz--C-", True), ("", False), ("??????", False)]
)
def test_attributes_are_letters_of_lvm(text: str, known: bool) -> None:
    assert (describe.attributes(text) is not None) == known
