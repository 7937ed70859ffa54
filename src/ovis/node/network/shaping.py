"""Limits on what networks send (hostQos), as classes of a card or bond. Pure; `privileged/shaping.py` makes them.

    red  (VLAN 7)   share 10, ceiling 100 ─┐ class 7 + 1
    blue (VLAN 9)   share 20 ──────────────┤ class 9 + 1        bond1, qdisc HFSC
    all that has no limits of its own ─────┘ the default class: that of the untagged network, if it has limits

A share says how much of the card a network gets beside the others when all of them send; what the default class gets
without limits of its own is the largest share of the others, so that the host itself is never starved by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovis.node.network.model import Configuration, Curve, HostQos
from ovis.node.network.state import Kind, State

DEFAULT = 0x1001


@dataclass(frozen=True)
class Shape:
    """Of one card or bond: limits by number of the class; `marks`: the class for all that leaves by a VLAN device."""

    classes: Mapping[int, HostQos]
    marks: Mapping[str, int] = field(default_factory=dict)


def shapes(wanted: Configuration, now: State) -> dict[str, Shape]:
    """By card or bond; those without limits are left out."""
    vlans = {(link.base, link.tag): link.name for link in now.present().values() if link.kind is Kind.VLAN}
    found = {}
    for base in {network.base for network in wanted.networks.values() if network.base and network.qos}:
        classes: dict[int, HostQos] = {}
        marks: dict[str, int] = {}
        for network in wanted.on(base):
            if network.qos is None:
                continue
            if network.vlan is None:
                classes[DEFAULT] = network.qos
            elif (device := vlans.get((base, network.vlan))) is not None:
                classes[network.vlan + 1] = network.qos
                marks[device] = network.vlan + 1
        if classes:
            largest = max((qos.share for qos in classes.values()), key=lambda curve: curve.rate)
            classes.setdefault(DEFAULT, HostQos(Curve(largest.rate)))
            found[base] = Shape(classes, marks)
    return found
