"""The XML that libvirt wants for a backup and a checkpoint. No I/O.

Source: libvirt, "Backup XML format" and "Checkpoint XML format".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree


@dataclass(frozen=True)
class BackupDisk:
    """`since`: the checkpoint since which changes are wanted; None offers all data. `tracks`: in the new checkpoint."""

    target: str
    scratch: str
    scratch_is_block: bool = False
    since: str | None = None
    tracks: bool = False


def backup(disks: Sequence[BackupDisk], others: Iterable[str], socket: str) -> str:
    """Disks of the VM that are not in it are `others`: libvirt would take them along otherwise."""
    root = etree.Element("domainbackup", mode="pull")
    since = next((disk.since for disk in disks if disk.since is not None), None)
    if since is not None:
        etree.SubElement(root, "incremental").text = since
    etree.SubElement(root, "server", transport="unix", socket=socket)
    holder = etree.SubElement(root, "disks")
    for disk in disks:
        kind = "block" if disk.scratch_is_block else "file"
        element = etree.SubElement(holder, "disk", name=disk.target, backup="yes", type=kind, exportname=disk.target)
        if disk.since is not None:
            element.set("backupmode", "incremental")
            element.set("incremental", disk.since)
        else:
            element.set("backupmode", "full")
        scratch = etree.SubElement(element, "scratch", {"dev" if disk.scratch_is_block else "file": disk.scratch})
        scratch.addprevious(etree.Element("driver", type="qcow2"))
    for name in others:
        etree.SubElement(holder, "disk", name=name, backup="no")
    return etree.tostring(root, encoding="unicode")


def checkpoint(
    name: str,
    targets: Iterable[str],
    others: Iterable[str],
    *,
    parent: str | None = None,
    creation_time: int | None = None,
) -> str:
    """`parent` and `creation_time` (seconds, Unix time) only for one that is defined again."""
    root = etree.Element("domaincheckpoint")
    etree.SubElement(root, "name").text = name
    if parent is not None:
        etree.SubElement(etree.SubElement(root, "parent"), "name").text = parent
    if creation_time is not None:
        etree.SubElement(root, "creationTime").text = str(creation_time)
    holder = etree.SubElement(root, "disks")
    for target in targets:
        etree.SubElement(holder, "disk", name=target, checkpoint="bitmap", bitmap=name)
    for target in others:
        etree.SubElement(holder, "disk", name=target, checkpoint="no")
    return etree.tostring(root, encoding="unicode")


def tracked(xml: str) -> frozenset[str]:
    """Targets of the disks that a checkpoint tracks."""
    root = etree.fromstring(xml.encode())
    return frozenset(disk.get("name", "") for disk in root.iterfind("disks/disk") if disk.get("checkpoint") == "bitmap")


def creation_time(xml: str) -> int:
    return int(etree.fromstring(xml.encode()).findtext("creationTime") or "0")
