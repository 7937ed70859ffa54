"""How two domain descriptions differ in meaning: order, white space, prefixes and units do not count.

Elements of the same name beside each other are told apart by what names them (a disk's target, a card's MAC address,
`name`, `index` …); where nothing does, by their order. Secrets are compared and never shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec
from lxml import etree

from ovis.node.vm.definition import UNITS

SECRETS = {"passwd", "password"}
HIDDEN = "(secret)"
SIZES = {"memory", "currentMemory", "maxMemory", "size", "requested", "pagesize"}
NAMES = {
    "disk": ("target", "dev"),
    "interface": ("mac", "address"),
    "channel": ("target", "name"),
    "lease": ("key", ""),
}
NAMING_ATTRIBUTES = ("name", "index", "id", "type", "model", "key")


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(msgspec.Struct, frozen=True):
    """`path` such as domain/devices/disk[vda]/source/@file; None where there was, or is, nothing."""

    kind: ChangeKind
    path: str
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.before or 'nothing'} -> {self.after or 'nothing'}"


def difference(before: etree._Element, after: etree._Element) -> list[Change]:
    """In document order."""
    return list(_compare(before, after, _name(before)))


def _compare(before: etree._Element, after: etree._Element, path: str) -> Iterator[Change]:
    yield from _attributes(before, after, path)
    old, new = _text(before), _text(after)
    if old != new:
        yield Change(ChangeKind.CHANGED, path, old, new)
    olds, news = _children(before), _children(after)
    for key, element in olds.items():
        if key in news:
            yield from _compare(element, news[key], f"{path}/{key}")
        else:
            yield Change(ChangeKind.REMOVED, f"{path}/{key}", before=_shown(element))
    for key, element in news.items():
        if key not in olds:
            yield Change(ChangeKind.ADDED, f"{path}/{key}", after=_shown(element))


def _attributes(before: etree._Element, after: etree._Element, path: str) -> Iterator[Change]:
    is_size = _name(before) in SIZES
    for name in sorted({*map(str, before.attrib), *map(str, after.attrib)}):
        old, new = before.get(name), after.get(name)
        if old == new or (is_size and name == "unit"):
            continue
        if name in SECRETS:
            old, new = (None if value is None else HIDDEN for value in (old, new))
        kind = ChangeKind.ADDED if old is None else ChangeKind.REMOVED if new is None else ChangeKind.CHANGED
        yield Change(kind, f"{path}/@{etree.QName(name).localname}", old, new)


def _children(element: etree._Element) -> dict[str, etree._Element]:
    found: dict[str, etree._Element] = {}
    for child in element:
        if not isinstance(child.tag, str):
            continue
        key = first = _key(child)
        number = 1
        while key in found:
            number += 1
            key = f"{first}#{number}"
        found[key] = child
    return found


def _key(element: etree._Element) -> str:
    tag = _name(element)
    if tag in NAMES:
        path, attribute = NAMES[tag]
        child = element.find(path)
        if child is not None and (named := child.get(attribute) if attribute else child.text):
            return f"{tag}[{named.strip().lower()}]"
    for attribute in NAMING_ATTRIBUTES:
        if named := element.get(attribute):
            return f"{tag}[{named}]"
    return tag


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _text(element: etree._Element) -> str:
    text = (element.text or "").strip()
    unit = element.get("unit", "KiB")
    if _name(element) in SIZES and text.isascii() and text.isdigit() and unit in UNITS:
        return f"{int(text) * UNITS[unit]} bytes"
    return text


def _shown(element: etree._Element) -> str:
    """On one line, without secrets."""
    root = etree.fromstring(etree.tostring(element, with_tail=False), etree.XMLParser(remove_blank_text=True))
    for inner in root.iter():
        for name in SECRETS & {str(attribute) for attribute in inner.attrib}:
            inner.set(name, HIDDEN)
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode")
