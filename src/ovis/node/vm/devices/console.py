"""Text consoles, and the serial port behind one."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import VmConsoleDevice, VmConsoleDeviceSpecParams, VmConsoleDeviceType, VmDeviceType
from ovis.node.errors import BadParameter
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import WHOLE, Device, at, one


@dataclass(frozen=True, kw_only=True)
class Serial(Device):
    """`kind`: pty, unix, tcp …; `source` is the host's terminal or socket."""

    tag = "serial"
    kind: str = at("@type")
    mode: str | None = at("source/@mode", default=None)
    source: str | None = at("source/@path", default=None)
    target: str | None = at("target/@type", default=None)
    port: int | None = at("target/@port", WHOLE, default=None)
    model: str | None = at("target/model/@name", default=None)
    address: Address | None = one("address", Address)


@dataclass(frozen=True, kw_only=True)
class Console(Device):
    """`target`: serial or virtio."""

    tag = "console"
    kind: str = at("@type")
    mode: str | None = at("source/@mode", default=None)
    source: str | None = at("source/@path", default=None)
    target: str | None = at("target/@type", default=None)
    port: int | None = at("target/@port", WHOLE, default=None)


def build(given: VmConsoleDevice, _board: Board, field: str) -> list[Device]:
    # A console has no member of its own that it must have, so anything unknown reads as one.
    if given.device_type is not VmDeviceType.CONSOLE:
        raise BadParameter(field, f"a device of type {given.device_type} needs other members, or is not supported")
    kind = given.spec_params.console_type if given.spec_params else None
    if kind is VmConsoleDeviceType.VIRTIO:
        return [Console(kind="pty", target="virtio")]
    return [Serial(kind="pty", port=0), Console(kind="pty", target="serial", port=0)]


def tell(console: Console) -> VmConsoleDevice:
    return VmConsoleDevice(
        device_type=VmDeviceType.CONSOLE,
        spec_params=VmConsoleDeviceSpecParams(
            console_type=VmConsoleDeviceType(console.target or "serial"), enable_socket=console.kind == "unix"
        ),
    )
