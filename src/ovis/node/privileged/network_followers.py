"""What goes along with networks on this host (network/follower.py), and the kinds of switches that it has."""

from __future__ import annotations

from pathlib import Path

from ovis.node.network.follower import Follower
from ovis.node.network.model import Switch
from ovis.node.privileged.other_managers import OtherManagers
from ovis.node.privileged.shaping import Shaping


def followers(etc: Path = Path("/etc"), running: Path = Path("/run")) -> tuple[Follower, ...]:
    """In the order in which they follow a change."""
    return (OtherManagers(etc, running), Shaping())


def switches() -> frozenset[Switch]:
    return frozenset({Switch.LEGACY})
