"""Networks of the host. The agent says which networks and bonds shall be; everything else is decided here, as root.

`ChangeNetworks` lasts until the change is kept or taken back: when the agent dies in between, the call is cancelled,
and that takes it back. When the helper dies, the next one finds the journal (network_journal.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from msgspec import Struct

from ovis.node.network.model import Bond, Network
from ovis.node.privileged.protocol import Request

if TYPE_CHECKING:
    from ovis.node.privileged.work import Work

APPLIED = 1
"""The progress (of 2) that is told when the change has been made and a proof of connection is waited for."""


class NetworkOutcome(Struct, frozen=True):
    """`error`: its name in the API, empty when done; `field`: where in the request; `problem`: for a person."""

    error: str = ""
    field: str = ""
    problem: str = ""


class ChangeNetworks(Request[NetworkOutcome], frozen=True, kw_only=True):
    """None takes a network or bond away. `confirm_within`: seconds to wait for ConfirmNetworks; None: do not wait.

    `save`: also for the next boot. On an outcome with an error everything is as it was, or the problem says what not.
    """

    answer: ClassVar[type] = NetworkOutcome
    seconds: ClassVar[float] = 300

    networks: dict[str, Network | None] = msgspec.field(default_factory=dict)
    bonds: dict[str, Bond | None] = msgspec.field(default_factory=dict)
    confirm_within: float | None = None
    save: bool = False


class ConfirmNetworks(Request[bool], frozen=True, kw_only=True):
    """A client has reached the host. Whether a change waited for it."""

    answer: ClassVar[type] = bool
    seconds: ClassVar[float] = 10


class SaveNetworks(Request[NetworkOutcome], frozen=True, kw_only=True):
    """The running configuration becomes the one of the next boot."""

    answer: ClassVar[type] = NetworkOutcome
    seconds: ClassVar[float] = 30


class RestoreNetworks(Request[NetworkOutcome], frozen=True, kw_only=True):
    """Take back a change that somebody died in; after a boot, make the saved configuration; look after DHCP clients.

    Safe to repeat.
    """

    answer: ClassVar[type] = NetworkOutcome
    seconds: ClassVar[float] = 300


class SetVirtualFunctions(Request[NetworkOutcome], frozen=True, kw_only=True):
    """Of the network card at a PCI address: all that there are go first. After an error there may be none.

    The next boot makes them again when the networks are saved.
    """

    answer: ClassVar[type] = NetworkOutcome
    seconds: ClassVar[float] = 55

    card: str
    count: int


async def set_virtual_functions(request: SetVirtualFunctions, work: Work) -> NetworkOutcome:
    from ovis.node.privileged import network_calls

    return await network_calls.set_virtual_functions(request, work)


async def change_networks(request: ChangeNetworks, work: Work) -> NetworkOutcome:
    from ovis.node.privileged import network_calls

    return await network_calls.change(request, work)


async def confirm_networks(request: ConfirmNetworks, work: Work) -> bool:
    from ovis.node.privileged import network_calls

    return network_calls.confirm()


async def save_networks(request: SaveNetworks, work: Work) -> NetworkOutcome:
    from ovis.node.privileged import network_calls

    return await network_calls.save(work)


async def restore_networks(request: RestoreNetworks, work: Work) -> NetworkOutcome:
    from ovis.node.privileged import network_calls

    return await network_calls.restore(work)
