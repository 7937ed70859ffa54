"""What the drivers ask of the root helper, from the data that storage systems' drivers give."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import pytest

from ovis.node.errors import BadParameter
from ovis.node.privileged.adapters import RunAdapter
from ovis.node.privileged.client import Told
from ovis.node.privileged.protocol import CommandResult, Request, Secret
from ovis.node.privileged.rbd import MapRbd, RbdImage, UnmapRbd
from ovis.node.storage.managed import kinds
from ovis.node.storage.managed.adapter import AdapterDriver
from ovis.node.storage.managed.driver import Attachment, Connection, Driver, Tools
from ovis.node.storage.managed.errors import DriverFailed, NotSupported
from ovis.node.storage.managed.iscsi import IscsiDriver, Way, ways
from ovis.node.storage.managed.iscsi import _Data as IscsiData
from ovis.node.storage.managed.rbd import RbdDriver

CEPH = {
    "name": "volumes/volume-1",
    "hosts": ["10.0.0.1", "fd00::1"],
    "ports": ["6789", 6790],
    "auth_username": "cinder",
    "keyring": "QUJD",
    "cluster_name": "ceph",
    "secret_uuid": None,
}
INFO = {"adapter": "acme", "data": {"a": 1}, "driver_volume_type": "custom"}
ACME = Connection("custom", {"a": 1}, "acme")


class Root:
    """Answers everything alike."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Request[Any]] = []

    async def call(self, request: Request[Any], *, seconds: float | None = None, told: Told | None = None) -> Any:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def nobody(volume: str) -> Sequence[Connection]:
    return ()


def tools(root: Root) -> Tools:
    return Tools(root, cast(Any, None), nobody)


def attach(driver: Driver, connection: Connection, root: Root) -> Attachment:
    return asyncio.run(driver.attach("volume", connection, tools(root)))


def detach(driver: Driver, connection: Connection, root: Root, attachment: Attachment | None = None) -> None:
    asyncio.run(driver.detach("volume", connection, attachment, tools(root)))


def test_ceph_is_asked_for_the_image_with_its_monitors_and_key() -> None:
    root = Root(CommandResult(0, b"/dev/rbd0"))
    assert attach(RbdDriver(), Connection("rbd", CEPH), root) == Attachment("/dev/rbd0")
    detach(RbdDriver(), Connection("rbd", CEPH), root)
    image = RbdImage("volumes", "volume-1")
    monitors = ["10.0.0.1:6789", "[fd00::1]:6790"]
    mapped = MapRbd(image=image, monitors=monitors, user="cinder", keyring=Secret("QUJD"))
    assert root.asked == [mapped, UnmapRbd(image=image)]
    assert "QUJD" not in str(mapped)


def test_ceph_without_its_program_is_not_supported() -> None:
    root = Root(FileNotFoundError(2, "not installed", "rbd"))
    with pytest.raises(NotSupported, match="ceph-common"):
        attach(RbdDriver(), Connection("rbd", CEPH), root)


def test_an_image_of_ceph_that_is_in_use_stays() -> None:
    with pytest.raises(DriverFailed, match="which stays"):
        detach(RbdDriver(), Connection("rbd", CEPH), Root(CommandResult(16, b"", b"Device or resource busy")))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("rbd", {**CEPH, "name": "no-pool"}),
        ("rbd", {**CEPH, "ports": ["1"]}),
        ("rbd", {"name": "a/b"}),
        ("local", {}),
        ("iscsi", {}),
        ("iscsi", {"target_portals": ["a:1"], "target_iqns": ["x", "y"], "target_luns": [1]}),
        ("iscsi", {"target_portal": "host:port", "target_iqn": "x"}),
    ],
)
def test_wrong_data_is_refused_before_anything_is_done(kind: str, data: dict[str, Any]) -> None:
    connection = Connection(kind, data)
    with pytest.raises(BadParameter, match=r"connection_info\.data"):
        kinds.driver(connection).check(connection)


def test_ways_to_a_unit() -> None:
    one = {"target_portal": "10.0.0.1:3261,1", "target_iqn": "iqn.x", "target_lun": 3}
    assert IscsiDriver().check(Connection("iscsi", one)) is None  # type: ignore[func-returns-value]
    assert ways(IscsiData("10.0.0.1:3261,1", "iqn.x", 3)) == [Way("iqn.x", "10.0.0.1", 3261, 3)]
    several = IscsiData(target_portals=["[fd00::1]:3260", "[fd00::2]"], target_iqns=["a", "b"], target_luns=[1, 2])
    assert ways(several) == [Way("a", "fd00::1", 3260, 1), Way("b", "fd00::2", 3260, 2)]


def test_an_adapter_is_told_the_connection_and_tells_the_device() -> None:
    root = Root(CommandResult(0, b'{"path": "/dev/dm-3", "type": "block", "scsi_wwn": "36001", "more": 1}'))
    found = attach(AdapterDriver(), ACME, root)
    assert found == Attachment("/dev/dm-3", wwn="36001")
    detach(AdapterDriver(), ACME, root, found)
    first, second = cast(list[RunAdapter], root.asked)
    assert (first.adapter, first.action, first.data.text) == ("acme", "attach", text(INFO))
    attachment = {"path": "/dev/dm-3", "type": "block", "scsi_wwn": "36001"}
    assert (second.action, second.data.text) == ("detach", text({"connection_info": INFO, "attachment": attachment}))


def text(value: object) -> str:
    return msgspec.json.encode(value).decode()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (CommandResult(1, b"", b"no such array"), DriverFailed),
        (CommandResult(0, b"ok"), DriverFailed),
        (FileNotFoundError(2, "No such file or directory"), NotSupported),
    ],
)
def test_an_adapter_that_fails(answer: object, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        attach(AdapterDriver(), ACME, Root(answer))


def test_a_connection_with_an_adapter_goes_to_it_whatever_its_kind() -> None:
    assert isinstance(kinds.driver(Connection("iscsi", {}, "acme")), AdapterDriver)
    with pytest.raises(NotSupported, match="iscsi, local, rbd"):
        kinds.driver(Connection("fibre_channel", {}))
