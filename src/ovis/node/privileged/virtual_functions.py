"""SR-IOV: how many virtual functions a network card offers. They are gone with every boot, so the number is noted
among the networks (persistence/netconf/devices) and set again before these are restored.

Source: Documentation/PCI/pci-iov-howto.rst, Documentation/ABI/testing/sysfs-bus-pci.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ovis.node.network.errors import NIC, NotUp, Wrong
from ovis.node.privileged.kernel_settings import write

log = logging.getLogger(__name__)

GUEST_DRIVER = "vfio-pci"
FIELD = "numvfs"


class VirtualFunctions:
    """Of the cards below `sysfs`, by PCI address (0000:05:00.0). Blocks: a driver may take seconds for it."""

    def __init__(self, sysfs: Path) -> None:
        self._devices = sysfs / "bus/pci/devices"

    def set(self, card: str, count: int, used: Collection[str] = ()) -> None:
        """`used`: network devices that must stay. Safe to repeat. Raises Wrong: nothing was changed; NotUp."""
        folder = self._devices / card
        total = _number(folder / "sriov_totalvfs")
        if total is None or not _interfaces(folder):
            raise Wrong(NIC, "deviceName", f"{card} is no network card with virtual functions")
        if count > total:
            raise Wrong(NIC, FIELD, f"{card} can offer {total} virtual functions at most, not {count}")
        now = _number(folder / "sriov_numvfs")
        if now == count:
            return
        for function in sorted(folder.glob("virtfn*")):
            _check_free(function, used)
        try:
            if now:
                write(folder / "sriov_numvfs", 0)  # the kernel does not change one number into another
            if count:
                write(folder / "sriov_numvfs", count)
        except OSError as error:
            reached = _number(folder / "sriov_numvfs")
            why = error.strerror if error.errno != errno.ENOSPC else "the machine has no room on its PCI buses for them"
            raise NotUp(f"{card} has {reached} virtual functions now, not {count}: {why}", FIELD) from error

    def restore(self, counts: Mapping[str, int]) -> list[str]:
        """After a boot. What could not be done."""
        problems = []
        for card, count in counts.items():
            try:
                self.set(card, count)
            except (Wrong, NotUp, OSError) as error:
                log.error("virtual functions of %s stay away: %s", card, error)  # noqa: TRY400  # the text says it all
                problems.append(str(error))
        return problems


def _check_free(function: Path, used: Collection[str]) -> None:
    address = os.path.basename(os.path.realpath(function))
    if os.path.basename(os.path.realpath(function / "driver")) == GUEST_DRIVER:
        raise Wrong(NIC, FIELD, f"the virtual function {address} is taken from the host for a VM")
    for name in _interfaces(function):
        if name in used:
            raise Wrong(NIC, FIELD, f"a network uses {name}, the virtual function {address}")


def _interfaces(folder: Path) -> Iterable[str]:
    try:
        return sorted(os.listdir(folder / "net"))
    except OSError:
        return []


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
