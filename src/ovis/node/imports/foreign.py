"""VMs on another hypervisor: which addresses may be called, and what its domain XML says to an import.

An address can make the library run programs (`command=`, transport `ext`) or change how it logs in; what is not in the
tables below is refused. Source: libvirt, "Connection URIs" and "Remote support".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qsl, quote, urlsplit

from lxml import etree

from ovis.client.types import ExternalDiskInfo, ExternalNetworkInfo, ExternalVmInfo, VmStatus
from ovis.node.errors import BadParameter
from ovis.node.hypervisor.external import ForeignDomain, Login
from ovis.node.hypervisor.states import DomainState
from ovis.node.imports.description import Card, Description, Disk
from ovis.node.imports.errors import BadArchive
from ovis.node.vm import safe_xml

TRANSPORTS = {"", "unix", "tcp", "tls", "ssh", "libssh", "libssh2"}
OPTIONS = {"socket", "mode", "no_tty", "no_verify", "pkipath", "sshauth", "known_hosts", "known_hosts_verify"}
UNITS = {"bytes": 0, "b": 0, "KiB": 10, "k": 10, "MiB": 20, "M": 20, "GiB": 30, "G": 30, "TiB": 40, "T": 40}
LARGEST = 1 << 60
OUTSIDE = {"file", "block", "network", "volume"}


class Way(Enum):
    """How a VM of that hypervisor is taken over: its disks as they are, or its guest changed for KVM."""

    COPY = "copy"
    CONVERT = "convert"


WAYS = {"qemu": Way.COPY, "test": Way.COPY, "xen": Way.CONVERT, "vpx": Way.CONVERT, "esx": Way.CONVERT}


@dataclass(frozen=True)
class Source:
    login: Login
    way: Way


def source(uri: str, user: str, password: str) -> Source:
    """Raises BadParameter."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:
        raise BadParameter("uri", f"this is no address: {error}") from error
    if len(uri) > 2048 or any(ord(c) <= 0x20 or ord(c) == 0x7F for c in uri):
        raise BadParameter("uri", "it is too long, or holds spaces or control characters")
    driver, _, transport = parts.scheme.partition("+")
    if driver not in WAYS:
        raise BadParameter("uri", f"hypervisors of type {driver!r} are not supported: {', '.join(sorted(WAYS))} are")
    if transport not in TRANSPORTS:
        raise BadParameter("uri", f"the transport {transport!r} is refused")
    if driver == "test" and uri != "test:///default":
        raise BadParameter("uri", "only test:///default")
    if parts.password is not None:
        raise BadParameter("uri", "a password does not belong here, where it is logged; there is a parameter for it")
    if (parts.hostname or "").startswith("-") or (parts.username or "").startswith("-"):
        raise BadParameter("uri", "a host or user cannot start with a hyphen")
    for option in parse_qsl(parts.query, keep_blank_values=True):
        if option[0] not in OPTIONS:
            raise BadParameter("uri", f"the option {option[0]!r} is refused")
    if user and parts.hostname and parts.username is None:
        uri = parts._replace(netloc=f"{quote(user, safe='')}@{parts.netloc}").geturl()
    return Source(Login(uri, user, password), WAYS[driver])


def describe(domain: ForeignDomain) -> Description:
    """Raises BadXml, BadArchive."""
    root = safe_xml.parse(domain.xml, f"VM {domain.name!r}")
    measured = {disk.path: disk for disk in domain.disks}
    disks = []
    for disk in root.iterfind("devices/disk"):
        path = _disk_path(disk)
        known = measured.get(path or "")
        disks.append(
            Disk(
                id=_of(disk, "target", "dev") or "",
                file=path,
                capacity=known.capacity if known else None,
                allocation=known.allocation if known else None,
                driver=_of(disk, "driver", "type"),
                device=_of(disk, "target", "dev"),
                kind=disk.get("device", "disk"),
            )
        )
    return Description(
        name=domain.name,
        memory=_memory(root, domain.name),
        cpus=_cpus(root, domain.name),
        disks=tuple(disks),
        cards=tuple(_card(card) for card in root.iterfind("devices/interface")),
        is_foreign=root.get("type") not in ("kvm", "qemu", "test"),
    )


def info(domain: ForeignDomain) -> ExternalVmInfo:
    """As engines read it. Raises BadXml, BadArchive."""
    described = describe(domain)
    root = safe_xml.parse(domain.xml, f"VM {domain.name!r}")
    return told(
        described,
        vm_id=domain.id,
        status=VmStatus.DOWN if domain.state is DomainState.SHUT_OFF else VmStatus.UP,
        has_snapshots=domain.has_snapshots,
        graphics=_of(root, "devices/graphics", "type"),
        video=_of(root, "devices/video/model", "type"),
    )


def told(
    described: Description,
    *,
    status: VmStatus = VmStatus.DOWN,
    vm_id: str | None = None,
    has_snapshots: bool | None = None,
    graphics: str | None = None,
    video: str | None = None,
) -> ExternalVmInfo:
    return ExternalVmInfo(
        vm_id=vm_id,
        vm_name=described.name,
        status=status,
        mem_size=described.memory,
        smp=described.cpus,
        has_snapshots=has_snapshots,
        graphics=graphics,
        video=video,
        disks=[
            ExternalDiskInfo(
                alias=disk.file,
                capacity=disk.capacity,
                allocation=disk.allocation if disk.allocation is not None else disk.file_size,
                dev=disk.device,
                type=disk.kind,
            )
            for disk in described.disks
        ],
        networks=[
            ExternalNetworkInfo(type=card.kind, dev=card.name, bridge=card.network, mac_addr=card.mac, model=card.model)
            for card in described.cards
        ],
    )


def _disk_path(disk: etree._Element) -> str | None:
    if disk.get("type", "file") not in OUTSIDE:
        return None
    return _of(disk, "source", "file") or _of(disk, "source", "dev") or _of(disk, "source", "name")


def _card(card: etree._Element) -> Card:
    kind = card.get("type", "")
    return Card(
        kind=kind,
        name=_of(card, "target", "dev"),
        network=_of(card, "source", "bridge") or _of(card, "source", "network"),
        mac=_of(card, "mac", "address"),
        model=_of(card, "model", "type"),
    )


def _memory(root: etree._Element, name: str) -> int:
    """What the VM has now, else the most that it may have."""
    for tag in ("currentMemory", "memory"):
        element = root.find(tag)
        if element is not None and (text := (element.text or "").strip()).isdecimal() and len(text) < 15:
            return min(int(text) << UNITS.get(element.get("unit", "KiB"), 10), LARGEST)
    raise BadArchive(f"VM {name!r}", "its memory is not described")


def _cpus(root: etree._Element, name: str) -> int:
    element = root.find("vcpu")
    if element is not None:
        for text in (element.get("current", ""), (element.text or "").strip()):
            if text.isdecimal() and len(text) < 6:
                return int(text)
    raise BadArchive(f"VM {name!r}", "its CPUs are not described")


def _of(root: etree._Element, path: str, attribute: str) -> str | None:
    element = root.find(path)
    value = None if element is None else element.get(attribute)
    return str(value) if value else None
