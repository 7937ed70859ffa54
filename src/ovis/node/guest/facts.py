"""Facts from inside a guest. The guest is not trusted: every text is shortened and cleaned, every list has an end."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

TEXT = 255  # a host name has 253, the longest field we know
MOUNTS = 256
INTERFACES = 64
ADDRESSES = 32  # of one interface
USERS = 32
LONG_NUMBER = 1 << 63


@dataclass(frozen=True)
class GuestOs:
    """`kind`: linux, windows or other. Unknown parts are empty."""

    kind: str
    name: str
    version: str
    codename: str
    kernel: str
    machine: str
    pretty: str


@dataclass(frozen=True)
class GuestTimezone:
    """`offset`: seconds east of Greenwich."""

    zone: str
    offset: int


@dataclass(frozen=True)
class GuestInterface:
    name: str
    mac: str
    inet: tuple[str, ...]
    inet6: tuple[str, ...]


@dataclass(frozen=True)
class GuestMount:
    """Sizes in bytes."""

    path: str
    kind: str
    total: int
    used: int


@dataclass(frozen=True)
class GuestContainer:
    """`status` in the words of the guest's container engine."""

    id: str
    names: tuple[str, ...]
    image: str
    command: str
    status: str


@dataclass(frozen=True)
class GuestMemory:
    """In bytes, as the guest counts it."""

    total: int
    unused: int


class Session(StrEnum):
    """The desktop's; only the oVirt agent tells."""

    USER_LOGGED_ON = "UserLoggedOn"
    ACTIVE = "Active"
    LOCKED = "Locked"
    LOGGED_OFF = "LoggedOff"


@dataclass(frozen=True)
class GuestFacts:
    """None: the agent has not told (yet, or cannot)."""

    agent_version: str | None = None
    commands: frozenset[str] = frozenset()
    host_name: str | None = None
    os: GuestOs | None = None
    timezone: GuestTimezone | None = None
    interfaces: tuple[GuestInterface, ...] | None = None
    users: tuple[str, ...] | None = None
    mounts: tuple[GuestMount, ...] | None = None
    disks: tuple[tuple[str, str], ...] | None = None
    """Serial number and name in the guest."""
    cpus: int | None = None
    fqdn: str | None = None
    applications: tuple[str, ...] | None = None
    session: Session | None = None
    containers: tuple[GuestContainer, ...] | None = None
    memory: GuestMemory | None = None

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """Those by which others reach the guest: neither its own loop nor those of one link.

        Kept: statistics want them at each sample, and reading the texts cost a quarter of it all.
        """
        found = [a for i in self.interfaces or () for a in (*i.inet, *i.inet6)]
        return tuple(a for a in found if not (ip := ipaddress.ip_address(a)).is_loopback and not ip.is_link_local)


def clean(value: object) -> str:
    """A text without control characters, of bounded length; anything else reads as empty."""
    if not isinstance(value, str):
        return ""
    return "".join(c for c in value[: 4 * TEXT] if c.isprintable())[:TEXT].strip()


def number(value: object) -> int:
    """A whole number from 0 up; anything else reads as 0."""
    return value if type(value) is int and 0 <= value < LONG_NUMBER else 0


def items(value: object, most: int) -> Iterator[Mapping[str, object]]:
    """The first objects of a list, whatever else was sent."""
    for item in value[:most] if isinstance(value, list) else []:
        if isinstance(item, Mapping):
            yield item


def commands(answer: object) -> tuple[str, frozenset[str]]:
    """Version of the agent, and the commands it accepts."""
    if not isinstance(answer, Mapping):
        return "", frozenset()
    enabled = {clean(c.get("name")) for c in items(answer.get("supported_commands"), 500) if c.get("enabled", True)}
    return clean(answer.get("version")), frozenset(enabled - {""})


def host_name(answer: object) -> str:
    return clean(answer.get("host-name")) if isinstance(answer, Mapping) else ""


def operating_system(answer: object) -> GuestOs | None:
    if not isinstance(answer, Mapping):
        return None
    name, identity = clean(answer.get("name")), clean(answer.get("id"))
    pretty = clean(answer.get("pretty-name"))
    windows = identity == "mswindows"
    return GuestOs(
        kind="windows" if windows else "linux" if identity or name else "other",
        name=pretty if windows else name,
        version=clean(answer.get("version-id")) or clean(answer.get("version")),
        codename=_codename(clean(answer.get("version"))),
        kernel=clean(answer.get("kernel-release")),
        machine=clean(answer.get("machine")),
        pretty=pretty or name,
    )


def _codename(version: str) -> str:
    """`12 (bookworm)` -> bookworm"""
    return version.partition("(")[2].partition(")")[0]


def timezone(answer: object) -> GuestTimezone | None:
    if not isinstance(answer, Mapping):
        return None
    offset = answer.get("offset")
    return GuestTimezone(clean(answer.get("zone")), offset if type(offset) is int and abs(offset) <= 86400 else 0)


def interfaces(answer: object) -> tuple[GuestInterface, ...]:
    return tuple(
        GuestInterface(
            name=clean(card.get("name")),
            mac=clean(card.get("hardware-address")),
            inet=_addresses(card, 4),
            inet6=_addresses(card, 6),
        )
        for card in items(answer, INTERFACES)
    )


def _addresses(card: Mapping[str, object], version: int) -> tuple[str, ...]:
    found = []
    for entry in items(card.get("ip-addresses"), ADDRESSES):
        try:
            address = ipaddress.ip_address(clean(entry.get("ip-address")).partition("%")[0])
        except ValueError:
            continue
        if address.version == version:
            found.append(str(address))
    return tuple(found)


def users(answer: object) -> tuple[str, ...]:
    names = []
    for user in items(answer, USERS):
        name, domain = clean(user.get("user")), clean(user.get("domain"))
        if name:
            names.append(f"{name}@{domain}" if domain else name)
    return tuple(dict.fromkeys(names))


def mounts(answer: object) -> tuple[GuestMount, ...]:
    """File systems whose size the agent tells (2.12 and newer, and not those in memory)."""
    return tuple(
        GuestMount(
            path=clean(mount.get("mountpoint")),
            kind=clean(mount.get("type")),
            total=number(mount.get("total-bytes")),
            used=number(mount.get("used-bytes")),
        )
        for mount in items(answer, MOUNTS)
        if "total-bytes" in mount
    )


def disks(answer: object) -> tuple[tuple[str, str], ...]:
    """Of `guest-get-fsinfo`, whose file systems name the disks that they lie on, or of `guest-get-disks`."""
    found: dict[str, str] = {}
    for entry in items(answer, MOUNTS):
        whole = entry.get("partition") is False and isinstance(entry.get("address"), Mapping)
        for disk in [entry["address"]] if whole else items(entry.get("disk"), 16):
            if not isinstance(disk, Mapping):
                continue
            serial = clean(disk.get("serial"))
            name = clean(entry.get("name")) if whole else clean(disk.get("dev"))
            if serial and name:
                found.setdefault(serial, name)
    return tuple(found.items())


def cpus(answer: object) -> int:
    """Of `guest-get-vcpus`: how many are online."""
    return sum(1 for cpu in items(answer, 4096) if cpu.get("online") is True)
