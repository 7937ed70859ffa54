"""A VM as an import sees it, wherever it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Disk:
    """Sizes in bytes, None where the source does not say.

    `file`: its name in the archive or its path at the source; None for a disk that was never written. `driver`: the
    format that the source claims, in QEMU's word. `slack`: the true size may be this much more than `capacity`, because
    the source counts in larger units.
    """

    id: str
    file: str | None
    file_size: int | None = None
    capacity: int | None = None
    slack: int = 0
    allocation: int | None = None
    driver: str | None = None
    device: str | None = None
    kind: str = "disk"


@dataclass(frozen=True)
class Card:
    """A network card. `kind`: bridge, network or interface."""

    kind: str
    name: str | None = None
    network: str | None = None
    mac: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class Description:
    """`memory` in bytes. `is_foreign`: made for another hypervisor than KVM, so its guest may lack drivers."""

    name: str
    memory: int
    cpus: int
    disks: tuple[Disk, ...] = field(default=())
    cards: tuple[Card, ...] = field(default=())
    is_foreign: bool = False
