"""Limits of networks in the kernel: HFSC on the card or bond, and a mark on all that leaves by a VLAN device.

The packets of VLAN 7 get priority 71:8 on eth0.7, and HFSC on eth0 puts them into its class of that number; so no
classifier has to look into tags, which most cards insert by themselves.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress

from ovis.node.network.errors import NotUp
from ovis.node.network.model import Configuration, Curve, HostQos
from ovis.node.network.shaping import DEFAULT, Shape, shapes
from ovis.node.network.state import State
from ovis.node.privileged import traffic_control as tc
from ovis.node.privileged.netlink import Channel, channel, index_of

HANDLE = 0x710000
"""Of our root qdiscs; the number is that of our routes, in tc's own notation 71: (hexadecimal for 113)."""
MARK = 115
"""Preference of our filters; those of mirrors are 113 and 114, and must differ (mirrors.py)."""
_MOST = (1 << 32) - 1
"""Bytes per second that HFSC can be told: 34 Gbit/s. More is no limit in practice."""


class Shaping:
    name = "hostQos"
    comes_first = False

    def follow(self, wanted: Configuration, now: State) -> None:
        """Raises NotUp where somebody else has limits on the card; OSError: this kernel has no HFSC."""
        shaped = shapes(wanted, now)
        found = {(one.device, one.parent): one for one in tc.qdiscs()}
        marks = {device: number for shape in shaped.values() for device, number in shape.marks.items()}
        indices = {name: index_of(name) for name in sorted({*shaped, *marks})} | _touched(found)
        with channel() as opened:
            for name, index in indices.items():
                root = found.get((index, tc.ROOT))
                if name in shaped:
                    _bring(opened, name, index, shaped[name], root)
                elif root is not None and root.handle == HANDLE:
                    tc.drop_root(opened, index, HANDLE, name)
                if name in marks or (index, tc.CLSACT) in found:
                    _mark(opened, name, index, marks.get(name))


def _touched(found: Mapping[tuple[int, int], tc.Object]) -> dict[str, int]:
    """Devices that may have something of ours, by name."""
    indices = {}
    for index, parent in found:
        if parent == tc.CLSACT or found[index, parent].handle == HANDLE:
            with suppress(OSError):  # it went this moment
                indices[socket.if_indextoname(index)] = index
    return indices


def _bring(opened: Channel, name: str, index: int, shape: Shape, root: tc.Object | None) -> None:
    if root is not None and root.handle not in (0, HANDLE):
        raise NotUp(f"{name} has limits (qdisc {root.kind}) of somebody else, so those of its networks cannot be set")
    if root is None or root.handle != HANDLE:
        tc.put_hfsc(opened, index, HANDLE, DEFAULT, name)
    there = {one.handle: tc.curves_of(one) for one in tc.objects(tc.GET_CLASS, index) if one.handle != HANDLE}
    wanted = {HANDLE | number: _curves(qos) for number, qos in shape.classes.items()}
    for number, curves in wanted.items():
        if there.get(number) != curves:
            if number in there and there[number].keys() - curves.keys():
                tc.drop_class(opened, index, number, name)  # the kernel changes curves, but takes none away
            tc.put_hfsc_class(opened, index, number, curves, name)
    for number in there.keys() - wanted.keys():
        if number & 0xFFFF0000 == HANDLE:
            tc.drop_class(opened, index, number, name)


def _mark(opened: Channel, name: str, index: int, number: int | None) -> None:
    filters = tc.objects(tc.GET_FILTER, index, tc.EGRESS)
    ours = [one for one in filters if one.preference == MARK]
    present = {mark for one in ours if (mark := tc.mark_of(one)) is not None}
    if number is None and not ours:
        return
    if number is not None and present == {HANDLE | number}:
        return
    if ours:
        tc.drop_filter(opened, index, tc.EGRESS, MARK, 0, f"mark of {name}")
    if number is not None:
        tc.add_hooks(opened, index, name)
        tc.add_mark(opened, index, tc.EGRESS, MARK, HANDLE | number, f"mark of {name}")
    elif len(ours) == len(filters) and not tc.objects(tc.GET_FILTER, index, tc.INGRESS):
        tc.drop_hooks(opened, index, name)


def _curves(qos: HostQos) -> Mapping[int, tc.Curve]:
    given = {tc.HFSC_GUARANTEE: qos.guarantee, tc.HFSC_SHARE: qos.share, tc.HFSC_CEILING: qos.ceiling}
    return {kind: _curve(curve) for kind, curve in given.items() if curve is not None}


def _curve(curve: Curve) -> tc.Curve:
    return min(curve.first // 8, _MOST), curve.microseconds, min(curve.rate // 8, _MOST)
