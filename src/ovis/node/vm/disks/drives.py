"""The disks of a domain description with their chains of layers and the ids that engines give them.

The chain is what libvirt says. The ids stand in the metadata, in a `device` group of each disk (imageID, volumeID,
volumeChain with the path of each volume); a disk without one is known by its serial number, which engines set to the
image's id, and its volumes by the names of their files, which is how storage domains name them.
"""

from __future__ import annotations

import os.path
import uuid
from dataclasses import dataclass

from lxml import etree

from ovis.node.vm import metadata


@dataclass(frozen=True)
class Layer:
    """`index` is libvirt's name of the layer, None while the VM does not run. `volume_id` is None when unknown;
    `image_id` when it is that of the disk: the base may belong to a template."""

    path: str
    format: str
    is_block: bool
    index: int | None
    volume_id: str | None
    image_id: str | None = None


@dataclass(frozen=True)
class Mirror:
    """Where a copy or the commit of the active layer writes to. job: copy, active-commit"""

    job: str
    path: str
    is_ready: bool


@dataclass(frozen=True)
class Drive:
    """`layers` from the one in use down to the base. Ids are None when nobody gave any."""

    target: str
    image_id: str | None
    domain_id: str | None
    pool_id: str | None
    layers: tuple[Layer, ...]
    mirror: Mirror | None

    @property
    def active(self) -> Layer:
        return self.layers[0]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(layer.path for layer in self.layers)

    def place_of(self, volume_id: str) -> int | None:
        """Of a volume in the chain, 0 is the layer in use."""
        return next((place for place, layer in enumerate(self.layers) if layer.volume_id == volume_id), None)


def read(root: etree._Element) -> tuple[Drive, ...]:
    """The disks that have a file or device and can be written; CD and floppy drives are none."""
    groups = {group.get("name"): group for group in device_groups(metadata.element(root))}
    return tuple(
        drive
        for disk in root.iterfind("devices/disk")
        if disk.get("device", "disk") in ("disk", "lun")
        and (drive := _drive(disk, groups.get(_target(disk)))) is not None
    )


def put_on_top(root: etree._Element, layers: dict[str, str]) -> None:
    """Let disks, by target, begin with a new qcow2 layer; one that does so already is left as it is."""
    for disk in root.iterfind("devices/disk"):
        path, source = layers.get(_target(disk)), disk.find("source")
        if path is None or source is None or path in (source.get("file"), source.get("dev")):
            continue
        driver = disk.find("driver")
        driver = etree.SubElement(disk, "driver", name="qemu") if driver is None else driver
        below = etree.Element("backingStore", type=disk.get("type", "file"))
        etree.SubElement(below, "format", type=driver.get("type", "raw"))
        etree.SubElement(below, "source", {name: str(source.get(name)) for name in ("file", "dev") if source.get(name)})
        further = disk.find("backingStore")
        below.append(etree.Element("backingStore") if further is None else further)
        driver.set("type", "qcow2")
        fresh = etree.Element("source", {"dev" if disk.get("type") == "block" else "file": path})
        disk.replace(source, fresh)
        fresh.addnext(below)


def change_over(root: etree._Element, layers: dict[str, str]) -> None:
    """Let disks, by target, begin with a lower layer of their chain, or with the mirror in place of their top layer."""
    for disk in root.iterfind("devices/disk"):
        path = layers.get(_target(disk))
        parts = [*disk.iter("backingStore"), *disk.findall("mirror")]
        part = next((part for part in parts if path is not None and _path(part) == path), None)
        if part is None:
            continue
        disk.set("type", part.get("type", disk.get("type", "file")))
        driver, form = disk.find("driver"), part.find("format")
        if driver is not None and form is not None:
            driver.set("type", form.get("type", "raw"))
        further = part.find("backingStore")
        if further is None and part.tag == "mirror":  # of the top layer only
            further = disk.find("backingStore")
        source, fresh = disk.find("source"), part.find("source")
        for old in [*disk.findall("backingStore"), *disk.findall("mirror")]:
            disk.remove(old)
        if source is not None and fresh is not None:
            disk.replace(source, fresh)
            fresh.addnext(etree.Element("backingStore") if further is None else further)


def device_groups(holder: etree._Element | None) -> list[etree._Element]:
    """The `device` elements of disks in the VM's metadata."""
    if holder is None:
        return []
    return [child for child in holder if _is(child, "device") and child.get("devtype") == "disk"]


def text_of(group: etree._Element | None, name: str) -> str | None:
    if group is None:
        return None
    return next(((child.text or "").strip() or None for child in group if _is(child, name)), None)


def volume_paths(group: etree._Element | None) -> dict[str, tuple[str, str | None]]:
    """{path: (volume id, image id)} of the chain in a device group."""
    found = {}
    for chain in [] if group is None else [child for child in group if _is(child, "volumeChain")]:
        for node in chain:
            path, volume_id = text_of(node, "path"), text_of(node, "volumeID")
            if path and volume_id:
                found[path] = volume_id.lower(), as_uuid(text_of(node, "imageID"))
    return found


def as_uuid(text: str | None) -> str | None:
    """In libvirt's spelling; None for what is no UUID."""
    try:
        return str(uuid.UUID(text or ""))
    except ValueError:
        return None


def _drive(disk: etree._Element, group: etree._Element | None) -> Drive | None:
    known = volume_paths(group)
    serial = as_uuid((disk.findtext("serial") or "").strip())
    image_id = as_uuid(text_of(group, "imageID")) or serial
    layers = tuple(_layers(disk, known, image_id))
    if not layers:
        return None
    return Drive(
        target=_target(disk),
        image_id=image_id,
        domain_id=as_uuid(text_of(group, "domainID")),
        pool_id=as_uuid(text_of(group, "poolID")),
        layers=layers,
        mirror=_mirror(disk.find("mirror")),
    )


def _path(part: etree._Element) -> str | None:
    source = part.find("source")
    return None if source is None else source.get("file") or source.get("dev")


def _layers(disk: etree._Element, known: dict[str, tuple[str, str | None]], own: str | None) -> list[Layer]:
    found = []
    part: etree._Element | None = disk
    while part is not None:
        source, path = part.find("source"), _path(part)
        if source is None or path is None:
            break
        driver = part.find("driver" if part is disk else "format")
        volume_id, image_id = known.get(path) or (as_uuid(os.path.basename(path)), None)
        index = (source if part is disk else part).get("index", "")  # as libvirt writes it
        found.append(
            Layer(
                path=path,
                format="raw" if driver is None else driver.get("type", "raw"),
                is_block=part.get("type") == "block",
                index=int(index) if index.isdigit() else None,
                volume_id=volume_id,
                image_id=None if image_id == own else image_id,
            )
        )
        part = part.find("backingStore")
    return found


def _mirror(element: etree._Element | None) -> Mirror | None:
    if element is None:
        return None
    return Mirror(element.get("job", ""), _path(element) or "", element.get("ready") == "yes")


def _target(disk: etree._Element) -> str:
    target = disk.find("target")
    return "" if target is None else target.get("dev", "")


def _is(element: etree._Element, name: str) -> bool:
    return isinstance(element.tag, str) and etree.QName(element).localname == name
