"""What other managers of networks are told: hands off the devices that are ours. Pure.

`privileged/other_managers.py` writes it.

A card that carries tagged networks only keeps its own addresses, so it stays with whoever looks after these.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from ovis.node.network.layout import devices
from ovis.node.network.model import Configuration

_HEAD = "# Made by Ovis: these devices belong to networks of this host. Changes are overwritten.\n"
_INTERFACE = re.compile(r"^\s*(?:auto|iface|allow-\S+)\s+(.*)$", re.MULTILINE)


def ours(configuration: Configuration) -> list[str]:
    """Devices that nobody else may configure."""
    plain = {n.base for n in configuration.networks.values() if n.base and n.vlan is None}
    ports = {port for bond in configuration.bonds.values() for port in bond.ports}
    shared = configuration.nics() - plain - ports
    return sorted(devices(configuration) - shared)


def network_manager(names: Collection[str]) -> str:
    """Empty for none. Added to what an administrator lists there. Source: NetworkManager.conf(5), keyfile section."""
    if not names:
        return ""
    return f"{_HEAD}[keyfile]\nunmanaged-devices+={';'.join(f'interface-name:={name}' for name in names)}\n"


def networkd(names: Collection[str]) -> str:
    """Source: systemd.network(5), [Link] Unmanaged=; the first file that matches a device counts."""
    return f"{_HEAD}[Match]\nName={' '.join(names)}\n\n[Link]\nUnmanaged=yes\n" if names else ""


def claimed(interfaces: Iterable[str], names: Collection[str]) -> list[str]:
    """Those of our devices that files of ifupdown configure, too. Source: interfaces(5)."""
    said = {word for text in interfaces for line in _INTERFACE.findall(text) for word in line.split()}
    return sorted(said.intersection(names))
