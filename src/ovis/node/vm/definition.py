"""What the agent needs to know of a domain description, read once per change of it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from lxml import etree

from ovis.node.guest.ovirt_agent.protocol import CHANNELS as DESKTOP_CHANNELS
from ovis.node.vm import metadata
from ovis.node.vm.errors import BadXml

UNITS = {
    "b": 1,
    "bytes": 1,
    "KB": 10**3,
    "k": 1 << 10,
    "KiB": 1 << 10,
    "MB": 10**6,
    "M": 1 << 20,
    "MiB": 1 << 20,
    "GB": 10**9,
    "G": 1 << 30,
    "GiB": 1 << 30,
    "TB": 10**12,
    "T": 1 << 40,
    "TiB": 1 << 40,
}
"""Source: libvirt, domain XML, "Memory Allocation"."""

AGENT_CHANNEL = "org.qemu.guest_agent.0"


@dataclass(frozen=True)
class Graphics:
    """`port` and `tls_port` are -1 where there is none (yet). `listen` is an address."""

    kind: str
    port: int
    tls_port: int
    listen: str
    keymap: str | None


@dataclass(frozen=True)
class Interface:
    """`target` is the host's side, known once the VM runs."""

    mac: str
    target: str
    model: str
    bridge: str | None
    alias: str
    link_up: bool


@dataclass(frozen=True)
class Disk:
    """`path` is None for an empty drive and for a disk of the network, of which `address` tells where it is.

    `serial` is the image id when it looks like one.
    """

    target: str
    device: str
    bus: str
    path: str | None
    format: str
    serial: str | None
    alias: str
    readonly: bool
    shareable: bool
    boot_order: int | None
    address: str | None = None

    @property
    def backing(self) -> str | None:
        """What it is known by."""
        return self.path or self.address

    @property
    def is_exclusive(self) -> bool:
        """Nobody else may write to what backs it."""
        return not self.readonly and not self.shareable and self.device in ("disk", "lun")


@dataclass(frozen=True)
class Definition:
    """Sizes in bytes. `fingerprint` changes with the description."""

    id: str
    name: str
    virt_type: str
    arch: str
    machine: str
    cpu: str
    memory: int
    max_memory: int | None
    guaranteed_memory: int
    balloon: bool
    vcpus: int
    max_vcpus: int
    cores_per_socket: int
    threads_per_core: int
    acpi: bool
    time_offset: int
    graphics: tuple[Graphics, ...]
    interfaces: tuple[Interface, ...]
    disks: tuple[Disk, ...]
    has_agent_channel: bool
    has_tpm: bool
    has_variables: bool
    desktop_channel: str | None
    metadata: dict[str, metadata.Value]
    custom: dict[str, str]
    fingerprint: int

    @property
    def destroys_on_reboot(self) -> bool:
        return metadata.is_true(self.metadata, "destroy_on_reboot")

    @property
    def cdrom(self) -> str | None:
        return next((disk.path for disk in self.disks if disk.device == "cdrom" and disk.path), None)


def read(root: etree._Element, field: str = "xml") -> Definition:
    """Raises BadXml where something is missing that every description has, or is not of its type."""
    if root.tag != "domain":
        raise BadXml(field, f"the root element is {root.tag!r}, not domain")
    memory = size(root, "memory", field)
    assert memory is not None
    values = metadata.read(root)
    max_vcpus = _whole(root, "vcpu", field, default=1)
    os_type = root.find("os/type")
    return Definition(
        id=_needed(root, "uuid", field).lower(),
        name=_needed(root, "name", field),
        virt_type=root.get("type", ""),
        arch=_attribute(os_type, "arch", "x86_64"),
        machine=_attribute(os_type, "machine", ""),
        cpu=_cpu(root),
        memory=memory,
        max_memory=size(root, "maxMemory", field, needed=False),
        guaranteed_memory=_guaranteed(values, memory),
        balloon=root.find("devices/memballoon[@model='none']") is None,
        vcpus=_number(root, "vcpu", "current", max_vcpus),
        max_vcpus=max_vcpus,
        cores_per_socket=_number(root, "cpu/topology", "cores", 1),
        threads_per_core=_number(root, "cpu/topology", "threads", 1),
        acpi=root.find("features/acpi") is not None,
        time_offset=_number(root, "clock", "adjustment", 0),
        graphics=tuple(_graphics(g) for g in root.iterfind("devices/graphics")),
        interfaces=tuple(_interface(i) for i in root.iterfind("devices/interface")),
        disks=tuple(_disk(d) for d in root.iterfind("devices/disk")),
        desktop_channel=_desktop_channel(root),
        has_tpm=root.find("devices/tpm/backend[@type='emulator']") is not None,
        has_variables=root.find("os/nvram") is not None,
        has_agent_channel=root.find(f"devices/channel/target[@name='{AGENT_CHANNEL}']") is not None,
        metadata=values,
        custom=metadata.custom(root),
        fingerprint=zlib.crc32(etree.tostring(root)),
    )


def _desktop_channel(root: etree._Element) -> str | None:
    """The name of the oVirt agent's channel."""
    names = {target.get("name") for target in root.iterfind("devices/channel[@type='unix']/target")}
    return next((name for name in DESKTOP_CHANNELS if name in names), None)


