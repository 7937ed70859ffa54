"""What a bed is to have, and how it is told to the agent inside."""

import json
import shutil
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address
from pathlib import Path

from deploy.bed.switch import MAIN, Switch

SERVICE = "/run/bed/service"
SERVICES = ("udev", "dbus", "tgt", "iscsi", "multipath", "nfs", "watchdog", "sanlock", "libvirt")
_FILES = Path(__file__).with_name("files")


class Mode(Enum):
    READ_ONLY = "ro"
    WRITABLE = "rw"
    """Writes go to the host's folder: only for what a test brings back."""
    PRIVATE = "private"
    """Writes stay in the bed's memory and are gone with it."""


@dataclass(frozen=True)
class Share:
    """A folder of the host, seen in the bed; under the same path where no other is given."""

    source: Path
    mode: Mode = Mode.PRIVATE
    target: Path | None = None


@dataclass(frozen=True)
class Card:
    """A network card, vec0 and so on: up, with this address if there is one. All cards of a bed are on one switch."""

    switch: Switch
    network: str = MAIN
    address: IPv4Address | None = None

    @property
    def setting(self) -> str | None:
        return f"{self.address}/{self.switch.network(self.network).prefixlen}" if self.address else None


@dataclass(frozen=True)
class BedSettings:
    name: str
    """Its host name as well."""
    memory_mib: int = 1024
    shares: tuple[Share, ...] = ()
    disks: tuple[Path | int, ...] = ()
    """ubdb, ubdc …: a file that stays, or the bytes of an empty disk that goes with the bed."""
    services: tuple[str, ...] = ("udev",)
    cards: tuple[Card, ...] = ()
    hosts: tuple[tuple[str, IPv4Address], ...] = ()
    """Names and addresses for its /etc/hosts."""
    kernel: str | None = None
    """fast or stable; None: the best there is."""
    writes_to_image: bool = False
    """Only while the image is built."""


def write(wanted: BedSettings, folder: Path, *, machine_id: str) -> None:
    """Fill the folder that the bed sees as /run/bed."""
    shutil.copytree(_FILES, folder)
    shares = [
        {
            "source": str(share.source.resolve()),
            "target": str(share.target or share.source.absolute()),
            "mode": share.mode.value,
        }
        for share in wanted.shares
    ]
    told = {
        "name": wanted.name,
        "machine_id": machine_id,
        "line": "/dev/ttyS0",
        "shares": shares,
        "cards": [card.setting for card in wanted.cards],
        "card_prefix": "vec",
        "hosts": [(name, str(address)) for name, address in wanted.hosts],
        "services": list(wanted.services),
    }
    (folder / "settings.json").write_text(json.dumps(told))
