"""How a device is told to stand in libvirt's XML: each attribute of its class says where.

    @dataclass(frozen=True, kw_only=True)
    class Watchdog(Device):
        tag = "watchdog"
        model: str = at("@model")
        action: str = at("@action", default="reset")

`a/@b` is attribute b of child a, `a` its text, `a?` whether there is a child a. Reading takes what is described and
leaves the rest: an element that a caller wrote is passed on as it is and never made anew from what was read of it.
Writing makes children in the order of the class's attributes; None, False and () are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, Self, TypeVar

from lxml import etree

from ovis.node.vm.definition import UNITS
from ovis.node.vm.errors import BadXml

PLACE = "place"


@dataclass(frozen=True)
class Form:
    """How a value is text. `read` raises ValueError; `what` says what is expected then."""

    what: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def _words(true: str, false: str) -> Form:
    known = {true: True, false: False}

    def read(text: str) -> bool:
        if text not in known:
            raise ValueError(text)
        return known[text]

    return Form(f"{true} or {false}", read, lambda value: true if value else false)


TEXT = Form("text", str)
WHOLE = Form("a whole number", int)
NUMBER = Form("a number", lambda text: int(text, 0))
HEX = Form("a number", lambda text: int(text, 0), lambda value: f"{value:#04x}")
YES_NO = _words("yes", "no")
ON_OFF = _words("on", "off")
UP_DOWN = _words("up", "down")
LOWER = Form("text", str.lower)
KIB = Form("a size", int, lambda value: str(value >> 10))
"""Bytes; in the XML with a unit, written as KiB."""


@dataclass(frozen=True)
class Place:
    """Where a property stands: a value, one element of class `inner`, or `many` of them."""

    path: str
    form: Form = TEXT
    inner: type[Described] | None = None
    is_many: bool = False


def at(path: str, form: Form = TEXT, *, default: Any = MISSING) -> Any:
    """A value. Without a default the XML must have it."""
    return field(default=default, metadata={PLACE: Place(path, form)})


def is_there(path: str) -> Any:
    """True when there is an element `path`."""
    return field(default=False, metadata={PLACE: Place(f"{path}?")})


def one(path: str, inner: type[Described]) -> Any:
    return field(default=None, metadata={PLACE: Place(path, inner=inner)})


def many(path: str, inner: type[Described]) -> Any:
    return field(default=(), metadata={PLACE: Place(path, inner=inner, is_many=True)})


D = TypeVar("D", bound="Described")


@dataclass(frozen=True, kw_only=True)
class Described:
    """Anything with places; `tag` is the name of its element."""

    tag: ClassVar[str]

    @classmethod
    def read(cls, element: etree._Element, where: str = "") -> Self:
        """Raises BadXml naming device and property."""
        where = where or str(element.tag)
        values = {item.name: _read(element, item, where) for item in fields(cls) if PLACE in item.metadata}
        return cls(**values)

    def element(self, tag: str = "") -> etree._Element:
        made = etree.Element(tag or self.tag)
        for item in sorted(fields(self), key=lambda item: item.name == "alias"):  # of the base class, and still last
            if PLACE in item.metadata:
                _write(made, item.metadata[PLACE], getattr(self, item.name))
        return made


def _read(element: etree._Element, item: Field[Any], where: str) -> Any:
    place: Place = item.metadata[PLACE]
    if place.path.endswith("?"):
        return element.find(place.path[:-1]) is not None
    if place.inner is not None:
        found = [place.inner.read(child, f"{where}/{place.path}") for child in element.iterfind(place.path)]
        if place.is_many:
            return tuple(found)
        return found[0] if found else None
    text, unit = _text(element, place)
    if text is None:
        if item.default is MISSING:
            raise BadXml(f"{where}/{place.path}", "is missing")
        return item.default
    try:
        return place.form.read(text) * UNITS[unit] if place.form is KIB else place.form.read(text)
    except (ValueError, KeyError):
        raise BadXml(f"{where}/{place.path}", f"{text[:40]!r} is not {place.form.what}") from None


def _text(element: etree._Element, place: Place) -> tuple[str | None, str]:
    """The text and its unit, which only sizes have."""
    path, _, attribute = place.path.rpartition("@")
    holder = element.find(path.rstrip("/")) if path.rstrip("/") else element
    if "@" not in place.path:
        holder = element.find(place.path)
        if holder is None:
            return None, "KiB"
        return (holder.text or "").strip(), holder.get("unit", "KiB")
    return (None if holder is None else holder.get(attribute)), "KiB"


def _write(element: etree._Element, place: Place, value: Any) -> None:
    if value is None or (value is False and place.path.endswith("?")) or value == ():
        return
    if place.path.endswith("?"):
        _make(element, place.path[:-1])
    elif place.inner is not None:
        outer, _, tag = place.path.rpartition("/")
        holder = _make(element, outer) if outer else element
        for inner in value if place.is_many else (value,):
            holder.append(inner.element(tag))
    elif "@" in place.path:
        path, _, attribute = place.path.rpartition("@")
        _make(element, path.rstrip("/")).set(attribute, place.form.write(value))
    else:
        holder = _make(element, place.path)
        holder.text = place.form.write(value)
        if place.form is KIB:
            holder.set("unit", "KiB")


def _make(element: etree._Element, path: str) -> etree._Element:
    for tag in path.split("/") if path else ():
        child = element.find(tag)
        element = etree.SubElement(element, tag) if child is None else child
    return element


@dataclass(frozen=True, kw_only=True)
class Device(Described):
    """`alias` is libvirt's name of the device in a running VM."""

    alias: str | None = at("alias/@name", default=None)
