"""Disks: what the guest sees as a hard disk or a LUN, a CD drive or a floppy drive.

The source is a file, a block device (`block`), an image that servers of the network offer, or absent in an empty drive.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from ovis.client.types import (
    NetworkDiskAuthInfo,
    NetworkDiskHostInfo,
    SharedDriveType,
    VmDeviceType,
    VmDiskDevice,
    VmDiskDeviceFormat,
    VmDiskDeviceInterface,
    VmDiskDeviceIoTuneParams,
    VmDiskDeviceSpecParams,
    VmDiskDeviceType,
)
from ovis.node.errors import BadParameter
from ovis.node.vm.definition import network_address
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import WHOLE, Described, Device, at, is_there, many, one

REMOVABLE = ("cdrom", "floppy")
NETWORK = "network"


@dataclass(frozen=True, kw_only=True)
class IoTune(Described):
    """Bytes and requests per second."""

    tag = "iotune"
    total_bytes_sec: int | None = at("total_bytes_sec", WHOLE, default=None)
    read_bytes_sec: int | None = at("read_bytes_sec", WHOLE, default=None)
    write_bytes_sec: int | None = at("write_bytes_sec", WHOLE, default=None)
    total_iops_sec: int | None = at("total_iops_sec", WHOLE, default=None)
    read_iops_sec: int | None = at("read_iops_sec", WHOLE, default=None)
    write_iops_sec: int | None = at("write_iops_sec", WHOLE, default=None)


@dataclass(frozen=True, kw_only=True)
class NetworkHost(Described):
    tag = "host"
    name: str | None = at("@name", default=None)
    port: str | None = at("@port", default=None)
    transport: str | None = at("@transport", default=None)
    socket: str | None = at("@socket", default=None)


@dataclass(frozen=True, kw_only=True)
class Auth(Described):
    """The key itself is a secret of libvirt: `secret` is its id. `usage` is another way to name it."""

    tag = "auth"
    username: str = at("@username")
    kind: str = at("secret/@type")
    secret: str | None = at("secret/@uuid", default=None)
    usage: str | None = at("secret/@usage", default=None)


@dataclass(frozen=True, kw_only=True)
class Disk(Device):
    """`kind`: file, block, network; `device`: disk, lun, cdrom, floppy. `cache`, `io` … are QEMU's words."""

    tag = "disk"
    kind: str = at("@type", default="file")
    device: str = at("@device", default="disk")
    snapshot: str | None = at("@snapshot", default=None)
    sgio: str | None = at("@sgio", default=None)
    driver: str | None = at("driver/@name", default=None)
    format: str | None = at("driver/@type", default=None)
    error_policy: str | None = at("driver/@error_policy", default=None)
    cache: str | None = at("driver/@cache", default=None)
    io: str | None = at("driver/@io", default=None)
    discard: str | None = at("driver/@discard", default=None)
    detect_zeroes: str | None = at("driver/@detect_zeroes", default=None)
    iothread: int | None = at("driver/@iothread", WHOLE, default=None)
    file: str | None = at("source/@file", default=None)
    block: str | None = at("source/@dev", default=None)
    protocol: str | None = at("source/@protocol", default=None)
    network_name: str | None = at("source/@name", default=None)
    startup_policy: str | None = at("source/@startupPolicy", default=None)
    network_hosts: tuple[NetworkHost, ...] = many("source/host", NetworkHost)
    auth: Auth | None = one("auth", Auth)
    target: str = at("target/@dev")
    bus: str | None = at("target/@bus", default=None)
    tray: str | None = at("target/@tray", default=None)
    readonly: bool = is_there("readonly")
    shareable: bool = is_there("shareable")
    serial: str | None = at("serial", default=None)
    wwn: str | None = at("wwn", default=None)
    boot_order: int | None = at("boot/@order", WHOLE, default=None)
    io_tune: IoTune | None = one("iotune", IoTune)
    address: Address | None = one("address", Address)

    @property
    def path(self) -> str | None:
        """None for an empty drive and a disk of the network. Engines write an empty drive as file=""."""
        return self.file or self.block or None

    @property
    def backing(self) -> str | None:
        """What it is known by: its path, or an address for a disk of the network."""
        if self.path or not self.protocol:
            return self.path
        host = next(iter(self.network_hosts), NetworkHost())
        return network_address(self.protocol, self.network_name, name=host.name, port=host.port, socket=host.socket)

    @property
    def is_removable(self) -> bool:
        return self.device in REMOVABLE


def build(given: VmDiskDevice, board: Board, field: str) -> list[Device]:
    """Raises BadParameter."""
    if given.protocol or given.hosts or given.disk_type == NETWORK:
        return [_network_disk(given, board, field)]
    if given.volume_id and not given.path:
        raise BadParameter(field, "disks named by their volume are not supported yet; give their path")
    removable = given.device.value in REMOVABLE
    if not given.path and not removable:
        raise BadParameter(f"{field}.path", "is missing; disks are named by their path")
    is_block = given.path in board.block_paths
    if given.device is VmDiskDeviceType.LUN and not is_block:
        raise BadParameter(f"{field}.path", f"{given.path} is no block device, which a LUN must be")
    bus = "fdc" if given.device is VmDiskDeviceType.FLOPPY else board.bus(given.iface, removable=removable)
    board.needs_virtio_scsi |= bus == "scsi"
    spec = given.spec_params
    return [
        Disk(
            kind="block" if is_block else "file",
            device=given.device.value,
            driver="qemu",
            format="qcow2" if given.format is VmDiskDeviceFormat.COW else "raw",
            error_policy="report" if given.propagate_errors else "stop",
            cache="none" if is_block else None,
            io="native" if is_block else None,
            iothread=spec.pin_to_io_thread if spec else None,
            file=None if is_block else given.path or None,
            block=given.path if is_block else None,
            startup_policy="optional" if given.optional and given.path else None,
            target=board.target(bus, given.name, field),
            bus=bus,
            readonly=bool(given.readonly) or given.device is VmDiskDeviceType.CDROM,
            shareable=given.shared in (True, "shared"),
            serial=given.image_id,
            boot_order=given.boot_order or None,
            io_tune=_io_tune(spec.io_tune) if spec and spec.io_tune else None,
            address=address.from_parameters(given.address),
        )
    ]


