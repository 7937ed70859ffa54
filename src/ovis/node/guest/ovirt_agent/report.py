"""What an oVirt guest agent has told so far: one function per message, found in the table at the end.

The guest is not trusted: values pass through the same checks as those of the QEMU agent (`guest.facts`), and what is of
another type than it should be reads as not told.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ovis.node.guest.facts import (
    MOUNTS,
    GuestContainer,
    GuestFacts,
    GuestInterface,
    GuestMemory,
    GuestMount,
    GuestOs,
    GuestTimezone,
    Session,
    clean,
    items,
    number,
)
from ovis.node.guest.ovirt_agent.protocol import Message

APPLICATIONS = 2048
INTERFACES = 64
ADDRESSES = 32
CONTAINERS = 256
CONTAINER_NAMES = 16
KIB = 1024

Body = Mapping[str, Any]
NOBODY = {"", "None", "Unknown"}


def learn(known: GuestFacts, message: Message) -> GuestFacts:
    """`known` with what the message adds; a message that nobody knows changes nothing."""
    teach = LESSONS.get(message.name)
    return known if teach is None else teach(known, message.body)


def _heartbeat(known: GuestFacts, body: Body) -> GuestFacts:
    told = body.get("memory-stat")
    stat = told if isinstance(told, Mapping) else {}
    total, unused = _whole(stat.get("mem_total")), _whole(stat.get("mem_unused"))
    if not total:
        return known
    return replace(known, memory=GuestMemory(total * KIB, min(unused, total) * KIB))


def _host_name(known: GuestFacts, body: Body) -> GuestFacts:
    return replace(known, host_name=clean(body.get("name")) or None)


def _fqdn(known: GuestFacts, body: Body) -> GuestFacts:
    return replace(known, fqdn=clean(body.get("fqdn")) or None)


def _os_info(known: GuestFacts, body: Body) -> GuestFacts:
    kind = clean(body.get("type"))
    name = clean(body.get("distribution"))
    return replace(
        known,
        os=GuestOs(
            kind=kind if kind in ("linux", "windows") else "other",
            name=name or clean(body.get("version")),
            version=clean(body.get("version")),
            codename=clean(body.get("codename")),
            kernel=clean(body.get("kernel")),
            machine=clean(body.get("arch")),
            pretty=name,
        ),
    )


def _os_version(known: GuestFacts, body: Body) -> GuestFacts:
    """Older agents tell only this: of a Linux guest its kernel."""
    version = clean(body.get("version"))
    if known.os is not None or not version:
        return known
    return replace(known, os=GuestOs("other", version, version, "", "", "", version))


def _timezone(known: GuestFacts, body: Body) -> GuestFacts:
    minutes = body.get("offset")
    if type(minutes) is not int or abs(minutes) > 24 * 60:
        minutes = 0
    return replace(known, timezone=GuestTimezone(clean(body.get("zone")), minutes * 60))


def _interfaces(known: GuestFacts, body: Body) -> GuestFacts:
    cards = tuple(
        GuestInterface(
            clean(card.get("name")),
            clean(card.get("hw")),
            _addresses(card.get("inet"), 4),
            _addresses(card.get("inet6"), 6),
        )
        for card in items(body.get("interfaces"), INTERFACES)
    )
    return replace(known, interfaces=cards)


def _applications(known: GuestFacts, body: Body) -> GuestFacts:
    return replace(known, applications=_texts(body.get("applications"), APPLICATIONS))


def _active_user(known: GuestFacts, body: Body) -> GuestFacts:
    name = clean(body.get("name"))
    return replace(known, users=() if name in NOBODY else (name,))


def _disks(known: GuestFacts, body: Body) -> GuestFacts:
    mounts = tuple(
        GuestMount(clean(disk.get("path")), clean(disk.get("fs")), _whole(disk.get("total")), _whole(disk.get("used")))
        for disk in items(body.get("disks"), MOUNTS)
    )
    mapping = body.get("mapping")
    disks = tuple(
        (clean(serial), clean(told.get("name")))
        for serial, told in list(mapping.items() if isinstance(mapping, Mapping) else ())[:MOUNTS]
        if isinstance(told, Mapping) and clean(serial) and clean(told.get("name"))
    )
    return replace(known, mounts=mounts, disks=disks or known.disks)


def _cpus(known: GuestFacts, body: Body) -> GuestFacts:
    return replace(known, cpus=min(_whole(body.get("count")), 4096) or None)


def _containers(known: GuestFacts, body: Body) -> GuestFacts:
    found = tuple(
        GuestContainer(
            clean(container.get("id")),
            _texts(container.get("names"), CONTAINER_NAMES),
            clean(container.get("image")),
            clean(container.get("command")),
            clean(container.get("status")),
        )
        for container in items(body.get("list"), CONTAINERS)
    )
    return replace(known, containers=found)


def _uninstalled(known: GuestFacts, _body: Body) -> GuestFacts:
    return replace(known, applications=())


def _session(session: Session) -> Callable[[GuestFacts, Body], GuestFacts]:
    return lambda known, _: replace(known, session=session)


def _logged_off(known: GuestFacts, _body: Body) -> GuestFacts:
    return replace(known, session=Session.LOGGED_OFF, users=())


def _started(known: GuestFacts, _body: Body) -> GuestFacts:
    """The guest has booted: nobody is logged in, whatever was told before."""
    return replace(known, session=None, users=None)


def _whole(value: object) -> int:
    """Numbers come as numbers or as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return number(value)


def _texts(value: object, most: int) -> tuple[str, ...]:
    return tuple(text for item in value[:most] if (text := clean(item))) if isinstance(value, list) else ()


def _addresses(value: object, version: int) -> tuple[str, ...]:
    found = []
    for text in _texts(value, ADDRESSES):
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            continue
        if address.version == version:
            found.append(str(address))
    return tuple(found)


LESSONS: dict[str, Callable[[GuestFacts, Body], GuestFacts]] = {
    "heartbeat": _heartbeat,
    "host-name": _host_name,
    "fqdn": _fqdn,
    "os-info": _os_info,
    "os-version": _os_version,
    "timezone": _timezone,
    "network-interfaces": _interfaces,
    "applications": _applications,
    "active-user": _active_user,
    "disks-usage": _disks,
    "number-of-cpus": _cpus,
    "containers": _containers,
    "uninstalled": _uninstalled,
    "session-startup": _started,
    "session-shutdown": _started,
    "session-logon": _session(Session.USER_LOGGED_ON),
    "session-lock": _session(Session.LOCKED),
    "session-unlock": _session(Session.ACTIVE),
    "session-logoff": _logged_off,
}
