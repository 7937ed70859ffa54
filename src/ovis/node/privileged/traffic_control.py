"""The kernel's traffic control over a routing socket: what mirrors and limits need of it.

Source: linux/pkt_sched.h, linux/pkt_cls.h, linux/tc_act/tc_mirred.h, tc_skbedit.h, net/sched/cls_u32.c, sch_hfsc.c.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ovis.node.host.rtnetlink import attributes, dump, text
from ovis.node.privileged.netlink import CREATE, EXCLUSIVE, REPLACE, Channel, attribute, nested, number, string

NEW_QDISC, DELETE_QDISC, GET_QDISC = 36, 37, 38
NEW_CLASS, DELETE_CLASS, GET_CLASS = 40, 41, 42
NEW_FILTER, DELETE_FILTER, GET_FILTER = 44, 45, 46
ROOT = 0xFFFFFFFF
INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3
"""Parents of filters on what comes in and goes out, below the qdisc `clsact`."""
CLSACT, _CLSACT_HANDLE = 0xFFFFFFF1, 0xFFFF0000
EVERY_PROTOCOL = 0x0003

_MESSAGE = struct.Struct("=BxxxiIII")
_KIND, _OPTIONS = 1, 2
_U32_CLASS, _U32_SELECTOR, _U32_ACTIONS = 1, 5, 7
_ACTION_KIND, _ACTION_OPTIONS, _MIRRED = 1, 2, 2
_CONTINUE, _MIRROR_OUT = -1, 2
_MIRRED_PARAMETERS = struct.Struct("=IIiiiiI")
_MARK, _MARK_PRIORITY = 2, 3
HFSC_GUARANTEE, HFSC_SHARE, HFSC_CEILING = _CURVES = (1, 2, 3)
Curve = tuple[int, int, int]
"""Bytes per second at first, microseconds of that, bytes per second afterwards."""
_ABSENT = (errno.ENOENT, errno.EINVAL, errno.ENODEV)


@dataclass(frozen=True)
class Object:
    """A qdisc, class or filter as the kernel tells it."""

    device: int
    handle: int
    parent: int
    info: int
    kind: str
    options: bytes

    @property
    def preference(self) -> int:
        return self.info >> 16


def header(device: int, *, handle: int = 0, parent: int = 0, info: int = 0) -> bytes:
    return _MESSAGE.pack(0, device, handle, parent, info)


def objects(get: int, device: int, parent: int = 0) -> list[Object]:
    """Empty also when the device is gone, or has no such parent."""
    try:
        return list(_objects(get, device, parent))
    except OSError as error:
        if error.errno in _ABSENT:
            return []
        raise


def _objects(get: int, device: int, parent: int) -> Iterator[Object]:
    for body in dump(get, get - 2, header(device, parent=parent)):
        _, at, handle, above, info = _MESSAGE.unpack_from(body)
        if device in (0, at):  # a dump of qdiscs holds those of all devices
            given = dict(attributes(body[_MESSAGE.size :]))
            yield Object(at, handle, above, info, text(given.get(_KIND, b"")), given.get(_OPTIONS, b""))


def qdiscs() -> list[Object]:
    """Of all devices."""
    return [one for one in _objects(GET_QDISC, 0, 0) if one.device]


def add_hooks(channel: Channel, device: int, name: str) -> None:
    """A place for filters on both directions. Safe to repeat; filters that are there stay."""
    body = header(device, handle=_CLSACT_HANDLE, parent=CLSACT) + string(_KIND, "clsact")
    channel.do(NEW_QDISC, body, CREATE | EXCLUSIVE, what=f"filters on {name}", ignore=(errno.EEXIST,))


def drop_hooks(channel: Channel, device: int, name: str) -> None:
    body = header(device, handle=_CLSACT_HANDLE, parent=CLSACT) + string(_KIND, "clsact")
    channel.do(DELETE_QDISC, body, what=f"filters on {name}", ignore=_ABSENT)


def _everything(*more: bytes) -> bytes:
    """Options of a u32 filter that every packet matches."""
    selector = struct.pack("=BBBBHHhhI", 1, 0, 1, 0, 0, 0, 0, 0, 0) + struct.pack("=IIii", 0, 0, 0, 0)
    return nested(_OPTIONS, attribute(_U32_SELECTOR, selector), *more)


def filter_info(preference: int) -> int:
    return preference << 16 | socket.htons(EVERY_PROTOCOL)


def add_mirror(channel: Channel, device: int, parent: int, preference: int, target: int, what: str) -> None:
    """A copy of every packet leaves by `target`; filters after this one see the packet, too."""
    parameters = _MIRRED_PARAMETERS.pack(0, 0, _CONTINUE, 0, 0, _MIRROR_OUT, target)
    action = nested(1, string(_ACTION_KIND, "mirred"), nested(_ACTION_OPTIONS, attribute(_MIRRED, parameters)))
    body = header(device, parent=parent, info=filter_info(preference)) + string(_KIND, "u32")
    channel.do(NEW_FILTER, body + _everything(nested(_U32_ACTIONS, action)), CREATE | EXCLUSIVE, what=what)


def add_mark(channel: Channel, device: int, parent: int, preference: int, priority: int, what: str) -> None:
    """Every packet is for the class `priority` of the qdisc that it comes to."""
    marked = attribute(_MARK, struct.pack("=Iiiii", 0, 0, _CONTINUE, 0, 0))
    options = nested(_ACTION_OPTIONS, marked, number(_MARK_PRIORITY, priority))
    action = nested(1, string(_ACTION_KIND, "skbedit"), options)
    body = header(device, parent=parent, info=filter_info(preference)) + string(_KIND, "u32")
    channel.do(NEW_FILTER, body + _everything(nested(_U32_ACTIONS, action)), CREATE | EXCLUSIVE, what=what)


def mark_of(found: Object) -> int | None:
    """The class of a filter of `add_mark`."""
    actions = dict(attributes(dict(attributes(found.options)).get(_U32_ACTIONS, b"")))
    action = dict(attributes(actions.get(1, b"")))
    given = dict(attributes(action.get(_ACTION_OPTIONS, b""))).get(_MARK_PRIORITY)
    if text(action.get(_ACTION_KIND, b"")) != "skbedit" or given is None:
        return None
    return int.from_bytes(given, sys.byteorder)


def put_hfsc(channel: Channel, device: int, handle: int, default: int, name: str) -> None:
    """As the root of a device, in the place of the kernel's own; of one that is there the default class is changed."""
    body = header(device, handle=handle, parent=ROOT) + string(_KIND, "hfsc")
    body += attribute(_OPTIONS, struct.pack("=H", default))
    channel.do(NEW_QDISC, body, CREATE | REPLACE, what=f"limits on {name}")