def size(root: etree._Element, path: str, field: str, *, needed: bool = True) -> int | None:
    """An element with a unit, in bytes; None when it is not there and not needed. Raises BadXml."""
    found = root.find(path)
    where = f"{field}: domain/{path}"
    if found is None:
        if needed:
            raise BadXml(where, "is missing")
        return None
    text = (found.text or "").strip()
    unit = found.get("unit", "KiB")
    if unit not in UNITS:
        raise BadXml(where, f"the unit {unit!r} is not one of {', '.join(UNITS)}")
    if not (text.isascii() and text.isdigit()):
        raise BadXml(where, f"{text[:40]!r} is not a whole number of {unit}")
    if len(text) > 20:
        raise BadXml(where, f"{text[:20]}... {unit} is beyond every machine")
    return int(text) * UNITS[unit]


def _needed(root: etree._Element, path: str, field: str) -> str:
    text = (root.findtext(path) or "").strip()
    if not text:
        raise BadXml(f"{field}: domain/{path}", "is missing or empty")
    return text


def _whole(root: etree._Element, path: str, field: str, *, default: int) -> int:
    text = root.findtext(path)
    if text is None:
        return default
    if not _is_count(text.strip()) or not 1 <= int(text) <= 4096:
        raise BadXml(f"{field}: domain/{path}", f"{text.strip()[:40]!r} is not a number from 1 to 4096")
    return int(text)


def _number(root: etree._Element, path: str, attribute: str, default: int) -> int:
    """An optional attribute; a value that is no number (clock adjustment='reset') counts as absent."""
    text = _attribute(root.find(path), attribute, "").strip()
    digits = text.removeprefix("-")
    return int(text) if _is_count(digits) else default


def _is_count(text: str) -> bool:
    """Digits, few enough for every use; `isdigit` alone also takes a superscript two, which `int` does not."""
    return text.isascii() and text.isdigit() and len(text) <= 10


def _attribute(element: etree._Element | None, name: str, default: str) -> str:
    return default if element is None else element.get(name, default)


def _cpu(root: etree._Element) -> str:
    """As clients write it: model, then +feature or -feature."""
    cpu = root.find("cpu")
    if cpu is None:
        return ""
    model = (cpu.findtext("model") or "").strip() or cpu.get("mode", "")
    signs = {"require": "+", "force": "+", "disable": "-", "forbid": "-"}
    features = [signs[p] + f.get("name", "") for f in cpu.iterfind("feature") if (p := f.get("policy", "")) in signs]
    return ",".join([model, *features])


def _guaranteed(values: dict[str, metadata.Value], memory: int) -> int:
    mib = values.get("minGuaranteedMemoryMb")
    if isinstance(mib, int) and not isinstance(mib, bool) and mib >= 0:
        return min(mib << 20, memory)
    return memory


def _port(element: etree._Element, name: str) -> int:
    text = element.get(name, "-1")
    return int(text) if _is_count(text) and 0 < int(text) < 65536 else -1


def _graphics(element: etree._Element) -> Graphics:
    listen = element.find("listen[@address]")
    address = listen.get("address", "") if listen is not None else element.get("listen", "")
    kind = element.get("type", "")
    return Graphics(kind, _port(element, "port"), _port(element, "tlsPort"), address, element.get("keymap"))


def _interface(element: etree._Element) -> Interface:
    return Interface(
        mac=_attribute(element.find("mac"), "address", "").lower(),
        target=_attribute(element.find("target"), "dev", ""),
        model=_attribute(element.find("model"), "type", ""),
        bridge=_attribute(element.find("source"), "bridge", "") or None,
        alias=_attribute(element.find("alias"), "name", ""),
        link_up=_attribute(element.find("link"), "state", "up") != "down",
    )


def _disk(element: etree._Element) -> Disk:
    source = element.find("source")
    boot = _attribute(element.find("boot"), "order", "")
    return Disk(
        target=_attribute(element.find("target"), "dev", ""),
        device=element.get("device", "disk"),
        bus=_attribute(element.find("target"), "bus", ""),
        path=_attribute(source, "file", "") or _attribute(source, "dev", "") or None,
        format=_attribute(element.find("driver"), "type", "raw"),
        serial=(element.findtext("serial") or "").strip() or None,
        alias=_attribute(element.find("alias"), "name", ""),
        readonly=element.find("readonly") is not None,
        shareable=element.find("shareable") is not None,
        boot_order=int(boot) if _is_count(boot) else None,
        address=_network_address(source) if element.get("type") == "network" else None,
    )


def _network_address(source: etree._Element | None) -> str | None:
    if source is None or not source.get("protocol"):
        return None
    host = source.find("host")
    server = {} if host is None else {name: host.get(name) for name in ("name", "port", "socket")}
    return network_address(source.get("protocol", ""), source.get("name"), **server)


def network_address(
    protocol: str, image: str | None, *, name: str | None = None, port: str | None = None, socket: str | None = None
) -> str:
    """Of a disk: the same for the same image, as far as its first server is named alike."""
    server = socket or f"{name or ''}{f':{port}' if port else ''}"
    return f"{protocol}://{server}/{image or ''}"
