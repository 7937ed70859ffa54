"""The table of all kinds of devices: what builds each from parameters, reads it from XML, and tells it to clients.

A device that stands in no row is passed through untouched when it comes in domain XML, and refused among parameters.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from ovis.client import types
from ovis.client.types import VmDevice
from ovis.node.errors import BadParameter
from ovis.node.vm.devices import (
    balloon,
    channel,
    console,
    controller,
    disk,
    graphics,
    hostdev,
    interface,
    lease,
    memory,
    panic,
    redirdev,
    rng,
    smartcard,
    sound,
    tpm,
    video,
    watchdog,
)
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import Device
from ovis.node.vm.errors import BadXml

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """`given` is the parameters' type, `build` makes devices of it; `tell` is the way back. None: in XML only."""

    device: type[Device]
    given: type | None = None
    build: Callable[[Any, Board, str], list[Device]] | None = None
    tell: Callable[[Any], Any] | None = None


KINDS = (
    Kind(disk.Disk, types.VmDiskDevice, disk.build, disk.tell),
    Kind(interface.Interface, types.VmInterfaceDevice, interface.build, interface.tell),
    Kind(graphics.Graphics, types.VmGraphicsDevice, graphics.build, graphics.tell),
    Kind(video.Video, types.VmVideoDevice, video.build, video.tell),
    Kind(sound.Sound, types.VmSoundDevice, sound.build, sound.tell),
    Kind(console.Console, types.VmConsoleDevice, console.build, console.tell),
    Kind(console.Serial),
    Kind(channel.Channel, types.VmChannelDevice, channel.build, channel.tell),
    Kind(controller.Controller, types.VmControllerDevice, controller.build, controller.tell),
    Kind(balloon.Balloon, types.VmBalloonDevice, balloon.build, balloon.tell),
    Kind(rng.Rng, types.VmRngDevice, rng.build, rng.tell),
    Kind(watchdog.Watchdog, types.VmWatchdogDevice, watchdog.build, watchdog.tell),
    Kind(tpm.Tpm, types.VmTpmDevice, tpm.build, tpm.tell),
    Kind(smartcard.Smartcard, types.VmSmartcardDevice, smartcard.build, smartcard.tell),
    Kind(hostdev.HostDevice, types.VmHostDevice, hostdev.build, hostdev.tell),
    Kind(lease.Lease, types.VmLeaseDevice, lease.build_unplaced, lease.tell),
    Kind(memory.Memory),
    Kind(redirdev.RedirDevice),
    Kind(panic.Panic),
)
BY_TAG = {kind.device.tag: kind for kind in KINDS}
BY_GIVEN = {kind.given: kind for kind in KINDS if kind.given is not None}


def build(given: Any, board: Board, field: str) -> list[Device]:
    """The devices that one of the parameters' devices means. Raises BadParameter naming `field`."""
    kind = BY_GIVEN.get(type(given))
    if kind is None or kind.build is None:
        raise BadParameter(field, f"devices of type {given.__class__.__name__} are not supported here")
    return kind.build(given, board, field)


def read(element: etree._Element, where: str = "") -> Device | None:
    """None for an element that is of no kind we know. Raises BadXml."""
    kind = BY_TAG.get(str(element.tag))
    return None if kind is None else kind.device.read(element, where)


def read_all(root: etree._Element) -> Iterator[Device]:
    """The devices of a domain description; one that cannot be understood is left out, for it runs all the same."""
    for element in root.iterfind("devices/*"):
        try:
            device = read(element)
        except BadXml as error:
            log.debug("a device is not understood: %s", error)
            continue
        if device is not None:
            yield device


def tell(device: Device) -> VmDevice | None:
    """As clients describe it; None where their words do not reach."""
    kind = BY_TAG[device.tag]
    if kind.tell is None:
        return None
    try:
        told = kind.tell(device)
    except ValueError:  # a model that the API has no word for
        return None
    return told if isinstance(told, VmDevice) else None
