"""What all migrations of a host share: the limits, and how other agents are reached."""

from __future__ import annotations

from collections.abc import Callable

from ovis.node.vm.migration.limits import Slots
from ovis.node.vm.migration.peer import AgentPeer, Peer
from ovis.node.vm.migration.settings import MigrationSettings


class Migrations:
    """`connect(address)` gives the agent there; nothing is sent before it is used."""

    def __init__(self, settings: MigrationSettings) -> None:
        self.settings = settings
        self.outgoing = Slots(settings.outgoing_limit)
        self.incoming_limit = settings.incoming_limit
        self.connect: Callable[[str], Peer] = lambda address: AgentPeer(address, settings)
