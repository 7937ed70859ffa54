"""The metadata that engines and hosts keep in the domain XML, element `vm` of namespace http://ovirt.org/vm/1.0.

Values are flat children; a value that is not text says so: <startTime type="float">1700000000.5</startTime>. `custom`
is a group of texts. `device` groups belong to other modules. What is not known here is left as it is.
Children stand in the namespace when an engine wrote them, and in none when they went through libvirt's setMetadata,
which renames only the outer element: names are compared without it.
Source: reference/vdsm.md, section 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

URI = "http://ovirt.org/vm/1.0"
PREFIX = "ovirt-vm"

Value = str | int | float | bool


def element(root: etree._Element) -> etree._Element | None:
    """The `vm` element of a domain description."""
    return root.find(f"metadata/{{{URI}}}vm")


def read(root: etree._Element) -> dict[str, Value]:
    """The flat values of a domain description; a value that is not of its type is read as text."""
    return {
        name(child): value(child)
        for child in children(element(root))
        if len(child) == 0 and name(child) not in ("device", "custom")
    }


def is_true(values: dict[str, Value], name: str) -> bool:
    """Engines leave the type of some truth values out."""
    return str(values.get(name)).lower() == "true"


def custom(root: etree._Element) -> dict[str, str]:
    """The custom properties of the VM."""
    groups = [child for child in children(element(root)) if name(child) == "custom"]
    return {name(child): child.text or "" for group in groups for child in children(group)}


def write(root: etree._Element, values: dict[str, Value | None]) -> None:
    """Set values in a domain description; None removes one. Everything else in the metadata survives."""
    holder = element(root)
    if holder is None:
        outer = root.find("metadata")
        if outer is None:
            outer = etree.SubElement(root, "metadata")
        holder = etree.SubElement(outer, f"{{{URI}}}vm", nsmap={PREFIX: URI})
    set_in(holder, values)


def set_in(holder: etree._Element, values: Mapping[str, Value | None]) -> None:
    """As `write`, for the `vm` element itself, which may be one that libvirt gave without its namespace."""
    namespace = etree.QName(holder).namespace
    for key, given in values.items():
        _remove(holder, key)
        if given is not None:
            child = etree.SubElement(holder, etree.QName(namespace, key))
            child.text, kind = text(given)
            if kind:
                child.set("type", kind)


def write_custom(root: etree._Element, values: dict[str, str]) -> None:
    """Replace the custom properties. The names must be those of XML elements."""
    write(root, {})
    holder = element(root)
    assert holder is not None
    _remove(holder, "custom")
    group = etree.SubElement(holder, f"{{{URI}}}custom")
    for key, given in values.items():
        etree.SubElement(group, f"{{{URI}}}{key}").text = given


def children(holder: etree._Element | None) -> list[etree._Element]:
    return [] if holder is None else [child for child in holder if isinstance(child.tag, str)]


def name(child: etree._Element) -> str:
    return etree.QName(child).localname


def _remove(holder: etree._Element, key: str) -> None:
    for child in children(holder):
        if name(child) == key:
            holder.remove(child)


def value(child: etree._Element) -> Value:
    written = (child.text or "").strip()
    try:
        match child.get("type"):
            case "int":
                return int(written)
            case "float":
                return float(written)
            case "bool":
                return written.lower() == "true"
    except ValueError:
        pass
    return written


def text(given: Value) -> tuple[str, str | None]:
    """The text of a value and its `type` attribute."""
    if isinstance(given, bool):
        return str(given), "bool"
    if isinstance(given, int):
        return str(given), "int"
    if isinstance(given, float):
        return repr(given), "float"
    return given, None
