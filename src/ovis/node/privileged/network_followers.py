"""What goes along with networks on this host (network/follower.py), and the kinds of switches that it has."""

from __future__ import annotations

from ovis.node.network.follower import Follower
from ovis.node.network.model import Switch
from ovis.node.privileged.shaping import Shaping


def followers() -> tuple[Follower, ...]:
    """In the order in which they follow a change."""
    return (Shaping(),)


def switches() -> frozenset[Switch]:
    return frozenset({Switch.LEGACY})
