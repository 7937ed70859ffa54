"""Networks and bonds as tables of plain values, by the names of the API: what callers send and what files hold.

Reading raises Wrong, naming the field. What is out of range or does not fit together is for `checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, ip_interface
from typing import Any

from ovis.node.network import bond_options
from ovis.node.network.errors import ADDRESS, BONDING, PARAMS, VLAN, Wrong
from ovis.node.network.model import DEFAULT_MTU, Bond, Curve, HostQos, Ipv4, Ipv6, Network, Switch

Table = Mapping[str, Any]
_TRUE, _FALSE = ("yes", "on", "true", "1"), ("no", "off", "false", "0", "")


def network_of(name: str, table: Table) -> Network:
    at = f"networks.{name}"
    return Network(
        name=name,
        nic=_text(at, table, "nic"),
        bond=_text(at, table, "bonding"),
        vlan=_vlan(at, table.get("vlan")),
        bridged=_truth(at, "bridged", table.get("bridged", True)),
        mtu=_number(at, "mtu", table.get("mtu", DEFAULT_MTU)),
        stp=_truth(at, "STP", table.get("STP", table.get("stp", False))),
        ipv4=_ipv4(at, table),
        ipv6=_ipv6(at, table),
        default_route=_truth(at, "defaultRoute", table.get("defaultRoute", False)),
        nameservers=_texts(at, table, "nameservers"),
        switch=_switch(at, table),
        qos=_qos(at, table.get("hostQos")),
        custom={str(key): str(value) for key, value in (table.get("custom") or {}).items()},
    )


def table_of_network(network: Network) -> dict[str, Any]:
    """`network_of` makes the same network of it."""
    ipv4, ipv6 = network.ipv4, network.ipv6
    table: dict[str, Any] = {
        "bridged": network.bridged,
        "mtu": network.mtu,
        "stp": network.stp,
        "bootproto": "dhcp" if ipv4.dhcp else "none",
        "dhcpv6": ipv6.dhcp,
        "ipv6autoconf": ipv6.autoconf,
        "defaultRoute": network.default_route,
        "switch": network.switch.value,
    }
    if ipv4.address:
        netmask = str(IPv4Network(f"0.0.0.0/{ipv4.prefix}").netmask)
        table |= {"ipaddr": ipv4.address, "netmask": netmask}
    optional = {
        "nic": network.nic,
        "bonding": network.bond,
        "gateway": ipv4.gateway,
        "ipv6addr": f"{ipv6.address}/{ipv6.prefix}" if ipv6.address else "",
        "ipv6gateway": ipv6.gateway,
        "custom": dict(network.custom),
    }
    table |= {key: value for key, value in optional.items() if value}
    if network.vlan is not None:
        table["vlan"] = network.vlan
    if network.nameservers is not None:
        table["nameservers"] = list(network.nameservers)
    if network.qos is not None:
        curves = {"ls": network.qos.share, "ul": network.qos.ceiling, "rt": network.qos.guarantee}
        table["hostQos"] = {"out": {key: _table_of_curve(curve) for key, curve in curves.items() if curve}}
    return table


def bond_of(name: str, table: Table) -> Bond:
    at = f"bondings.{name}"
    try:
        options = bond_options.parse(_text(at, table, "options"))
    except ValueError as error:
        raise Wrong(BONDING, f"{at}.options", str(error)) from error
    return Bond(
        name=name,
        ports=tuple(sorted(_texts(at, table, "nics") or ())),
        options=options,
        mac=_text(at, table, "hwaddr").lower(),
        switch=_switch(at, table),
    )


def table_of_bond(bond: Bond) -> dict[str, Any]:
    table: dict[str, Any] = {
        "nics": list(bond.ports),
        "options": bond_options.text(bond.options),
        "switch": bond.switch.value,
    }
    return table | ({"hwaddr": bond.mac} if bond.mac else {})


def _ipv4(at: str, table: Table) -> Ipv4:
    protocol = _text(at, table, "bootproto") or "none"
    if protocol not in ("none", "static", "dhcp"):
        raise Wrong(PARAMS, f"{at}.bootproto", f"{protocol!r} is neither dhcp nor none")
    netmask, prefix = _text(at, table, "netmask"), table.get("prefix")
    if netmask and prefix is not None:
        raise Wrong(PARAMS, f"{at}.netmask", "netmask and prefix exclude each other")
    length = _number(at, "prefix", prefix) if prefix is not None else _netmask_length(at, netmask)
    address = _text(at, table, "ipaddr")
    if address and not netmask and prefix is None:
        raise Wrong(ADDRESS, f"{at}.netmask", "an address needs netmask or prefix")
    return Ipv4(address, length, _text(at, table, "gateway"), dhcp=protocol == "dhcp")


def _netmask_length(at: str, netmask: str) -> int:
    if not netmask:
        return 0
    try:
        network = IPv4Network(f"0.0.0.0/{netmask}")
    except ValueError as error:
        raise Wrong(ADDRESS, f"{at}.netmask", f"{netmask!r} is no netmask") from error
    if netmask.isdigit() or str(network.netmask) != netmask:  # also what people write the other way round
        raise Wrong(ADDRESS, f"{at}.netmask", f"{netmask!r} is no netmask")
    return network.prefixlen


def _ipv6(at: str, table: Table) -> Ipv6:
    text = _text(at, table, "ipv6addr")
    address, prefix = "", 0
    if text:
        if "/" not in text:
            raise Wrong(ADDRESS, f"{at}.ipv6addr", f"{text!r} has no prefix length")
        try:
            interface = ip_interface(text)
        except ValueError as error:
            raise Wrong(ADDRESS, f"{at}.ipv6addr", str(error)) from error
        address, prefix = str(interface.ip), interface.network.prefixlen
    return Ipv6(
        address,
        prefix,
        _text(at, table, "ipv6gateway"),
        dhcp=_truth(at, "dhcpv6", table.get("dhcpv6", False)),
        autoconf=_truth(at, "ipv6autoconf", table.get("ipv6autoconf", False)),
    )


def _vlan(at: str, value: object) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).isdigit():
        raise Wrong(VLAN, f"{at}.vlan", f"{value!r} is no number")
    return int(str(value)[:9])


def _switch(at: str, table: Table) -> Switch:
    word = _text(at, table, "switch") or Switch.LEGACY.value
    try:
        return Switch(word)
    except ValueError as error:
        raise Wrong(PARAMS, f"{at}.switch", f"{word!r} is neither legacy nor ovs") from error


def _qos(at: str, value: object) -> HostQos | None:
    out = value.get("out") if isinstance(value, Mapping) else None
    if not isinstance(out, Mapping) or not out:
        return None
    share = _curve(at, out.get("ls"))
    if share is None:
        raise Wrong(PARAMS, f"{at}.hostQos.out.ls", "a network that is shaped needs its share")
    return HostQos(share, ceiling=_curve(at, out.get("ul")), guarantee=_curve(at, out.get("rt")))


def _curve(at: str, value: object) -> Curve | None:
    if not isinstance(value, Mapping) or "m2" not in value:
        return None
    rates = [_number(f"{at}.hostQos", key, value.get(key) or 0) for key in ("m2", "m1", "d")]
    return Curve(*rates)


def _table_of_curve(curve: Curve) -> dict[str, int]:
    more = {"m1": curve.first, "d": curve.microseconds}
    return {"m2": curve.rate, **{key: value for key, value in more.items() if value}}


def _text(at: str, table: Table, key: str) -> str:
    value = table.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Wrong(PARAMS, f"{at}.{key}", f"{value!r} is no text")
    return value


def _texts(at: str, table: Table, key: str) -> tuple[str, ...] | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise Wrong(PARAMS, f"{at}.{key}", "it is no list of texts")
    return tuple(value)


def _truth(at: str, key: str, value: object) -> bool:
    if isinstance(value, bool) or value is None:
        return bool(value)
    word = str(value).lower()
    if word not in _TRUE and word not in _FALSE:
        raise Wrong(PARAMS, f"{at}.{key}", f"{value!r} is neither true nor false")
    return word in _TRUE


def _number(at: str, key: str, value: object) -> int:
    try:
        if isinstance(value, (int, str)) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise Wrong(PARAMS, f"{at}.{key}", f"{value!r} is no number")
