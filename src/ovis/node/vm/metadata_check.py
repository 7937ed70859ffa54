"""The metadata of a new VM is looked at once, so that a wrong value is told to who wrote it and not found out later.

Engines leave the type of a value out now and then: then its text must be of the type that its user needs.
"""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from ovis.node.vm import metadata, metadata_nested
from ovis.node.vm.errors import BadMetadata

BEHAVIOURS = ("auto_resume", "leave_paused", "kill")


def _truth(text: str) -> None:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)


def _behaviour(text: str) -> None:
    if text not in BEHAVIOURS:
        raise ValueError(text)


Check = Callable[[str], object]
KINDS: dict[str, tuple[str, Check]] = {
    "int": ("a whole number", int),
    "float": ("a number", float),
    "bool": ("True or False", _truth),
}
KNOWN: dict[str, tuple[str, Check]] = {
    "balloonTarget": KINDS["int"],
    "ballooningEnabled": KINDS["bool"],
    "destroy_on_reboot": KINDS["bool"],
    "exitCode": KINDS["int"],
    "exitReason": KINDS["int"],
    "guestAgentAPIVersion": KINDS["int"],
    "launchPaused": KINDS["bool"],
    "memGuaranteedSize": KINDS["int"],
    "minGuaranteedMemoryMb": KINDS["int"],
    "pauseTime": KINDS["float"],
    "resumeBehavior": (" or ".join(BEHAVIOURS), _behaviour),
    "startTime": KINDS["float"],
}
"""Source: reference/vdsm.md, section 2.3."""


def check(root: etree._Element) -> None:
    """Raises BadMetadata naming the device, or the VM, and the key."""
    for child in metadata.children(metadata.element(root)):
        name = metadata.name(child)
        if name == "device":
            who = "device " + ",".join(f"{key}={value}" for key, value in sorted(child.attrib.items()))
            _check_below(child, who)
        elif name in KNOWN and (child.text or "").strip():
            _check(child, "the VM", name, KNOWN[name])
        else:
            _check_below(child, "the VM")
    metadata_nested.read(root)


def _check_below(element: etree._Element, who: str) -> None:
    for child in element.iter():
        kind = child.get("type", "") if isinstance(child.tag, str) else ""
        if kind in KINDS and not (child is element and len(element)):  # `type` of a group is something else
            _check(child, who, metadata.name(child), KINDS[kind])


def _check(child: etree._Element, who: str, key: str, kind: tuple[str, Check]) -> None:
    what, read = kind
    text = (child.text or "").strip()
    try:
        read(text)
    except ValueError:
        raise BadMetadata(who, key, f"{text[:40]!r} is not {what}") from None