def drop_root(channel: Channel, device: int, handle: int, name: str) -> None:
    """The kernel's own comes back."""
    channel.do(DELETE_QDISC, header(device, handle=handle, parent=ROOT), what=f"limits on {name}", ignore=_ABSENT)


def put_hfsc_class(channel: Channel, device: int, class_: int, curves: Mapping[int, Curve], name: str) -> None:
    """Made or changed. `curves`: by HFSC_GUARANTEE, HFSC_SHARE, HFSC_CEILING."""
    body = header(device, handle=class_, parent=class_ & 0xFFFF0000) + string(_KIND, "hfsc")
    given = [attribute(kind, struct.pack("=III", *curve)) for kind, curve in curves.items()]
    channel.do(NEW_CLASS, body + nested(_OPTIONS, *given), CREATE | REPLACE, what=f"limits on {name}")
    fair = header(device, parent=class_) + string(_KIND, "fq_codel")
    known = (errno.EEXIST, errno.ENOENT)  # it is there, or this kernel has none: then first come, first served
    channel.do(NEW_QDISC, fair, CREATE | EXCLUSIVE, what=f"queue on {name}", ignore=known)


def drop_class(channel: Channel, device: int, class_: int, name: str) -> None:
    channel.do(DELETE_CLASS, header(device, handle=class_), what=f"limits on {name}", ignore=_ABSENT)


def curves_of(found: Object) -> dict[int, Curve]:
    given = dict(attributes(found.options))
    return {kind: struct.unpack_from("=III", given[kind]) for kind in _CURVES if kind in given}


def mirror_target(found: Object) -> int | None:
    """Index of the device that copies go to; 0 when it is gone; None for another filter."""
    if found.kind != "u32":
        return None
    actions = dict(attributes(dict(attributes(found.options)).get(_U32_ACTIONS, b"")))
    action = dict(attributes(actions.get(1, b"")))
    given = dict(attributes(action.get(_ACTION_OPTIONS, b""))).get(_MIRRED, b"")
    if text(action.get(_ACTION_KIND, b"")) != "mirred" or len(given) < _MIRRED_PARAMETERS.size:
        return None
    return int(_MIRRED_PARAMETERS.unpack_from(given)[-1])


def drop_filter(channel: Channel, device: int, parent: int, preference: int, handle: int, what: str) -> None:
    """`handle` 0: all of that preference. Safe to repeat."""
    body = header(device, handle=handle, parent=parent, info=filter_info(preference)) + string(_KIND, "u32")
    channel.do(DELETE_FILTER, body, what=what, ignore=_ABSENT)
