"""Short ways to change a description, for the hooks of the catalogue; `hooking` is what any script may rely on.

Elements are those of minidom. Paths are names of direct children: make(domain, "os", "smbios").
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.dom.minidom import Element

import hooking  # type: ignore[import-not-found]

NAME = re.compile(r"[A-Za-z0-9_.:@+-]+")
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
PCI = re.compile(r"(?:([0-9a-f]{4})[:_])?([0-9a-f]{2})[:_]([0-9a-f]{2})[._]([0-7])", re.IGNORECASE)
QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"


def with_property(name: str, change: Callable[[Element, str], None]) -> None:
    """Change the domain or device when the property is set. ValueError refuses, in words for a person."""
    value = os.environ.get(name, "").strip()
    if not value:
        return
    document = hooking.read_domxml()
    try:
        change(document.documentElement, value)
    except ValueError as error:
        hooking.exit_hook(f"{name}={value[:200]}: {error}")
    hooking.write_domxml(document)


def always(change: Callable[[Element], None]) -> None:
    """Change every domain or device."""
    document = hooking.read_domxml()
    change(document.documentElement)
    hooking.write_domxml(document)


def children(parent: Element, name: str) -> list[Element]:
    return [node for node in parent.childNodes if node.nodeType == node.ELEMENT_NODE and node.tagName == name]


def find(parent: Element, *path: str) -> Element | None:
    """The first of them."""
    for name in path:
        found = children(parent, name)
        if not found:
            return None
        parent = found[0]
    return parent


def make(parent: Element, *path: str) -> Element:
    """As `find`; what is missing is made."""
    for name in path:
        parent = find(parent, name) or add(parent, name)
    return parent


def add(parent: Element, tag: str, text: str | None = None, /, **attributes: str) -> Element:
    """A new child at the end."""
    document = parent.ownerDocument
    made: Element = document.createElement(tag)  # type: ignore[union-attr]
    for key, value in attributes.items():
        made.setAttribute(key, value)
    if text is not None:
        made.appendChild(document.createTextNode(text))  # type: ignore[union-attr]
    parent.appendChild(made)
    return made


def remove(parent: Element, *names: str) -> None:
    for name in names:
        for child in children(parent, name):
            parent.removeChild(child)


def set_text(element: Element, text: str) -> None:
    while element.firstChild is not None:
        element.removeChild(element.firstChild)
    element.appendChild(element.ownerDocument.createTextNode(text))  # type: ignore[union-attr]


def devices(domain: Element, kind: str) -> list[Element]:
    return children(make(domain, "devices"), kind)


def attribute(parent: Element, name: str, *path: str) -> str:
    """Empty when there is none."""
    found = find(parent, *path)
    return "" if found is None else found.getAttribute(name)


def cards(domain: Element) -> Iterator[tuple[str, Element]]:
    """Network cards with their MAC addresses; of a device its own."""
    found = [domain] if domain.tagName == "interface" else devices(domain, "interface")
    for card in found:
        yield attribute(card, "address", "mac").lower(), card


def free_target(domain: Element, prefix: str = "vd") -> str:
    """A name for a disk that no other has."""
    taken = {attribute(disk, "dev", "target") for disk in devices(domain, "disk")}
    for number in range(702):
        name = prefix + _letters(number)
        if name not in taken:
            return name
    raise ValueError("no name for a further disk is left")


def add_disk(
    domain: Element, kind: str, path: str, *, form: str = "raw", device: str = "disk", bus: str = "virtio"
) -> Element:
    """`kind`: file or block."""
    if not path.startswith("/"):
        raise ValueError(f"{path!r} is not an absolute path")
    prefix = {"virtio": "vd", "fdc": "fd"}.get(bus, "sd")
    target = free_target(domain, prefix)
    disk = add(make(domain, "devices"), "disk", type=kind, device=device)
    add(disk, "driver", name="qemu", type=form)
    add(disk, "source", **{"dev" if kind == "block" else "file": path})
    add(disk, "target", dev=target, bus=bus)
    return disk


def add_arguments(domain: Element, arguments: list[str]) -> None:
    """For QEMU's command line."""
    domain.setAttribute("xmlns:qemu", QEMU)
    line = find(domain, "qemu:commandline") or add(domain, "qemu:commandline")
    for argument in arguments:
        add(line, "qemu:arg", value=argument)


def pci_address(text: str) -> dict[str, str]:
    """From 0000:3b:02.1, 3b:02.1 or pci_0000_3b_02_1. Raises ValueError."""
    found = PCI.fullmatch(text[4:] if text.startswith("pci_") else text)
    if found is None:
        raise ValueError(f"{text!r} is no PCI address such as 0000:3b:02.1")
    domain, bus, slot, function = found.groups(default="0000")
    return {"domain": f"0x{domain}", "bus": f"0x{bus}", "slot": f"0x{slot}", "function": f"0x{function}"}


def mapping(text: str) -> dict[str, Any]:
    """An object of JSON. Raises ValueError."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"this is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError("a JSON object is wanted")  # noqa: TRY004 - of the value
    return found


def plain(text: str, what: str = "name") -> str:
    """A word without anything that means something elsewhere. Raises ValueError."""
    if not NAME.fullmatch(text) or text.startswith("-"):
        raise ValueError(f"{text!r} is no {what}")
    return text


def mac(text: str) -> str:
    """In lower case. Raises ValueError."""
    found = text.strip().lower()
    if not MAC.fullmatch(found):
        raise ValueError(f"{text!r} is no MAC address")
    return found


def _letters(number: int) -> str:
    first, last = divmod(number, 26)
    return (chr(96 + first) if first else "") + chr(97 + last)
