"""The Host verbs about the machine itself. Those that answer from memory are plain functions and never wait."""

from __future__ import annotations

from typing import Protocol

import msgspec

from ovis.client.types import HardwareInformation, HostNetworkStatistics, VdsmCapabilities
from ovis.client.verbs import HostEchoArgs, HostSetLogLevelArgs
from ovis.node.host import log_level
from ovis.node.host.monitor import HostMonitor
from ovis.node.registry import verb


class WithHost(Protocol):
    """What these verbs need of a node."""

    @property
    def host(self) -> HostMonitor: ...

    def client_reached_us(self) -> None:
        """A change of networks that waits for it is kept."""
        ...


@verb("Host.ping")
def ping(node: WithHost, args: object) -> None:
    node.client_reached_us()


@verb("Host.confirmConnectivity")
def confirm_connectivity(node: WithHost, args: object) -> None:
    node.client_reached_us()


@verb("Host.ping2")
def ping2(node: WithHost, args: object) -> None:
    return None


@verb("Host.echo")
def echo(node: WithHost, args: HostEchoArgs) -> str:
    return args.message


@verb("Host.getStats")
def get_stats(node: WithHost, args: object) -> msgspec.Raw:
    return node.host.told_stats()


@verb("Host.getCapabilities")
async def get_capabilities(node: WithHost, args: object) -> VdsmCapabilities | msgspec.Raw:
    return await node.host.told_capabilities()


@verb("Host.getNetworkStatistics")
def get_network_statistics(node: WithHost, args: object) -> HostNetworkStatistics:
    latest = node.host.latest
    return HostNetworkStatistics(
        network=latest.network or {}, rx_dropped=latest.rx_dropped or 0, tx_dropped=latest.tx_dropped or 0
    )


@verb("Host.getHardwareInfo")
async def get_hardware_info(node: WithHost, args: object) -> HardwareInformation:
    return await node.host.hardware()


@verb("Host.setLogLevel")
def set_log_level(node: WithHost, args: HostSetLogLevelArgs) -> None:
    log_level.set_level(args.level, args.name)
