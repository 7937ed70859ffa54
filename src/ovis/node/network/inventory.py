"""The networks of a configuration as the host has them now, in the words of the API."""

from __future__ import annotations

from ovis.client.types import (
    BandwidthCurve,
    HostBandwidthParams,
    HostQoSParams,
    NetInfoBond,
    NetInfoBridgedNetwork,
    NetInfoBridgelessNetwork,
    NetInfoNetwork,
    NetInfoNic,
    NetInfoVlan,
)
from ovis.node.host.network import Network as Found
from ovis.node.network.layout import carrier
from ovis.node.network.model import Configuration, Curve, HostQos, Network


def describe(configuration: Configuration, found: Found) -> dict[str, NetInfoNetwork]:
    """A network whose device is not there is left out: the host does not have it."""
    described: dict[str, NetInfoNetwork] = {}
    for name, network in configuration.networks.items():
        if network.bridged:
            bridge = found.bridges.get(name)
            if bridge is not None:
                described[name] = _bridged(network, bridge)
        elif (device := _device(carrier(network), found)) is not None:
            described[name] = _bridgeless(network, device)
    return described


def _bridged(network: Network, bridge: NetInfoBridgedNetwork) -> NetInfoBridgedNetwork:
    return NetInfoBridgedNetwork(
        bridged=True,
        iface=network.name,
        switch=network.switch.value,
        host_qos=_qos(network.qos) if network.qos else None,
        addr=bridge.addr,
        netmask=bridge.netmask,
        gateway=bridge.gateway,
        ipv4addrs=bridge.ipv4addrs,
        ipv4defaultroute=bridge.ipv4defaultroute,
        ipv6addrs=bridge.ipv6addrs,
        ipv6gateway=bridge.ipv6gateway,
        ipv6autoconf=network.ipv6.autoconf,
        dhcpv4=bridge.dhcpv4,
        dhcpv6=bridge.dhcpv6,
        mtu=bridge.mtu,
        ports=bridge.ports,
        stp=bridge.stp,
        opts=bridge.opts,
    )


def _bridgeless(network: Network, device: NetInfoNic | NetInfoBond | NetInfoVlan) -> NetInfoBridgelessNetwork:
    name = carrier(network)
    return NetInfoBridgelessNetwork(
        bridged=False,
        interface=name,
        iface=name,
        switch=network.switch.value,
        addr=device.addr,
        netmask=device.netmask,
        gateway="" if isinstance(device, NetInfoVlan) else device.gateway,
        ipv4addrs=device.ipv4addrs,
        ipv4defaultroute=device.ipv4defaultroute,
        ipv6addrs=device.ipv6addrs,
        ipv6gateway=device.ipv6gateway,
        dhcpv4=device.dhcpv4,
        dhcpv6=device.dhcpv6,
        mtu=device.mtu,
    )


def _device(name: str, found: Found) -> NetInfoNic | NetInfoBond | NetInfoVlan | None:
    return found.nics.get(name) or found.bonds.get(name) or found.vlans.get(name)


def _qos(qos: HostQos) -> HostQoSParams:
    out = HostBandwidthParams(
        ls=_curve(qos.share),
        ul=_curve(qos.ceiling) if qos.ceiling else None,
        rt=_curve(qos.guarantee) if qos.guarantee else None,
    )
    return HostQoSParams(out=out)


def _curve(curve: Curve) -> BandwidthCurve:
    return BandwidthCurve(
        m2_bits_per_second=curve.rate, m1_bits_per_second=curve.first or None, d_us=curve.microseconds or None
    )
