"""Mirrored networks: cards of VMs that get a copy of every frame of a network, for intrusion detection and the like.

A bridge in promiscuous mode gets all that it forwards, so two filters on its own device (in, out) see everything:

    every frame of the bridge `red` ──► filters of preference 113, 114 ──► copy ──► vnet7, a card of a VM

What shall be is given whole and compared with what is there, so it may be told again at any time. A VM that ended
needs no care: the kernel makes its filters void, and the next comparison removes them.
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request

if TYPE_CHECKING:
    from ovis.node.privileged.netlink import Channel
    from ovis.node.privileged.work import Work

INWARD, OUTWARD = 113, 114
"""Preferences of our filters; 113 is on our routes, too. They differ because u32 keeps the tables of both directions
of a device in one list, told apart by the preference alone (cls_u32.c, tc_u_common_ptr)."""
_NAME = re.compile(r"[^\s/:]{1,15}")
_NEW_LINK = 16
_PROMISCUOUS = 0x100


class MirrorNetworks(Request[CommandResult], frozen=True, kw_only=True):
    """`mirrors`: {bridge: cards of VMs (vnet7) that get a copy}. Exactly these are there on return; nothing of others
    is touched. What is gone meanwhile is left out: status 1, named in `errors`, when all else is done."""

    seconds: ClassVar[float] = 30

    mirrors: dict[str, list[str]] = msgspec.field(default_factory=dict)


async def mirror_networks(request: MirrorNetworks, work: Work) -> CommandResult:
    net = Path(work.rules.sysfs) / "class/net"
    for bridge, cards in request.mirrors.items():
        _check(bridge, net, "bridge")
        for card in cards:
            _check(card, net, "tun_flags")
    missing = await asyncio.to_thread(_bring, request.mirrors, net)
    return CommandResult(1 if missing else 0, b"", ", ".join(missing).encode())


def _check(name: str, net: Path, mark: str) -> None:
    """Raises Refused for what is there and is something else. `lo` is on every host."""
    if not _NAME.fullmatch(name) or name in (".", "..", "lo"):
        raise Refused(f"the device {name!r}", "only bridges are mirrored, and only to cards of VMs")
    if (net / name).exists() and not (net / name / mark).exists():
        raise Refused(f"the device {name}", "only bridges are mirrored, and only to cards of VMs")


def _bring(mirrors: Mapping[str, list[str]], net: Path) -> list[str]:
    """Devices that are gone."""
    from ovis.node.privileged.netlink import channel

    missing = [name for name in mirrors if not (net / name).exists()]
    with channel() as opened:
        for folder in sorted(net.iterdir()):
            if (folder / "bridge").exists():
                cards = {name: _index(net / name) for name in mirrors.get(folder.name, [])}
                missing += [name for name, index in cards.items() if not index]
                with suppress(FileNotFoundError):  # the bridge went this moment
                    _bring_bridge(opened, folder.name, _index(folder), {index for index in cards.values() if index})
    return missing


def _bring_bridge(opened: Channel, name: str, bridge: int, wanted: set[int]) -> None:
    from ovis.node.privileged import traffic_control as tc

    places = ((tc.INGRESS, INWARD), (tc.EGRESS, OUTWARD))
    found = {preference: tc.objects(tc.GET_FILTER, bridge, parent) for parent, preference in places}
    had = any(one.preference == preference for preference, filters in found.items() for one in filters)
    if not wanted and not had:
        return
    if wanted:
        tc.add_hooks(opened, bridge, name)
        _set_promiscuous(opened, bridge, name, is_on=True)
    for parent, preference in places:
        there = {
            one.handle: target
            for one in found[preference]
            if one.preference == preference and (target := tc.mirror_target(one)) is not None
        }
        for handle, target in there.items():
            if target not in wanted:
                tc.drop_filter(opened, bridge, parent, preference, handle if wanted else 0, f"mirror of {name}")
        for target in sorted(wanted.difference(there.values())):
            tc.add_mirror(opened, bridge, parent, preference, target, f"mirror of {name}")
    if not wanted:
        _set_promiscuous(opened, bridge, name, is_on=False)
        if all(one.preference in found for filters in found.values() for one in filters):
            tc.drop_hooks(opened, bridge, name)


def _set_promiscuous(opened: Channel, device: int, name: str, *, is_on: bool) -> None:
    body = struct.pack("=BxHiII", 0, 0, device, _PROMISCUOUS if is_on else 0, _PROMISCUOUS)
    opened.do(_NEW_LINK, body, what=f"promiscuous mode of {name}")


def _index(folder: Path) -> int:
    try:
        return int((folder / "ifindex").read_text())
    except OSError:
        return 0
