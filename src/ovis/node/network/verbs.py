"""The Host verbs about networks, but for those that answer from memory (host/verbs.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from ovis.client.types import VdsmNetworkCapabilities
from ovis.client.verbs import HostSetupNetworksArgs
from ovis.node.hooks.hooks import Hooks
from ovis.node.host.monitor import HostMonitor
from ovis.node.network import setup_hooks
from ovis.node.network.errors import PARAMS, Wrong
from ovis.node.network.model import Change
from ovis.node.network.networks import Networks
from ovis.node.network.wire_form import bond_of, network_of
from ovis.node.registry import verb

LONGEST_WAIT = 240
"""Seconds for a client to come; the verb's own deadline lies behind it."""


class WithNetworks(Protocol):
    """What these verbs need of a node."""

    @property
    def host(self) -> HostMonitor: ...

    @property
    def networks(self) -> Networks: ...

    @property
    def hooks(self) -> Hooks: ...


@verb("Host.setupNetworks")
async def setup_networks(node: WithNetworks, args: HostSetupNetworksArgs) -> None:
    options = args.options
    within: float | None = None
    if options is not None and options.connectivity_check:
        if options.connectivity_timeout > LONGEST_WAIT:
            raise Wrong(PARAMS, "options.connectivityTimeout", f"at most {LONGEST_WAIT} s")
        within = float(options.connectivity_timeout)
    save = options is not None and options.commit_on_success
    async with setup_hooks.around(node.hooks, args) as wanted:
        await node.networks.set_up(change_of(wanted), confirm_within=within, save=save)


@verb("Host.setSafeNetworkConfig")
async def set_safe_network_config(node: WithNetworks, args: object) -> None:
    await node.networks.save()


@verb("Host.getNetworkCapabilities")
async def get_network_capabilities(node: WithNetworks, args: object) -> VdsmNetworkCapabilities:
    return await node.host.network_capabilities()


def change_of(args: HostSetupNetworksArgs) -> Change:
    """Raises Wrong."""
    return Change(
        networks={n: network_of(n, _table(t)) if not t.remove else None for n, t in (args.networks or {}).items()},
        bonds={n: bond_of(n, _table(t)) if not t.remove else None for n, t in (args.bondings or {}).items()},
    )


def _table(attributes: msgspec.Struct) -> Mapping[str, Any]:
    table: Mapping[str, Any] = msgspec.to_builtins(attributes)
    return table
