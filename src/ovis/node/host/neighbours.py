"""What lldpd has heard from switches, in the form of the API: items with the type numbers of the standard.

Source: IEEE 802.1AB (8.5), 802.1Q annex D and 802.3 clause 79 for those of organizations; lldpcli(8), json0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from ovis.client.types import Lldp, Tlv

_ORGANIZATION = 127
_IEEE_802_1, _IEEE_802_3 = 0x0080C2, 0x00120F

Node = Mapping[str, object]


class NotLldp(Exception):
    """What lldpcli said is not its JSON."""


def neighbours(interfaces: bytes, heard: bytes, names: Iterable[str] = ()) -> dict[str, Lldp]:
    """By name of the card: those where lldpd listens, and `names`. Raises NotLldp."""
    listening = {name for name, found in _interfaces(interfaces) if "RX" in _value(found, "status")}
    items: dict[str, list[Tlv]] = {}
    for name, found in _interfaces(heard):
        if found.get("via") == "LLDP":  # lldpd hears protocols of vendors, too
            items.setdefault(name, []).extend(_items(found))
    return {name: Lldp(enabled=name in listening, tlvs=items.get(name, [])) for name in sorted(listening.union(names))}


def _interfaces(data: bytes) -> Iterator[tuple[str, Node]]:
    try:
        root = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise NotLldp(f"lldpcli did not answer with JSON: {error}") from error
    if not isinstance(root, dict):
        raise NotLldp("lldpcli did not answer with an object")
    for top in _all(root, "lldp"):
        for found in _all(top, "interface"):
            yield _text(found.get("name")), found


def _items(found: Node) -> Iterator[Tlv]:
    chassis, port = _first(found, "chassis"), _first(found, "port")
    for number, name, key, place in ((1, "Chassis ID", "chassis ID", chassis), (2, "Port ID", "port ID", port)):
        if (identity := _first(place, "id")).get("value"):
            kind = key.replace("ID", "subtype")
            properties = {key: _text(identity.get("value")), kind: _text(identity.get("type"))}
            yield Tlv(type=number, name=name, properties=properties)
    for number, name, place, key in (
        (3, "Time to Live", port, "ttl"),
        (4, "Port Description", port, "descr"),
        (5, "System Name", chassis, "name"),
        (6, "System Description", chassis, "descr"),
    ):
        if value := _value(place, key):
            yield Tlv(type=number, name=name, properties={name.lower(): value})
    if capabilities := _all(chassis, "capability"):
        able = ", ".join(_text(one.get("type")) for one in capabilities)
        enabled = ", ".join(_text(one.get("type")) for one in capabilities if one.get("enabled") is True)
        properties = {"system capabilities": able, "enabled capabilities": enabled}
        yield Tlv(type=7, name="System Capabilities", properties=properties)
    for address in _all(chassis, "mgmt-ip"):
        ip = _text(address.get("value"))
        properties = {"management address": ip, "management address subtype": "IPv6" if ":" in ip else "IPv4"}
        yield Tlv(type=8, name="Management Address", properties=properties)
    yield from _of_organizations(found, port)


def _of_organizations(found: Node, port: Node) -> Iterator[Tlv]:
    for vlan in _all(found, "vlan"):
        tag, name = _text(vlan.get("vlan-id")), _text(vlan.get("value"))
        if vlan.get("pvid") is True:
            yield _organization(_IEEE_802_1, 1, "Port VLAN Id", {"port vlan id": tag})
        if name:
            yield _organization(_IEEE_802_1, 3, "VLAN Name", {"vlan id": tag, "vlan name": name})
    for aggregation in _all(port, "aggregation"):
        properties = {"aggregated port id": _text(aggregation.get("value"))}
        yield _organization(_IEEE_802_3, 3, "Link Aggregation", properties)
    if frame := _value(port, "mfs"):
        yield _organization(_IEEE_802_3, 4, "MTU", {"mtu": frame})


def _organization(oui: int, subtype: int, name: str, properties: dict[str, str]) -> Tlv:
    return Tlv(type=_ORGANIZATION, oui=oui, subtype=subtype, name=name, properties=properties)


def _all(node: Node, key: str) -> Sequence[Node]:
    found = node.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _first(node: Node, key: str) -> Node:
    return next(iter(_all(node, key)), {})


def _value(node: Node, key: str) -> str:
    return _text(_first(node, key).get("value"))


def _text(value: object) -> str:
    return "" if value is None else str(value)