def _network_disk(given: VmDiskDevice, board: Board, field: str) -> Disk:
    """`path` is the image's name at the servers. Who they are and what they take is left to QEMU."""
    if not given.protocol:
        raise BadParameter(f"{field}.protocol", "is missing; a disk of the network has one")
    if given.device is not VmDiskDeviceType.DISK:
        raise BadParameter(f"{field}.device", f"a {given.device.value} cannot be a disk of the network")
    bus = board.bus(given.iface, removable=False)
    board.needs_virtio_scsi |= bus == "scsi"
    spec, auth = given.spec_params, given.auth
    return Disk(
        kind=NETWORK,
        driver="qemu",
        format="qcow2" if given.format is VmDiskDeviceFormat.COW else "raw",
        error_policy="report" if given.propagate_errors else "stop",
        cache="none",
        iothread=spec.pin_to_io_thread if spec else None,
        protocol=given.protocol,
        network_name=given.path or None,
        network_hosts=tuple(_host(host) for host in given.hosts or []),
        auth=Auth(username=auth.username, kind=auth.type, secret=auth.uuid) if auth else None,
        target=board.target(bus, given.name, field),
        bus=bus,
        readonly=bool(given.readonly),
        shareable=given.shared in (True, "shared"),
        serial=given.image_id,
        boot_order=given.boot_order or None,
        io_tune=_io_tune(spec.io_tune) if spec and spec.io_tune else None,
        address=address.from_parameters(given.address),
    )


def _host(given: NetworkDiskHostInfo) -> NetworkHost:
    if given.transport == "unix":
        return NetworkHost(transport="unix", socket=given.name)
    return NetworkHost(name=given.name, port=given.port or None, transport=given.transport or None)


def _told_host(host: NetworkHost) -> NetworkDiskHostInfo:
    return NetworkDiskHostInfo(name=host.socket or host.name or "", port=host.port, transport=host.transport)


def _io_tune(given: VmDiskDeviceIoTuneParams) -> IoTune:
    return IoTune(
        total_bytes_sec=given.total_bytes_sec_bytes_per_second or None,
        read_bytes_sec=given.read_bytes_sec_bytes_per_second or None,
        write_bytes_sec=given.write_bytes_sec_bytes_per_second or None,
        total_iops_sec=given.total_iops_sec or None,
        read_iops_sec=given.read_iops_sec or None,
        write_iops_sec=given.write_iops_sec or None,
    )


def _told_io_tune(found: IoTune) -> VmDiskDeviceIoTuneParams:
    return VmDiskDeviceIoTuneParams(
        total_bytes_sec_bytes_per_second=found.total_bytes_sec or 0,
        read_bytes_sec_bytes_per_second=found.read_bytes_sec or 0,
        write_bytes_sec_bytes_per_second=found.write_bytes_sec or 0,
        total_iops_sec=found.total_iops_sec or 0,
        read_iops_sec=found.read_iops_sec or 0,
        write_iops_sec=found.write_iops_sec or 0,
    )


def tell(disk: Disk) -> VmDiskDevice:
    spec = None
    if disk.io_tune is not None or disk.iothread is not None:
        spec = VmDiskDeviceSpecParams(
            io_tune=_told_io_tune(disk.io_tune) if disk.io_tune else None, pin_to_io_thread=disk.iothread
        )
    auth = disk.auth if disk.auth and disk.auth.secret else None
    return VmDiskDevice(
        address=address.tell(disk.address),
        alias=disk.alias,
        auth=NetworkDiskAuthInfo(type=auth.kind, username=auth.username, uuid=auth.secret or "") if auth else None,
        boot_order=disk.boot_order,
        device=VmDiskDeviceType(disk.device),
        device_type=VmDeviceType.DISK,
        disk_type=NETWORK if disk.kind == NETWORK else None,
        format=VmDiskDeviceFormat.COW if disk.format == "qcow2" else VmDiskDeviceFormat.RAW,
        hosts=[_told_host(host) for host in disk.network_hosts] or None,
        iface=VmDiskDeviceInterface(disk.bus) if disk.bus else None,
        image_id=disk.serial if disk.serial and _is_uuid(disk.serial) else None,
        name=disk.target,
        optional=True if disk.startup_policy == "optional" else None,
        path=disk.path or disk.network_name or "",
        propagate_errors=disk.error_policy == "report",
        protocol=disk.protocol,
        readonly=disk.readonly,
        shared=SharedDriveType.SHARED if disk.shareable else None,
        spec_params=spec,
    )


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return len(text) == 36
