"""Devices, CPUs and limits of simulated domains. What the guest does not let go stands in `keeps` and `keeps_cpus`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from ovis.node.hypervisor.devices import CpuTime, IoLimits
from ovis.node.hypervisor.errors import OperationFailed, OperationRefused
from ovis.node.hypervisor.events import BalloonChange, DeviceAdded, DeviceRemoved
from ovis.node.hypervisor.sample import BalloonSample

if TYPE_CHECKING:
    from ovis.node.hypervisor.simulated.domain import SimulatedDomain
    from ovis.node.hypervisor.simulated.hypervisor import SimulatedHypervisor

PREFIXES = {"interface": "net", "memory": "dimm", "memballoon": "balloon"}
UNIQUE = {"disk": "target/@dev", "interface": "mac/@address", "lease": "key/text()"}
KIB = 1 << 10
DEFAULT_CPU_TIME = CpuTime(100_000, -1)


class SimulatedDevices:
    """`host_devices`: {name: XML} of the host; `taken`: those unbound from its drivers."""

    def __init__(self, hypervisor: SimulatedHypervisor) -> None:
        self._hypervisor = hypervisor
        self.keeps: set[str] = set()
        self.keeps_cpus = False
        self.host_devices: dict[str, str] = {}
        self.taken: set[str] = set()
        self.filters: dict[str, str] = {}
        self.pins: dict[tuple[str, int], frozenset[int]] = {}
        self._limits: dict[tuple[str, str], IoLimits] = {}
        self._cpu_time: dict[str, CpuTime] = {}

    async def attach(self, domain_id: str, xml: str, *, deadline: float | None = None) -> None:
        domain = await self._hypervisor._on("attach", domain_id, deadline)
        device = _parse(xml)
        holder = _devices(domain)
        path = UNIQUE.get(str(device.tag))
        if path and _key(device, path) in [_key(other, path) for other in holder.iterfind(str(device.tag))]:
            raise OperationFailed(f"{device.tag!s} {_key(device, path)} already exists")
        if device.find("alias") is None and device.tag != "lease":
            etree.SubElement(device, "alias", name=_free_alias(holder, device))
        self._enliven(domain, device)
        holder.append(device)
        self._grow(domain, device, sign=1)
        domain.relink()
        if (alias := device.find("alias")) is not None:
            self._hypervisor._publish(DeviceAdded(domain_id, alias.get("name", "")))
        self._hypervisor.faults.check("attach", domain_id, after=True)

    async def detach(self, domain_id: str, alias: str, *, deadline: float | None = None) -> None:
        domain = await self._hypervisor._on("detach", domain_id, deadline)
        if self._find(domain, alias) is None:
            raise OperationFailed(f"no device found with alias {alias}")
        if alias not in self.keeps:
            self.give_up(domain_id, alias)
        self._hypervisor.faults.check("detach", domain_id, after=True)

    async def detach_lease(self, domain_id: str, xml: str, *, deadline: float | None = None) -> None:
        domain = await self._hypervisor._on("detach_lease", domain_id, deadline)
        wanted = _parse(xml).findtext("key")
        for lease in _devices(domain).findall("lease"):
            if lease.findtext("key") == wanted:
                _devices(domain).remove(lease)
                return
        raise OperationRefused(f"Lease {wanted} in lockspace does not exist")

    async def update(self, domain_id: str, xml: str, *, force: bool = False, deadline: float | None = None) -> None:
        domain = await self._hypervisor._on("update", domain_id, deadline)
        device = _parse(xml)
        holder = _devices(domain)
        path = UNIQUE.get(str(device.tag), "@type")
        for other in holder.findall(str(device.tag)):
            if _key(other, path) == _key(device, path):
                if (alias := other.find("alias")) is not None and device.find("alias") is None:
                    device.append(alias)
                holder.replace(other, device)
                domain.relink()
                self._hypervisor.faults.check("update", domain_id, after=True)
                return
        raise OperationFailed(f"no {device.tag!s} {_key(device, path)} to update")

    async def set_vcpus(self, domain_id: str, count: int, *, deadline: float | None = None) -> None:
        domain = await self._hypervisor._on("set_vcpus", domain_id, deadline)
        vcpu = domain.root.find("vcpu")
        most = int((vcpu.text if vcpu is not None else None) or "1")
        if count > most:
            raise OperationRefused(f"requested vcpus is greater than max allowable vcpus: {count} > {most}")
        if vcpu is not None:
            now = int(vcpu.get("current") or most)
            if count < now and self.keeps_cpus:
                raise OperationFailed("vcpu unplug request timed out")
            vcpu.set("current", str(count))
        domain.vcpus = count

    async def pin_vcpu(self, domain_id: str, vcpu: int, cpus: frozenset[int], *, deadline: float | None = None) -> None:
        domain = await self._hypervisor._on("pin_vcpu", domain_id, deadline)
        if vcpu >= domain.vcpus:
            raise OperationRefused(f"vcpu {vcpu} is not present")
        self.pins[domain_id, vcpu] = cpus

    async def set_balloon(self, domain_id: str, size: int, *, deadline: float | None = None) -> None:
        domain = await self._hypervisor._on("set_balloon", domain_id, deadline)
        if size > domain.memory:
            raise OperationRefused("cannot set memory higher than max memory")
        old = domain.balloon
        domain.balloon = BalloonSample(size, old.maximum, min(old.rss or size, size))
        self._hypervisor._publish(BalloonChange(domain_id, size))

    async def io_limits(self, domain_id: str, disk: str, *, deadline: float | None = None) -> IoLimits:
        domain = await self._hypervisor._on("io_limits", domain_id, deadline)
        _check_disk(domain, disk)
        return self._limits.get((domain_id, disk), IoLimits())

    async def set_io_limits(
        self, domain_id: str, disk: str, limits: IoLimits, *, deadline: float | None = None
    ) -> None:
        domain = await self._hypervisor._on("set_io_limits", domain_id, deadline)
        _check_disk(domain, disk)
        for total, parts in (
            (limits.total_bytes_sec, (limits.read_bytes_sec, limits.write_bytes_sec)),
            (limits.total_iops_sec, (limits.read_iops_sec, limits.write_iops_sec)),
        ):
            if total and any(parts):
                raise OperationRefused("total and read/write of a limit cannot be set at the same time")
        self._limits[domain_id, disk] = limits

    async def cpu_time(self, domain_id: str, *, deadline: float | None = None) -> CpuTime:
        await self._hypervisor._on("cpu_time", domain_id, deadline)
        return self._cpu_time.get(domain_id, DEFAULT_CPU_TIME)

    async def set_cpu_time(
        self,
        domain_id: str,
        *,
        period_us: int | None = None,
        quota_us: int | None = None,
        deadline: float | None = None,
    ) -> None:
        await self._hypervisor._on("set_cpu_time", domain_id, deadline)
        old = self._cpu_time.get(domain_id, DEFAULT_CPU_TIME)
        self._cpu_time[domain_id] = CpuTime(
            old.period_us if period_us is None else period_us, old.quota_us if quota_us is None else quota_us
        )

    async def add_filter(self, name: str, xml: str, *, deadline: float | None = None) -> bool:
        await self._hypervisor._enter("add_filter", None, deadline)
        is_new = name not in self.filters
        self.filters.setdefault(name, xml)
        return is_new

    async def all_host_devices(self, *, deadline: float | None = None) -> list[str]:
        await self._hypervisor._enter("all_host_devices", None, deadline)
        return list(self.host_devices.values())

    async def host_device(self, name: str, *, deadline: float | None = None) -> str:
        await self._hypervisor._enter("host_device", None, deadline)
        if name not in self.host_devices:
            raise OperationFailed(f"no node device with matching name '{name}'")
        return self.host_devices[name]

    async def take_from_host(self, name: str, *, deadline: float | None = None) -> None:
        await self._hypervisor._enter("take_from_host", None, deadline)
        self.taken.add(name)

    async def give_back_to_host(self, name: str, *, deadline: float | None = None) -> None:
        await self._hypervisor._enter("give_back_to_host", None, deadline)
        self.taken.discard(name)

    def give_up(self, domain_id: str, alias: str) -> None:
        """The guest lets a device go, whether it was asked before or not."""
        domain = self._hypervisor.domain(domain_id)
        device = self._find(domain, alias)
        assert device is not None
        _devices(domain).remove(device)
        self._grow(domain, device, sign=-1)
        domain.relink()
        self._hypervisor._publish(DeviceRemoved(domain_id, alias))

    def _find(self, domain: SimulatedDomain, alias: str) -> etree._Element | None:
        for device in _devices(domain):
            found = device.find("alias")
            if found is not None and found.get("name") == alias:
                return device
        return None

    def _enliven(self, domain: SimulatedDomain, device: etree._Element) -> None:
        if device.tag == "interface":
            target = device.find("target")
            target = etree.SubElement(device, "target") if target is None else target
            if not target.get("dev"):
                target.set("dev", f"vnet{domain.id[:4]}{len(domain.interfaces)}")

    def _grow(self, domain: SimulatedDomain, device: etree._Element, *, sign: int) -> None:
        size = device.find("target/size")
        if device.tag != "memory" or size is None:
            return
        if sign > 0 and domain.root.find("maxMemory") is None:
            _devices(domain).remove(device)
            raise OperationRefused("maximum memory not configured: cannot attach memory device")
        units = {"KiB": KIB, "MiB": KIB**2, "GiB": KIB**3}
        domain.memory += sign * int(size.text or 0) * units[size.get("unit", "KiB")]
        memory = domain.root.find("memory")
        if memory is not None:
            memory.set("unit", "KiB")
            memory.text = str(domain.memory // KIB)


def _parse(xml: str) -> etree._Element:
    try:
        return etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise OperationRefused(str(error)) from error


def _devices(domain: SimulatedDomain) -> etree._Element:
    holder = domain.root.find("devices")
    return etree.SubElement(domain.root, "devices") if holder is None else holder


def _key(device: etree._Element, path: str) -> str:
    found = device.xpath(path)
    return str(found[0]).lower() if isinstance(found, list) and found else ""


def _free_alias(holder: etree._Element, device: etree._Element) -> str:
    prefix = PREFIXES.get(str(device.tag), str(device.tag))
    if device.tag == "disk":
        target = device.find("target")
        prefix = f"{(target.get('bus') if target is not None else None) or 'virtio'}-disk"
    taken = {alias.get("name") for alias in holder.iter("alias")}
    return next(name for number in range(1000) if (name := f"{prefix}{number}") not in taken)


def _check_disk(domain: SimulatedDomain, disk: str) -> None:
    if disk not in [name for name, _ in domain.disks]:
        raise OperationRefused(f"disk '{disk}' was not found in the domain config")
