"""Graphical consoles. Passwords are written and never read: `Graphics` of a running VM has none."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import VmDeviceType, VmGraphicsDevice, VmGraphicsDeviceSpecParams, VmGraphicsDeviceType
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import WHOLE, YES_NO, Described, Device, at, many

UNKNOWN = "none set"
NEVER = "1970-01-01T00:00:01"
"""End of the validity of a console password that nobody knows: no one gets in until a ticket is set."""


@dataclass(frozen=True, kw_only=True)
class Listen(Described):
    tag = "listen"
    kind: str = at("@type")
    address: str | None = at("@address", default=None)
    network: str | None = at("@network", default=None)
    socket: str | None = at("@socket", default=None)


@dataclass(frozen=True, kw_only=True)
class SpiceChannel(Described):
    tag = "channel"
    name: str = at("@name")
    mode: str = at("@mode")


@dataclass(frozen=True, kw_only=True)
class Graphics(Device):
    """`kind`: vnc, spice, egl-headless …; ports are -1 until libvirt has chosen them."""

    tag = "graphics"
    kind: str = at("@type")
    port: int | None = at("@port", WHOLE, default=None)
    tls_port: int | None = at("@tlsPort", WHOLE, default=None)
    autoport: bool | None = at("@autoport", YES_NO, default=None)
    keymap: str | None = at("@keymap", default=None)
    default_mode: str | None = at("@defaultMode", default=None)
    password: str | None = at("@passwd", default=None)
    password_valid_to: str | None = at("@passwdValidTo", default=None)
    connected: str | None = at("@connected", default=None)
    listens: tuple[Listen, ...] = many("listen", Listen)
    channels: tuple[SpiceChannel, ...] = many("channel", SpiceChannel)
    copy_paste: bool | None = at("clipboard/@copypaste", YES_NO, default=None)
    file_transfer: bool | None = at("filetransfer/@enable", YES_NO, default=None)


def build(given: VmGraphicsDevice, board: Board, _field: str) -> list[Device]:
    chosen = given.port > 0
    spec = given.spec_params or VmGraphicsDeviceSpecParams()
    is_spice = given.device is VmGraphicsDeviceType.SPICE
    return [
        Graphics(
            kind=given.device.value,
            port=given.port if chosen else -1,
            tls_port=given.tls_port if is_spice and given.tls_port > 0 else None,
            autoport=not chosen,
            keymap=spec.key_map or None,
            password=UNKNOWN,
            password_valid_to=NEVER,
            listens=(Listen(kind="address", address=board.display_address),),
            channels=_channels(spec.spice_secure_channels) if is_spice else (),
            copy_paste=False if is_spice and not spec.copy_paste_enable else None,
            file_transfer=False if is_spice and not spec.file_transfer_enable else None,
        )
    ]


def _channels(given: str) -> tuple[SpiceChannel, ...]:
    """Older callers write smain where libvirt says main."""
    names = [
        name.strip().removeprefix("s") if name.strip() != "smartcard" else "smartcard" for name in given.split(",")
    ]
    return tuple(SpiceChannel(name=name, mode="secure") for name in names if name)


def tell(graphics: Graphics) -> VmGraphicsDevice:
    return VmGraphicsDevice(
        device=VmGraphicsDeviceType(graphics.kind),
        device_type=VmDeviceType.GRAPHICS,
        port=-1 if graphics.port is None else graphics.port,
        spec_params=VmGraphicsDeviceSpecParams(
            copy_paste_enable=graphics.copy_paste is not False,
            file_transfer_enable=graphics.file_transfer is not False,
            key_map=graphics.keymap,
            spice_secure_channels=",".join(channel.name for channel in graphics.channels if channel.mode == "secure"),
        ),
        tls_port=-1 if graphics.tls_port is None else graphics.tls_port,
    )
