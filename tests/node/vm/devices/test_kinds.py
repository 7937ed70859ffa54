"""Each kind of device against its golden file: what is read of it is written again, and no property is left untried."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from ovis.client.types import VmMemoryDevice
from ovis.node.errors import BadParameter
from ovis.node.vm.devices import hostdev, kinds, memory
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import PLACE, Described, Device
from ovis.node.vm.devices.disk import Disk
from ovis.node.vm.errors import BadXml

GOLDEN = Path(__file__).parent / "golden"
TAGS = sorted(kinds.BY_TAG)


def elements(tag: str) -> list[etree._Element]:
    parser = etree.XMLParser(remove_blank_text=True)
    return list(etree.fromstring((GOLDEN / f"{tag}.xml").read_bytes(), parser))


def devices(tag: str) -> list[Device]:
    found = [kinds.read(element) for element in elements(tag)]
    return [device for device in found if device is not None]


@pytest.mark.parametrize("tag", TAGS)
def test_what_is_read_is_written_again(tag: str) -> None:
    for element, device in zip(elements(tag), devices(tag), strict=True):
        assert etree.canonicalize(device.element()) == etree.canonicalize(element)


@pytest.mark.parametrize("tag", TAGS)
def test_every_property_stands_in_the_golden_file(tag: str) -> None:
    seen: set[str] = set()
    declared: set[str] = set()
    for device in devices(tag):
        look(device, tag, seen)
    declare(kinds.BY_TAG[tag].device, tag, declared)
    assert declared - seen == set()


SHARED = {"address", "host_address"}  # places in the machine are looked at once, over all kinds


def look(device: Described, where: str, seen: set[str]) -> None:
    for item in fields(device):
        value = getattr(device, item.name)
        if item.default is MISSING or value != item.default or where.startswith(("hostdev.mode",)):
            seen.add(f"{where}.{item.name}")
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Described):
                look(inner, f"{where}.{item.name}", seen)


def declare(kind: type[Described], where: str, declared: set[str]) -> None:
    for item in fields(kind):
        declared.add(f"{where}.{item.name}")
        inner = item.metadata[PLACE].inner
        if inner is not None and item.name not in SHARED:
            declare(inner, f"{where}.{item.name}", declared)


def test_every_property_of_an_address_stands_in_some_golden_file() -> None:
    seen: set[str] = set()
    for tag in TAGS:
        for device in devices(tag):
            found: Any = getattr(device, "address", None)
            if found is not None:
                look(found, "address", seen)
    assert seen == {f"address.{item.name}" for item in fields(Address)}


def test_a_wrong_value_names_device_and_property() -> None:
    with pytest.raises(BadXml, match="disk/boot/@order: 'first' is not a whole number"):
        Disk.read(etree.fromstring("<disk><target dev='vda'/><boot order='first'/></disk>"))
    with pytest.raises(BadXml, match="disk/target/@dev: is missing"):
        Disk.read(etree.fromstring("<disk/>"))


@pytest.mark.parametrize("tag", [tag for tag in TAGS if kinds.BY_TAG[tag].build])
def test_what_is_told_to_clients_builds_the_same_device(tag: str) -> None:
    names = {hostdev.name(device): "" for device in devices("hostdev") if isinstance(device, hostdev.HostDevice)}
    assert "pci_0000_3b_01_1" in names
    for device in devices(tag):
        told = kinds.tell(device)
        if told is None or tag == "hostdev":
            continue
        path = getattr(told, "path", None)
        is_block = isinstance(device, Disk) and device.kind == "block"
        board = Board(True, "192.0.2.1", frozenset({path}) if is_block and path else frozenset())
        try:
            again = kinds.build(told, board, "x")[-1]
        except BadParameter:  # a card of the host: described, not made
            assert told.device.value == "hostdev"  # type: ignore[attr-defined]
            continue
        for item in fields(again):
            value = getattr(again, item.name)
            if value is not None and item.name not in MADE_HERE and f"{tag}.{item.name}" not in PLACED_LATER:
                assert value == getattr(device, item.name), f"{tag}.{item.name}"


MADE_HERE = {"password", "password_valid_to", "listens", "kind", "mode", "error_policy", "cache", "io", "source",
             "stats_period", "autoport", "driver", "format", "bridge", "link_up", "shareable", "model",
             "action"}  # fmt: skip
PLACED_LATER = {"lease.path", "lease.offset"}


def test_a_device_of_the_host_is_found_by_libvirt_s_name() -> None:
    xml = "<device><capability type='{}'>{}</capability></device>"
    usb = hostdev.of_host(xml.format("usb_device", "<bus>1</bus><device>4</device>"), "f")
    assert (usb.kind, usb.host and usb.host.device) == ("usb", 4)
    scsi = hostdev.of_host(xml.format("scsi", "<host>3</host><bus>0</bus><target>1</target><lun>2</lun>"), "f")
    assert hostdev.name(scsi) == "scsi_3_0_1_2"
    mdev = hostdev.of_host(xml.format("mdev", "<uuid>c2177883-f1bb-47f0-914d-32a22e3a8804</uuid>"), "f")
    assert hostdev.name(mdev) == "mdev_c2177883_f1bb_47f0_914d_32a22e3a8804"
    with pytest.raises(BadParameter, match="kind net cannot be given"):
        hostdev.of_host(xml.format("net", ""), "f")


def test_modules_of_odd_sizes_are_refused() -> None:
    given = VmMemoryDevice(device="memory", device_type="memory", node=0, size=100 << 20)  # type: ignore[arg-type]
    with pytest.raises(BadParameter, match="multiple of 128 MiB"):
        memory.build(given, "f")


def test_an_unknown_device_is_left_out_and_a_broken_one_too() -> None:
    root = etree.fromstring("<domain><devices><vsock/><disk/><sound model='ac97'/></devices></domain>")
    assert [device.tag for device in kinds.read_all(root)] == ["sound"]
