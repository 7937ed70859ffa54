"""Several beds on one switch, as several hosts, driven from outside."""

from contextlib import ExitStack
from ipaddress import IPv4Address
from typing import Any, Self

from deploy.bed import project
from deploy.bed.machine import Bed
from deploy.bed.settings import BedSettings, Card
from deploy.bed.switch import Switch


class Hosts:
    """A context manager. Hosts get the addresses .1, .2 … in the order in which they are first named."""

    def __init__(self) -> None:
        self.switch = Switch()
        self.beds: dict[str, Bed] = {}
        self._addresses: dict[str, IPv4Address] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.switch)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def address(self, name: str) -> IPv4Address:
        """Also of a host that is still to be started: so that others know it already (/etc/hosts)."""
        return self._addresses.setdefault(name, self.switch.network[len(self._addresses) + 1])

    def start(self, name: str, **settings: Any) -> Bed:
        """Boot a host with the project in it; keyword arguments as of BedSettings. One that was stopped boots anew."""
        card = Card(self.switch, self.address(name))
        settings = {"shares": project.shares(), "hosts": tuple(self._addresses.items()), **settings}
        bed = Bed(BedSettings(name, cards=(card,), **settings))
        bed.start()
        self._stack.callback(bed.stop)
        self.beds[name] = bed
        return bed
