"""The verbs about disks and volume groups, as they come over the wire."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_up_disks import FIRST, SECOND, devices, two_disks
from storage_host import call

from ovis.node.storage.lvm.isolation import Isolation
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.privileged import PrivilegedLvm
from ovis.wire.errors import RpcError

GROUP = "9d8c7b6a-5f4e-4d3c-b2a1-0f1e2d3c4b5a"


@pytest.fixture
def storage(tmp_path: Path) -> Any:
    listing, root = devices(tmp_path, two_disks(tmp_path / "sys"))
    host = SimpleNamespace(lvm=Lvm(PrivilegedLvm(root), Isolation()))
    return SimpleNamespace(
        events=None, jobs=None, parts=SimpleNamespace(devices=listing, block_host=host, privileged=root)
    )


def test_a_group_is_made_listed_and_removed_by_its_id(storage: Any) -> None:
    async def main() -> None:
        group = await call(storage, "LVMVolumeGroup.create", name=GROUP, devlist=[FIRST, SECOND], force=False)
        told = await call(storage, "LVMVolumeGroup.getInfo", lvmvolumegroupID=group)
        assert (told["name"], told["state"], told["vgUUID"]) == (GROUP, "OK", group)
        assert [device["GUID"] for device in told["pvlist"]] == [FIRST, SECOND]
        assert told["vgsize"] == str(2 * 125 * (128 << 20))  # numbers of groups travel as text
        listed = await call(storage, "Host.getLVMVolumeGroups", storageType=None)
        assert [one["name"] for one in listed] == [GROUP]
        assert await call(storage, "Host.getLVMVolumeGroups", storageType="FCP") == []
        disks = await call(storage, "Host.getDeviceList")
        assert {disk["status"] for disk in disks} == {"used"}
        await call(storage, "LVMVolumeGroup.remove", lvmvolumegroupID=group)
        assert {disk["status"] for disk in await call(storage, "Host.getDeviceList", refresh=False)} == {"free"}
        assert await call(storage, "Host.getDevicesVisibility", guidList=[FIRST, "no"]) == {FIRST: True, "no": False}

    asyncio.run(main())


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("LVMVolumeGroup.getInfo", {"lvmvolumegroupID": "none"}, 506),
        ("LVMVolumeGroup.remove", {"lvmvolumegroupID": "none"}, 506),
        ("LVMVolumeGroup.create", {"name": GROUP, "devlist": ["nothing"]}, 606),
        ("LVMVolumeGroup.create", {"name": GROUP, "devlist": []}, 606),
    ],
)
def test_what_is_wrong_has_its_code(storage: Any, method: str, params: dict[str, Any], code: int) -> None:
    with pytest.raises(RpcError) as told:
        asyncio.run(call(storage, method, **params))
    assert told.value.code == code
