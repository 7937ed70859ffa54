"""Several beds on one switch, as several hosts, driven from outside."""

from collections.abc import Sequence
from contextlib import ExitStack
from ipaddress import IPv4Address
from typing import Any, Self

from deploy.bed import project
from deploy.bed.machine import Bed
from deploy.bed.settings import BedSettings, Card
from deploy.bed.switch import MAIN, Switch


class Hosts:
    """A context manager. A host has one number in all networks: 1, 2 … in the order in which they are first named."""

    def __init__(self) -> None:
        self.switch = Switch()
        self.beds: dict[str, Bed] = {}
        self._numbers: dict[str, int] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.switch)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def address(self, name: str, network: str = MAIN) -> IPv4Address:
        """Also of a host that is still to be started: others find it by its name then (/etc/hosts)."""
        return self.switch.network(network)[self._numbers.setdefault(name, len(self._numbers) + 1)]

    def start(self, name: str, *, networks: Sequence[str] = (MAIN,), **settings: Any) -> Bed:
        """Boot a host with the project in it and a card in each network; more arguments are those of BedSettings.

        One that was stopped boots anew.
        """
        cards = tuple(Card(self.switch, network, self.address(name, network)) for network in networks)
        names = tuple((other, self.address(other)) for other in self._numbers)
        bed = Bed(BedSettings(name, cards=cards, **{"shares": project.shares(), "hosts": names, **settings}))
        bed.start()
        self._stack.callback(bed.stop)
        self.beds[name] = bed
        return bed
