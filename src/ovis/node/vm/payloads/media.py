"""The media of a VM as files of the host: made when the VM starts or a drive gets one, removed with the VM.

They lie in `<payload folder>/<VM id>/` and are named after drive and content, so that a new one never overwrites what
QEMU has open. They may hold passwords: only their owner reads them. The folder is of this boot (/run), as the VMs are.
A description asks for one with the placeholder `PAYLOAD:` as the file of a drive, and the drive's group in the metadata
has `payload` with `volId` and the files in base64.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lxml import etree

from ovis.node.errors import BadParameter, NodeError
from ovis.node.vm import metadata, metadata_devices
from ovis.node.vm.devices.disk import Disk
from ovis.node.vm.errors import BadMetadata
from ovis.node.vm.payloads import floppy, iso
from ovis.node.vm.payloads.tree import tree
from ovis.node.vm.settings import VmSettings

PLACEHOLDER = "PAYLOAD:"


class MediumNotWritten(NodeError):
    wire_name = "CannotPrepareImage"

    def __init__(self, vm_id: str, target: str, why: str) -> None:
        super().__init__(f"the medium for drive {target} of VM {vm_id} was not made: {why}")
        self.vm_id = vm_id


async def make(
    settings: VmSettings, vm_id: str, target: str, kind: str, files: Mapping[str, str], label: str = ""
) -> str:
    """The path of the medium. `files` in base64. Safe to repeat. Raises BadParameter, MediumNotWritten."""
    return await asyncio.to_thread(_make, settings, vm_id, target, kind, files, label)


async def fill(settings: VmSettings, vm_id: str, root: etree._Element, field: str) -> None:
    """Make what the placeholders in a description ask for and put the paths there.

    Raises BadParameter, BadMetadata, MediumNotWritten.
    """
    for element, source in placeholders(root):
        disk = Disk.read(element, f"{field}: disk")
        note = metadata_devices.find(metadata.element(root), disk)
        if note is None:
            raise BadMetadata(f"device name={disk.target}", "payload", "is missing")
        payload = note.group("payload")
        given, label = payload.get("file", {}), payload.get("volId", "")
        if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
            raise BadMetadata(str(note), "file", "is not a group of files")
        files = {path: text for path, text in given.items() if isinstance(text, str)}
        path = await make(settings, vm_id, disk.target, disk.device, files, str(label))
        source.set("file", path)


def set_aside(root: etree._Element, vm_id: str) -> None:
    """Media that the host from which the VM comes has made are made anew here: their paths become placeholders."""
    for element in root.iterfind("devices/disk"):
        source = element.find("source")
        path = Path("" if source is None else source.get("file", ""))
        if source is None or path.parent.name != vm_id or path.suffix != ".img":
            continue
        note = metadata_devices.find(metadata.element(root), Disk.read(element))
        if note is not None and "payload" in note.data:
            source.set("file", PLACEHOLDER)


def placeholders(root: etree._Element) -> Iterator[tuple[etree._Element, etree._Element]]:
    """Drives and their sources."""
    for element in root.iterfind("devices/disk"):
        source = element.find("source")
        if source is not None and source.get("file") == PLACEHOLDER:
            yield element, source


def remove(settings: VmSettings, vm_id: str) -> None:
    """All media of a VM. Safe to repeat. Raises OSError."""
    folder = settings.payload_folder / vm_id
    if folder.is_dir():
        shutil.rmtree(folder)


def remove_others(settings: VmSettings, known: set[str]) -> None:
    """Those of VMs that are not known: the agent ended before it could remove them. Raises OSError."""
    if not settings.payload_folder.is_dir():
        return
    for folder in settings.payload_folder.iterdir():
        if folder.name not in known:
            shutil.rmtree(folder)


def _make(settings: VmSettings, vm_id: str, target: str, kind: str, files: Mapping[str, str], label: str) -> str:
    where = f"payload of {target}"
    root = tree({path: _decoded(path, text, where) for path, text in files.items()}, where)
    label = label or usual_label(files)
    image = floppy.write(root, label, where) if kind == "floppy" else iso.write(root, label)
    digest = hashlib.sha256(image).hexdigest()[:16]
    path = settings.payload_folder / vm_id / f"{target}-{digest}.img"
    try:
        _write(path, image)
    except OSError as error:
        raise MediumNotWritten(vm_id, target, f"{path}: {error.strerror}") from error
    return str(path)


def usual_label(files: Iterable[str]) -> str:
    """By which cloud-init finds the medium, where the caller says nothing."""
    return "config-2" if any(path.strip("/").startswith(("openstack/", "ec2/")) for path in files) else "cidata"


def _decoded(path: str, text: str, where: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadParameter(where, f"{path[:80]!r} is not base64: {error}") from error


def _write(path: Path, image: bytes) -> None:
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(image)
    fresh.replace(path)
