"""Byte channels between host and guest, by which agents and SPICE talk."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import VmChannelDevice, VmChannelDeviceType, VmDeviceType
from ovis.node.vm.definition import AGENT_CHANNEL
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import Device, at, one


@dataclass(frozen=True, kw_only=True)
class Channel(Device):
    """`kind`: unix, spicevmc …; `name` is what the guest finds it by; `state`: connected or disconnected."""

    tag = "channel"
    kind: str = at("@type")
    mode: str | None = at("source/@mode", default=None)
    source: str | None = at("source/@path", default=None)
    target: str | None = at("target/@type", default=None)
    name: str | None = at("target/@name", default=None)
    state: str | None = at("target/@state", default=None)
    address: Address | None = one("address", Address)


def build(given: VmChannelDevice, board: Board, _field: str) -> list[Device]:
    if given.device is VmChannelDeviceType.SPICEVMC:
        return [Channel(kind="spicevmc", target="virtio", name="com.redhat.spice.0")]
    return agent(board)


def agent(board: Board) -> list[Device]:
    """The guest agent's, once however often it is asked for."""
    if board.has_agent_channel:
        return []
    board.has_agent_channel = True
    return [Channel(kind="unix", target="virtio", name=AGENT_CHANNEL)]


def tell(channel: Channel) -> VmChannelDevice:
    return VmChannelDevice(
        address=address.tell(channel.address),
        alias=channel.alias,
        device=VmChannelDeviceType(channel.kind),
        device_type=VmDeviceType.CHANNEL,
    )
