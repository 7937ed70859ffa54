"""The nested form of the metadata: any structure of dictionaries, lists and plain values, with their types.

    <ovirt-instance:value type="dict">
      <ovirt-instance:item key="devices" type="list">
        <ovirt-instance:item index="0" type="dict"><ovirt-instance:item key="device" type="str">vnc</…></…>

Types are dict, list, str, int, float, bool and none (an addition to the proposal: absent and null are two things).
Characters that XML cannot carry are escaped, and only then `escaped` (another addition) says where.
What an element holds beside items is not ours: it is neither read nor touched.
Source: the proposal for metadata of March 2017 on the oVirt development list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from lxml import etree

from ovis.node.vm.errors import BadMetadata

URI = "http://ovirt.org/vm/instance/1.0"
PREFIX = "ovirt-instance"
DEPTH = 50
ESCAPED = "escaped"
KEY, TEXT, KEY_TOO = "key", "text", "both"

Nested: TypeAlias = "dict[str, Nested] | list[Nested] | str | int | float | bool | None"


def read(root: etree._Element) -> Nested:
    """The value in a domain description; None when there is none. Raises BadMetadata: its path and what is wrong."""
    value = root.find(f"metadata/{{{URI}}}instance/{{{URI}}}value")
    return None if value is None else read_value(value)


def write(root: etree._Element, value: Nested) -> None:
    """Replace the value in a domain description; everything else in the metadata survives. Raises BadMetadata."""
    outer = root.find("metadata")
    if outer is None:
        outer = etree.SubElement(root, "metadata")
    holder = outer.find(f"{{{URI}}}instance")
    if holder is None:
        holder = etree.SubElement(outer, f"{{{URI}}}instance", nsmap={PREFIX: URI})
    made = write_value(value)
    former = holder.find(f"{{{URI}}}value")
    if former is None:
        holder.append(made)
    else:
        made.tail = former.tail
        holder.replace(former, made)


def read_value(element: etree._Element, where: str = "instance") -> Nested:
    """Raises BadMetadata."""
    if where.count(".") + where.count("[") > DEPTH:
        raise BadMetadata(where, "value", f"is nested deeper than {DEPTH}")
    kind = element.get("type", "str")
    text = element.text or ""
    match kind:
        case "dict":
            return _dict(element, where)
        case "list":
            return _list(element, where)
        case "str":
            return _unescape(text) if element.get(ESCAPED) in (TEXT, KEY_TOO) else text
        case "none":
            return None
        case "bool":
            if text.strip() not in ("True", "False", "true", "false"):
                raise BadMetadata(where, "value", f"{text[:40]!r} is not True or False")
            return text.strip().lower() == "true"
        case "int" | "float":
            return _number(kind, text, where)
        case _:
            raise BadMetadata(where, "type", f"{kind!r} is not a type of values")


def write_value(value: Nested, *, tag: str = "value", depth: int = 0) -> etree._Element:
    """Raises BadMetadata."""
    if depth > DEPTH:
        raise BadMetadata("instance", "value", f"is nested deeper than {DEPTH}")
    made = etree.Element(f"{{{URI}}}{tag}", nsmap={PREFIX: URI})
    match value:
        case dict():
            made.set("type", "dict")
            for key, inner in value.items():
                item = write_value(inner, tag="item", depth=depth + 1)
                if (escaped := _escape(key)) != key:
                    item.set(ESCAPED, KEY_TOO if item.get(ESCAPED) else KEY)
                item.set("key", escaped)
                made.append(item)
        case list():
            made.set("type", "list")
            for index, inner in enumerate(value):
                item = write_value(inner, tag="item", depth=depth + 1)
                item.set("index", str(index))
                made.append(item)
        case _:
            made.set("type", _kind(value))
            if value is not None:
                made.text = _escape(value) if isinstance(value, str) else repr(value)
                if isinstance(value, str) and made.text != value:
                    made.set(ESCAPED, TEXT)
    return made


def _kind(value: str | float | bool | None) -> str:
    return "none" if value is None else type(value).__name__


def _items(element: etree._Element) -> Iterator[etree._Element]:
    return element.iterchildren(f"{{{URI}}}item")


def _dict(element: etree._Element, where: str) -> dict[str, Nested]:
    found: dict[str, Nested] = {}
    for item in _items(element):
        key = item.get("key")
        if key is None:
            raise BadMetadata(where, "item", "has no key")
        key = _unescape(key) if item.get(ESCAPED) in (KEY, KEY_TOO) else key
        if key in found:
            raise BadMetadata(where, key, "is there twice")
        found[key] = read_value(item, f"{where}.{key}")
    return found


def _list(element: etree._Element, where: str) -> list[Nested]:
    """In the order of the indexes, which must be those of a list."""
    rows: dict[int, Nested] = {}
    for item in _items(element):
        text = item.get("index", "")
        if not (text.isascii() and text.isdigit()):
            raise BadMetadata(where, "index", f"{text[:40]!r} is not a position")
        if int(text) in rows:
            raise BadMetadata(where, f"[{text}]", "is there twice")
        rows[int(text)] = read_value(item, f"{where}[{text}]")
    if sorted(rows) != list(range(len(rows))):
        raise BadMetadata(where, "index", f"{len(rows)} items have other positions than 0 to {len(rows) - 1}")
    return [rows[index] for index in range(len(rows))]


def _number(kind: str, text: str, where: str) -> int | float:
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError:
        raise BadMetadata(where, "value", f"{text[:40]!r} is not of type {kind}") from None


def _escape(text: str) -> str:
    r"""XML has no control characters and turns \r into \n: such a character becomes \uXXXX, and a backslash two."""
    escaped = (
        "\\\\" if c == "\\" else c if c in "\t\n" or (c >= " " and _is_xml(c)) else f"\\u{ord(c):04x}" for c in text
    )
    return "".join(escaped)


def _is_xml(character: str) -> bool:
    code = ord(character)
    return not (0x7F <= code <= 0x9F or 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF))


def _unescape(text: str) -> str:
    parts = text.split("\\\\")
    return "\\".join(_unescape_unicode(part) for part in parts)


def _unescape_unicode(text: str) -> str:
    first, *rest = text.split("\\u")
    return first + "".join(_character(part) for part in rest)


def _character(part: str) -> str:
    code = part[:4]
    if len(code) == 4 and all(c in "0123456789abcdef" for c in code):
        return chr(int(code, 16)) + part[4:]
    return "\\u" + part
