"""libvirt's XML of the devices that a caller describes by plain parameters: one function and one row per kind.

A kind without a row is refused. Names of disk targets and the controllers that disks need are kept in `Board`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from ovis.client.types import (
    VmBalloonDevice,
    VmChannelDevice,
    VmConsoleDevice,
    VmConsoleDeviceType,
    VmControllerDevice,
    VmControllerDeviceType,
    VmDeviceType,
    VmDiskDevice,
    VmDiskDeviceFormat,
    VmDiskDeviceInterface,
    VmDiskDeviceType,
    VmGraphicsDevice,
    VmInterfaceDevice,
    VmRngDevice,
    VmRngDeviceSource,
    VmSoundDevice,
    VmVideoDevice,
    VmWatchdogDevice,
)
from ovis.node.errors import BadParameter
from ovis.node.vm.definition import AGENT_CHANNEL

NEVER = "1970-01-01T00:00:01"
"""End of the validity of a console password that nobody knows: no one gets in until a ticket is set."""

_BUSES = {
    VmDiskDeviceInterface.VIRTIO: "virtio",
    VmDiskDeviceInterface.SCSI: "scsi",
    VmDiskDeviceInterface.FDC: "fdc",
}
_PREFIXES = {"virtio": "vd", "scsi": "sd", "sata": "sd", "ide": "hd", "fdc": "fd"}
_TARGET = re.compile(r"[hsvf]d[a-z]{1,2}")


@dataclass
class Board:
    """What the devices plug into. `block_paths` are those of the disk paths that are block devices."""

    is_q35: bool
    display_address: str
    block_paths: frozenset[str] = frozenset()
    taken: set[str] = field(default_factory=set)
    needs_virtio_scsi: bool = False
    has_agent_channel: bool = False

    def bus(self, iface: VmDiskDeviceInterface | None, *, removable: bool) -> str:
        """The chipset q35 has no IDE; what was meant is its SATA."""
        if iface is VmDiskDeviceInterface.IDE or (iface is None and removable):
            return "sata" if self.is_q35 else "ide"
        return _BUSES[iface] if iface is not None else "virtio"

    def target(self, bus: str, wanted: str | None, field_name: str) -> str:
        if wanted is None:
            wanted = next(
                name for letter in "abcdefghijklmnopqrstuvwxyz" if (name := _PREFIXES[bus] + letter) not in self.taken
            )
        elif not _TARGET.fullmatch(wanted):
            raise BadParameter(f"{field_name}.name", f"{wanted!r} is no name of a disk such as vda")
        elif wanted in self.taken:
            raise BadParameter(f"{field_name}.name", f"{wanted} is used by another disk")
        self.taken.add(wanted)
        return wanted


def build(device: Any, board: Board, field_name: str) -> list[etree._Element]:
    """The elements of one device. Raises BadParameter naming `field_name`."""
    builder = BUILDERS.get(type(device))
    if builder is None:
        raise BadParameter(field_name, f"devices of type {device.device_type} are not supported")
    # A console has no member of its own that it must have, so anything unknown reads as one.
    if isinstance(device, VmConsoleDevice) and device.device_type is not VmDeviceType.CONSOLE:
        raise BadParameter(
            field_name, f"a device of type {device.device_type} needs other members, or is not supported"
        )
    return builder(device, board, field_name)


def disk(device: VmDiskDevice, board: Board, field_name: str) -> list[etree._Element]:
    _refuse_other_disks(device, field_name)
    removable = device.device in (VmDiskDeviceType.CDROM, VmDiskDeviceType.FLOPPY)
    if not device.path and not removable:
        raise BadParameter(f"{field_name}.path", "is missing; disks are named by their path")
    is_block = device.path in board.block_paths
    if device.device is VmDiskDeviceType.LUN and not is_block:
        raise BadParameter(f"{field_name}.path", f"{device.path} is no block device, which a LUN must be")
    bus = "fdc" if device.device is VmDiskDeviceType.FLOPPY else board.bus(device.iface, removable=removable)
    board.needs_virtio_scsi |= bus == "scsi"
    element = etree.Element("disk", type="block" if is_block else "file", device=device.device.value)
    driver = etree.SubElement(element, "driver", name="qemu", type=_format(device))
    driver.set("error_policy", "report" if device.propagate_errors else "stop")
    if is_block:
        driver.set("cache", "none")
        driver.set("io", "native")
    if device.path:
        etree.SubElement(element, "source", {"dev" if is_block else "file": device.path})
    etree.SubElement(element, "target", dev=board.target(bus, device.name, field_name), bus=bus)
    if device.readonly or device.device is VmDiskDeviceType.CDROM:
        etree.SubElement(element, "readonly")
    if device.shared in (True, "shared"):
        etree.SubElement(element, "shareable")
    if device.image_id:
        etree.SubElement(element, "serial").text = device.image_id
    if device.boot_order:
        etree.SubElement(element, "boot", order=str(device.boot_order))
    return [element]


def _refuse_other_disks(device: VmDiskDevice, field_name: str) -> None:
    if device.protocol or device.hosts or device.disk_type == "network":
        raise BadParameter(field_name, "network disks are not supported yet")
    if device.volume_id and not device.path:
        raise BadParameter(field_name, "disks named by their volume are not supported yet; give their path")


def _format(device: VmDiskDevice) -> str:
    return "qcow2" if device.format is VmDiskDeviceFormat.COW else "raw"


def interface(device: VmInterfaceDevice, _board: Board, field_name: str) -> list[etree._Element]:
    if not device.network:
        raise BadParameter(f"{field_name}.network", "is missing; a card is connected to a bridge of the host")
    element = etree.Element("interface", type="bridge")
    etree.SubElement(element, "mac", address=device.mac_addr)
    etree.SubElement(element, "source", bridge=device.network)
    model = "virtio" if device.nic_model.value == "pv" else device.nic_model.value
    etree.SubElement(element, "model", type=model)
    if device.link_active is not None:
        etree.SubElement(element, "link", state="up" if device.link_active else "down")
    if device.filter:
        reference = etree.SubElement(element, "filterref", filter=device.filter)
        for parameter in device.filter_parameters:
            etree.SubElement(reference, "parameter", name=parameter.name, value=parameter.value)
    if device.boot_order:
        etree.SubElement(element, "boot", order=str(device.boot_order))
    return [element]


def graphics(device: VmGraphicsDevice, board: Board, _field_name: str) -> list[etree._Element]:
    chosen = device.port > 0
    element = etree.Element("graphics", type=device.device.value, port=str(device.port if chosen else -1))
    element.set("autoport", "no" if chosen else "yes")
    if device.spec_params and device.spec_params.key_map:
        element.set("keymap", device.spec_params.key_map)
    element.set("passwd", "none set")
    element.set("passwdValidTo", NEVER)
    etree.SubElement(element, "listen", type="address", address=board.display_address)
    return [element]


def video(device: VmVideoDevice, _board: Board, _field_name: str) -> list[etree._Element]:
    kind = {"std": "vga", "vmware": "vmvga"}.get(device.device.value, device.device.value)
    element = etree.Element("video")
    model = etree.SubElement(element, "model", type=kind)
    given = device.spec_params
    if given and kind != "none":
        sizes = {"vram": given.vram, "ram": given.ram, "vgamem": given.vgamem}
        known = sizes if kind == "qxl" else {"vram": given.vram}
        for name, size in known.items():
            if size:
                model.set(name, str(size >> 10))
        if given.heads:
            model.set("heads", str(given.heads))
    return [element]


def console(device: VmConsoleDevice, _board: Board, _field_name: str) -> list[etree._Element]:
    kind = device.spec_params.console_type if device.spec_params else None
    if kind is VmConsoleDeviceType.VIRTIO:
        element = etree.Element("console", type="pty")
        etree.SubElement(element, "target", type="virtio")
        return [element]
    serial = etree.Element("serial", type="pty")
    etree.SubElement(serial, "target", port="0")
    element = etree.Element("console", type="pty")
    etree.SubElement(element, "target", type="serial", port="0")
    return [serial, element]


def channel(device: VmChannelDevice, board: Board, _field_name: str) -> list[etree._Element]:
    if device.device.value == "spicevmc":
        element = etree.Element("channel", type="spicevmc")
        etree.SubElement(element, "target", type="virtio", name="com.redhat.spice.0")
        return [element]
    return agent_channel(board)


def agent_channel(board: Board) -> list[etree._Element]:
    """The guest agent's, once however often it is asked for."""
    if board.has_agent_channel:
        return []
    board.has_agent_channel = True
    element = etree.Element("channel", type="unix")
    etree.SubElement(element, "target", type="virtio", name=AGENT_CHANNEL)
    return [element]


