"""One simulated domain: its state, its live description and counters that move with the clock."""

import copy
import uuid
from dataclasses import dataclass, field

from lxml import etree

from ovis.node.hypervisor.domain_xml import parse
from ovis.node.hypervisor.errors import BadDomainXml
from ovis.node.hypervisor.sample import BalloonSample, DiskSample, DomainSample, InterfaceSample, VcpuSample
from ovis.node.hypervisor.simulated.guest import Guest
from ovis.node.hypervisor.simulated.layers import number_layers
from ovis.node.hypervisor.states import DomainInfo, DomainState

AGENT_CHANNEL = "org.qemu.guest_agent.0"
UNITS = {"b": 1, "bytes": 1, "KiB": 1 << 10, "k": 1 << 10, "MiB": 1 << 20, "M": 1 << 20, "GiB": 1 << 30, "G": 1 << 30}
MACHINES = ("pc", "q35", "pc-i440fx-", "pc-q35-")
DISK_CAPACITY = 10 << 30


@dataclass
class Load:
    """What a running domain uses: `cpu` of each vCPU (0..1), bytes per second of each interface and disk."""

    cpu: float = 0.05
    receive: float = 1000.0
    transmit: float = 500.0
    read: float = 4096.0
    write: float = 8192.0


@dataclass
class SimulatedDomain:
    id: str
    name: str
    root: etree._Element
    vcpus: int
    memory: int
    interfaces: tuple[str, ...]
    disks: tuple[tuple[str, str | None], ...]
    has_agent_channel: bool
    guest: Guest
    load: Load
    state: DomainState = DomainState.PAUSED
    reason: str = "starting_up"
    agent_connected: bool = False
    stuck_since: float | None = None
    ran_before: float = 0.0
    running_since: float | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.balloon = BalloonSample(self.memory, self.memory, self.memory // 2)

    @property
    def info(self) -> DomainInfo:
        return DomainInfo(self.id, self.name, self.state, self.reason)

    def enter(self, state: DomainState, reason: str, now: float) -> None:
        self.ran_before = self.ran(now)
        self.state = state
        self.reason = reason
        self.running_since = now if state is DomainState.RUNNING else None

    def ran(self, now: float) -> float:
        """Seconds on the CPU's side of a pause, since the start."""
        return self.ran_before + (0.0 if self.running_since is None else now - self.running_since)

    def relink(self) -> None:
        """The description's devices are other ones now."""
        self.interfaces = tuple(t.get("dev", "") for t in self.root.iterfind("devices/interface/target"))
        self.disks = tuple(_disk(d) for d in self.root.iterfind("devices/disk"))

    def xml(self, *, secure: bool) -> str:
        root = copy.deepcopy(self.root)
        if not secure:
            for graphics in root.iterfind("devices/graphics"):
                graphics.attrib.pop("passwd", None)
        for channel in root.iterfind("devices/channel/target"):
            if channel.get("name") == AGENT_CHANNEL:
                channel.set("state", "connected" if self.agent_connected else "disconnected")
        if self.metadata:
            holder = root.find("metadata")
            if holder is None:
                holder = etree.SubElement(root, "metadata")
            for element in self.metadata.values():
                holder.append(etree.fromstring(element))
        return etree.tostring(root, encoding="unicode", pretty_print=True)

    def sample(self, now: float) -> DomainSample:
        ran = self.ran(now)
        busy = ran * self.load.cpu
        stuck = 0.0 if self.stuck_since is None else max(now - self.stuck_since, 0.001)
        if stuck:
            return DomainSample(
                self.id, self.state, self.reason, False, False, stuck, busy * self.vcpus,
                interfaces=self._interfaces(ran),
            )  # fmt: skip
        each = "running" if self.running_since is not None else "blocked"
        total = busy * self.vcpus
        return DomainSample(
            self.id, self.state, self.reason, True, True, 0.0, total, total * 0.7, total * 0.3,
            self.balloon,
            tuple([VcpuSample(index, each, busy, 0.0) for index in range(self.vcpus)]),
            self._interfaces(ran),
            self._disks(ran),
        )  # fmt: skip

    def _interfaces(self, ran: float) -> tuple[InterfaceSample, ...]:
        received, sent = int(ran * self.load.receive), int(ran * self.load.transmit)
        return tuple(
            [InterfaceSample(name, received, received // 500, 0, 0, sent, sent // 500) for name in self.interfaces]
        )

    def _disks(self, ran: float) -> tuple[DiskSample, ...]:
        read, written = int(ran * self.load.read), int(ran * self.load.write)
        return tuple(
            [
                DiskSample(
                    name, path, None, read // 4096, read, read / 1e8, written // 4096, written, written / 1e8, 0, 0.0,
                    min(written, DISK_CAPACITY), DISK_CAPACITY, min(written, DISK_CAPACITY),
                )
                for name, path in self.disks
            ]
        )  # fmt: skip


def make(xml: str, number: int, guest: Guest, load: Load) -> SimulatedDomain:
    """Raises BadDomainXml where libvirt would refuse the same."""
    root = parse(xml)
    if root.tag != "domain":
        raise BadDomainXml(f"unexpected root element <{etree.QName(root).localname}>, expecting <domain>")
    name = _text(root, "name")
    memory = _memory(root)
    machine = root.find("os/type")
    if machine is None:
        raise BadDomainXml("an os <type> must be specified")
    kind = machine.get("machine", "pc")
    if kind not in MACHINES[:2] and not kind.startswith(MACHINES[2:]):
        raise BadDomainXml(f"no machine type '{kind}'")
    domain_id = _uuid(root)
    metadata = _take_metadata(root)
    root.set("id", str(number))
    _enliven(root, number)
    return SimulatedDomain(
        id=domain_id,
        name=name,
        root=root,
        vcpus=_whole(root.findtext("vcpu") or "1", "vcpu"),
        memory=memory,
        interfaces=tuple(t.get("dev", "") for t in root.iterfind("devices/interface/target")),
        disks=tuple(_disk(d) for d in root.iterfind("devices/disk")),
        has_agent_channel=any(t.get("name") == AGENT_CHANNEL for t in root.iterfind("devices/channel/target")),
        guest=guest,
        load=load,
        metadata=metadata,
    )


def _text(root: etree._Element, path: str) -> str:
    text = (root.findtext(path) or "").strip()
    if not text:
        raise BadDomainXml(f"missing {path} information")
    return text


def _whole(text: str, what: str) -> int:
    try:
        value = int(text.strip())
    except ValueError:
        value = 0
    if value <= 0:
        raise BadDomainXml(f"invalid value '{text}' for element '{what}'")
    return value


def _memory(root: etree._Element) -> int:
    element = root.find("memory")
    if element is None or not element.text:
        raise BadDomainXml("missing memory information")
    unit = element.get("unit", "KiB")
    if unit not in UNITS:
        raise BadDomainXml(f"unknown memory unit '{unit}'")
    return _whole(element.text, "memory") * UNITS[unit]


def _uuid(root: etree._Element) -> str:
    element = root.find("uuid")
    if element is None:
        element = etree.SubElement(root, "uuid")
        element.text = str(uuid.uuid4())
    try:
        element.text = str(uuid.UUID((element.text or "").strip()))
    except ValueError:
        raise BadDomainXml("malformed uuid element") from None
    return element.text


def _take_metadata(root: etree._Element) -> dict[str, str]:
    """{namespace: element}; kept beside the tree, so that it can be replaced."""
    holder = root.find("metadata")
    found: dict[str, str] = {}
    for element in list(holder) if holder is not None else []:
        if holder is not None and isinstance(element.tag, str):
            found[etree.QName(element).namespace or ""] = etree.tostring(element, encoding="unicode", with_tail=False)
            holder.remove(element)
    return found


def _disk(disk: etree._Element) -> tuple[str, str | None]:
    target, source = disk.find("target"), disk.find("source")
    path = None if source is None else source.get("file") or source.get("dev")
    return ("" if target is None else target.get("dev", "")), path


def _enliven(root: etree._Element, number: int) -> None:
    """What libvirt adds to a running domain: an alias for each device, host-side names, ports, terminals."""
    counts: dict[str, int] = {}
    devices = root.find("devices")
    for device in devices if devices is not None else []:
        if not isinstance(device.tag, str) or device.tag == "emulator":
            continue
        prefix = _alias_prefix(device)
        index = counts.get(prefix, 0)
        counts[prefix] = index + 1
        if device.find("alias") is None:
            etree.SubElement(device, "alias", name=f"{prefix}{index}")
        if device.tag == "disk":
            number_layers(device)
        elif device.tag == "interface":
            target = device.find("target")
            target = etree.SubElement(device, "target") if target is None else target
            if not target.get("dev"):
                target.set("dev", f"vnet{number * 8 + index}")
        elif device.tag == "graphics" and device.get("port") in (None, "-1"):
            device.set("port", str(5900 + number))
        elif device.tag in ("serial", "console") and device.get("type") == "pty":
            source = device.find("source")
            source = etree.SubElement(device, "source") if source is None else source
            source.set("path", f"/dev/pts/{number}")


def _alias_prefix(device: etree._Element) -> str:
    target = device.find("target")
    match device.tag:
        case "disk":
            return f"{(target.get('bus') if target is not None else None) or 'virtio'}-disk"
        case "interface":
            return "net"
        case "memballoon":
            return "balloon"
        case other:
            return str(other)
