"""Secrets that the hypervisor keeps in memory and hands to QEMU, and to nobody else: ephemeral and private.

Those of the agent are told apart by a mark in their description; others are never changed or removed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from lxml import etree

MARK = "[ovis] "


class SecretUse(StrEnum):
    CEPH = "ceph"
    ISCSI = "iscsi"
    VOLUME = "volume"


@dataclass(frozen=True)
class Secret:
    """`usage`: as disks of VMs refer to it; unique for each `use`."""

    id: str
    use: SecretUse
    usage: str
    value: bytes = field(repr=False)
    description: str = ""


class Secrets(Protocol):
    async def put(self, secret: Secret, *, deadline: float | None = None) -> None:
        """Replaces the one with its id. Raises OperationRefused when that is not the agent's; after OperationFailed
        (another secret has the same usage) there may be none."""
        ...

    async def remove(self, ids: Collection[str], *, deadline: float | None = None) -> None:
        """Those that are there. Raises OperationRefused at one that is not the agent's."""
        ...

    async def ours(self, *, deadline: float | None = None) -> set[str]: ...


_USAGE = {SecretUse.CEPH: "name", SecretUse.ISCSI: "target", SecretUse.VOLUME: "volume"}


def description_of(secret: Secret) -> str:
    """Without its value. Source: libvirt formatsecret."""
    root = etree.Element("secret", ephemeral="yes", private="yes")
    etree.SubElement(root, "uuid").text = secret.id
    etree.SubElement(root, "description").text = MARK + secret.description
    usage = etree.SubElement(root, "usage", type=secret.use.value)
    etree.SubElement(usage, _USAGE[secret.use]).text = secret.usage
    return etree.tostring(root, encoding="unicode")