def balloon(device: VmBalloonDevice, _board: Board, _field_name: str) -> list[etree._Element]:
    model = device.spec_params.model.value if device.spec_params else "virtio"
    element = etree.Element("memballoon", model=model)
    if model == "virtio":
        etree.SubElement(element, "stats", period="5")
    return [element]


def rng(device: VmRngDevice, _board: Board, _field_name: str) -> list[etree._Element]:
    element = etree.Element("rng", model=device.model.value)
    given = device.spec_params
    if given.bytes:
        rate = etree.SubElement(element, "rate", bytes=str(given.bytes))
        if given.period_ms:
            rate.set("period", str(given.period_ms))
    source = "/dev/hwrng" if given.source is VmRngDeviceSource.HWRNG else "/dev/urandom"
    etree.SubElement(element, "backend", model="random").text = source
    return [element]


def controller(device: VmControllerDevice, board: Board, _field_name: str) -> list[etree._Element]:
    element = etree.Element("controller", type=device.device.value)
    if device.model:
        element.set("model", device.model)
    if device.device is VmControllerDeviceType.SCSI:
        board.needs_virtio_scsi = False  # the caller brings its own
    return [element]


def watchdog(device: VmWatchdogDevice, _board: Board, _field_name: str) -> list[etree._Element]:
    given = device.spec_params
    model = given.model.value.lower() if given and given.model else "i6300esb"
    return [etree.Element("watchdog", model=model, action=given.action.value if given and given.action else "none")]


def sound(device: VmSoundDevice, _board: Board, _field_name: str) -> list[etree._Element]:
    kind = {"hda": "ich6"}.get(device.device.value, device.device.value)
    return [etree.Element("sound", model=kind)]


BUILDERS: dict[type, Callable[[Any, Board, str], list[etree._Element]]] = {
    VmDiskDevice: disk,
    VmInterfaceDevice: interface,
    VmGraphicsDevice: graphics,
    VmVideoDevice: video,
    VmConsoleDevice: console,
    VmChannelDevice: channel,
    VmBalloonDevice: balloon,
    VmRngDevice: rng,
    VmControllerDevice: controller,
    VmWatchdogDevice: watchdog,
    VmSoundDevice: sound,
}
