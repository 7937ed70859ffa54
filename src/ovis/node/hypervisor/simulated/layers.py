"""The chain of a disk in a domain description: read, numbered and written as libvirt does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from lxml import etree


@dataclass(frozen=True)
class Layer:
    path: str
    format: str
    is_block: bool
    index: int


def chain(disk: etree._Element) -> list[Layer]:
    """From the layer in use down to the base; empty for an empty drive."""
    found = []
    part: etree._Element | None = disk
    while part is not None:
        source = part.find("source")
        if source is None:
            break
        driver = part.find("driver" if part is disk else "format")
        found.append(
            Layer(
                path=source.get("file") or source.get("dev") or "",
                format="raw" if driver is None else driver.get("type", "raw"),
                is_block=part.get("type") == "block",
                index=int((source if part is disk else part).get("index", "0")),
            )
        )
        part = part.find("backingStore")
    return found


def replace(disk: etree._Element, layers: list[Layer]) -> None:
    """Let the disk have this chain."""
    for name in ("source", "backingStore"):
        for old in disk.findall(name):
            disk.remove(old)
    driver = disk.find("driver")
    driver = etree.SubElement(disk, "driver", name="qemu") if driver is None else driver
    driver.set("type", layers[0].format)
    part = disk
    for number, layer in enumerate(layers):
        if number:
            part = etree.SubElement(part, "backingStore", index=str(layer.index))
            etree.SubElement(part, "format", type=layer.format)
        part.set("type", "block" if layer.is_block else "file")
        part.append(source(layer, is_numbered=not number))
    etree.SubElement(part, "backingStore")


def source(layer: Layer, *, is_numbered: bool = True) -> etree._Element:
    """The number of a layer below the first stands in its `backingStore`."""
    found = etree.Element("source", {"dev" if layer.is_block else "file": layer.path})
    if is_numbered:
        found.set("index", str(layer.index))
    return found


def number_layers(disk: etree._Element) -> None:
    """What libvirt adds when a domain starts."""
    layers = chain(disk)
    if layers:
        replace(disk, [Layer(x.path, x.format, x.is_block, number) for number, x in enumerate(layers, start=1)])


def free_index(disk: etree._Element) -> int:
    used = {int(found.get("index", "0")) for found in disk.iter("source", "backingStore")}
    return next(number for number in itertools.count(max(used, default=0) + 1) if number not in used)
