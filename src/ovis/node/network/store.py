"""The files in which networks are kept, in the form of existing hosts, and what a change that is under way notes there.

    ROOT/persistence/netconf → netconf.XXXXXXXX     saved: made at each boot
    ROOT/staging/netconf     → netconf.XXXXXXXX     running: what the host has now
                               ├── nets/<network>   JSON, names of the API
                               ├── bonds/<bond>
                               └── devices/<card>   its virtual functions, by libvirt's name (pci_0000_05_00_0)
    ROOT/staging/ovis/boot            the boot for which `running` holds
                     /journal.json    a change is under way: how it was before, and which folder is going to be linked
                     /originals.json  how cards were before a network took them

A configuration counts when its folder is linked; that is the moment at which a change is done. What is only true until
the next boot is not flushed to the disk: `kill -9` does not lose it, and a power cut makes it void.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ovis.node import durable_files
from ovis.node.network.layout import Original
from ovis.node.network.model import Configuration
from ovis.node.network.state import State
from ovis.node.network.wire_form import bond_of, network_of, table_of_bond, table_of_network

ROOT = Path("/var/lib/vdsm")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_LINK = "netconf"
_DEVICE = re.compile(r"pci(_[0-9a-f]+){4}")
T = TypeVar("T")


class StoreBusy(Exception):
    """Another process changes networks."""


@dataclass(frozen=True)
class Journal:
    """`before`: the devices that the change touches, as they were. `folder`: what running is linked to when it is done.
    `save`: it is for the next boot too.
    """

    boot: str
    folder: str
    before: State
    save: bool = False
    originals: Mapping[str, Original] = field(default_factory=dict)


class Store:
    """Blocks; for threads. Reading needs no rights, the rest is the root helper's."""

    def __init__(self, root: Path = ROOT, boot_id: Path = BOOT_ID) -> None:
        self.root = root
        self.own = root / "staging" / "ovis"
        self._staging, self._persistence = root / "staging", root / "persistence"
        self._boot_id = boot_id

    # --- configurations

    def running(self) -> Configuration:
        """Empty when there is none. Raises Wrong, OSError, ValueError for one that cannot be read."""
        return _read(self._staging / _LINK)

    def saved(self) -> Configuration:
        return _read(self._persistence / _LINK)

    def write_running(self, configuration: Configuration) -> str:
        """Its folder's name; it does not count yet."""
        return _write(self._staging, configuration, flush=False)

    def link_running(self, folder: str) -> None:
        _link(self._staging, folder, flush=False)

    def running_folder(self) -> str:
        return _target(self._staging)

    def folders(self) -> tuple[str, str]:
        """Names that change whenever a configuration does: running, saved. Cheap."""
        return _target(self._staging), _target(self._persistence)

    def save(self, configuration: Configuration) -> None:
        """For the next boot; it is on the disk on return. Raises OSError; then the former one counts."""
        _link(self._persistence, _write(self._persistence, configuration, flush=True), flush=True)

    # --- of this boot

    def boot(self) -> str:
        return self._boot_id.read_text().strip()

    def is_of_this_boot(self) -> bool:
        """Whether the running configuration is about the kernel that runs."""
        try:
            return (self.own / "boot").read_text().strip() == self.boot()
        except OSError:
            return False

    def mark_boot(self) -> None:
        self._note("boot", self.boot().encode())

    def journal(self) -> Journal | None:
        """Of a change that nobody ended. One that cannot be read was never begun: it is whole before the first step."""
        return self._noted("journal.json", Journal)

    def begin(self, journal: Journal) -> None:
        self._note("journal.json", msgspec.json.encode(journal))

    def end(self) -> None:
        (self.own / "journal.json").unlink(missing_ok=True)

    def originals(self) -> dict[str, Original]:
        return self._noted("originals.json", dict[str, Original]) or {}

    def keep_originals(self, originals: Mapping[str, Original]) -> None:
        self._note("originals.json", msgspec.json.encode(originals))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time. Raises StoreBusy."""
        self.own.mkdir(parents=True, exist_ok=True)
        with (self.own / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreBusy from error
            yield

    def _note(self, name: str, data: bytes) -> None:
        self.own.mkdir(parents=True, exist_ok=True)
        fresh = self.own / f"{name}{durable_files.NEW}"
        fresh.write_bytes(data)
        fresh.replace(self.own / name)

    def _noted(self, name: str, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode((self.own / name).read_bytes(), type=kind)
        except (FileNotFoundError, msgspec.DecodeError):
            return None


def _target(folder: Path) -> str:
    try:
        return os.readlink(folder / _LINK)
    except OSError:
        return ""


def _read(folder: Path) -> Configuration:
    return Configuration(
        _read_all(folder / "nets", network_of),
        _read_all(folder / "bonds", bond_of),
        {_address(name): count for name, count in _read_all(folder / "devices", _functions_of).items() if count},
    )


def _functions_of(name: str, table: Mapping[str, Any]) -> int:
    return int(table.get("sriov", {}).get("numvfs", 0)) if _DEVICE.fullmatch(name) else 0


def _address(device: str) -> str:
    """pci_0000_05_00_0 is the card at 0000:05:00.0."""
    _, domain, bus, slot, function = device.split("_")
    return f"{domain}:{bus}:{slot}.{function}"


def _read_all(folder: Path, make: Callable[[str, Mapping[str, Any]], T]) -> dict[str, T]:
    found = {}
    with contextlib.suppress(FileNotFoundError):
        for file in sorted(folder.iterdir()):
            found[file.name] = make(file.name, json.loads(file.read_text(encoding="utf-8")))
    return found


def _write(parent: Path, configuration: Configuration, *, flush: bool) -> str:
    folder = parent / f"{_LINK}.{secrets.token_hex(4)}"
    write = durable_files.write if flush else lambda path, data: path.write_bytes(data)
    tables = {
        "nets": {name: table_of_network(network) for name, network in configuration.networks.items()},
        "bonds": {name: table_of_bond(bond) for name, bond in configuration.bonds.items()},
        "devices": {
            f"pci_{re.sub('[:.]', '_', card)}": {"sriov": {"numvfs": count}}
            for card, count in configuration.virtual_functions.items()
        },
    }
    for kind, entries in tables.items():
        (folder / kind).mkdir(parents=True)
        for name, table in entries.items():
            path = folder / kind / name
            write(path, json.dumps(table, indent=4, sort_keys=True).encode())
            path.chmod(0o644)
        if flush:
            durable_files.flush(folder / kind)
    if flush:
        durable_files.flush(folder)
        durable_files.flush(parent)
    return folder.name


def _link(parent: Path, folder: str, *, flush: bool) -> None:
    """From here on `folder` counts; others are removed."""
    link, fresh = parent / _LINK, parent / f"{_LINK}.link"
    if link.is_dir() and not link.is_symlink():  # as old hosts had it
        link.rename(parent / f"{_LINK}.{secrets.token_hex(4)}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder)
    fresh.replace(link)
    if flush:
        durable_files.flush(parent)
    for other in parent.glob(f"{_LINK}.*"):
        if other.name != folder and other.is_dir() and not other.is_symlink():
            shutil.rmtree(other, ignore_errors=True)
