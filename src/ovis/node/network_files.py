"""Whether this host has networks of its own, told from a few file names: the modules that understand them are loaded
only where there are any.

The files are those of ovis.node.network.store.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ovis.node.errors import NodeError

if TYPE_CHECKING:
    from ovis.client.types import NetInfoNetwork
    from ovis.node.host.network import Network

log = logging.getLogger(__name__)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class NetworkFiles:
    """Blocks for a moment; may be used in any thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._compared: tuple[str, str] | None = None
        self._dirty = False

    @property
    def _links(self) -> tuple[str, str]:
        """What running and saved configuration are linked to; empty for none. They change with each change."""
        return _target(self.root / "staging" / "netconf"), _target(self.root / "persistence" / "netconf")

    @property
    def exist(self) -> bool:
        return any(self._links)

    def need_restoring(self) -> bool:
        """After a boot, after a change that nobody ended, and where a DHCP client has died."""
        own = self.root / "staging" / "ovis"
        if not self.exist:
            return False
        try:
            same_boot = (own / "boot").read_text().strip() == _BOOT_ID.read_text().strip()
        except OSError:
            return True
        return not same_boot or (own / "journal.json").exists() or self.lost_client()

    def lost_client(self) -> bool:
        """Whether a DHCP client that should run does not."""
        folder = self.root / "staging" / "ovis" / "dhcp"
        return any(not _runs(file) for file in folder.glob("*.[46].json"))

    def is_dirty(self) -> bool:
        """Whether a reboot would lose something."""
        links = self._links
        if links != self._compared:
            self._dirty = any(links) and self._differ()
            self._compared = links
        return self._dirty

    def describe(self, found: Network) -> Mapping[str, NetInfoNetwork]:
        """Networks that were set up here, as they are in `found`."""
        if not self._links[0]:
            return {}
        from ovis.node.network.inventory import describe
        from ovis.node.network.store import Store

        try:
            return describe(Store(self.root).running(), found)
        except (OSError, ValueError, NodeError) as error:
            log.warning("the networks of this host are not told: %s", error)
            return {}

    def _differ(self) -> bool:
        """As values: what an older agent has saved may be written in another way."""
        try:
            return _values(self.root / "staging" / "netconf") != _values(self.root / "persistence" / "netconf")
        except (OSError, msgspec.DecodeError) as error:
            log.warning("running and saved networks cannot be compared: %s", error)
            return True


def _runs(file: Path) -> bool:
    """Whether the client of that note has its process; also when it was ended meanwhile, together with the note."""
    process = file.with_suffix(".pid")
    try:
        number = int(process.read_text())
        return os.fsencode(process) in Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return not file.exists()


def _values(folder: Path) -> dict[str, object]:
    folders = [folder / kind for kind in ("nets", "bonds", "devices") if (folder / kind).is_dir()]
    files = [file for kind in folders for file in kind.iterdir()]
    return {f"{file.parent.name}/{file.name}": msgspec.json.decode(file.read_bytes()) for file in files}


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
