"""What this host can run, as libvirt tells: read once per connection, since asking costs libvirt a look at QEMU."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from ovis.node.hypervisor.interface import Hypervisor


@dataclass(frozen=True)
class HostLimits:
    """`memory` in bytes. `security_models` are the security drivers that libvirt labels VMs with."""

    memory: int
    machines: frozenset[str]
    emulators: frozenset[str]
    security_models: frozenset[str]


class HostLimitsReader:
    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor
        self._limits: HostLimits | None = None

    def forget(self) -> None:
        """libvirt came back: it, QEMU or the host may be other ones."""
        self._limits = None

    async def get(self) -> HostLimits:
        """Raises HypervisorError."""
        if self._limits is None:
            node = await self._hypervisor.node_info()
            self._limits = read(await self._hypervisor.capabilities(), node.memory)
        return self._limits


def read(capabilities: str, memory: int) -> HostLimits:
    root = etree.fromstring(capabilities.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    names: set[str] = set()
    for machine in root.iterfind("guest/arch//machine"):
        names.update(filter(None, ((machine.text or "").strip(), machine.get("canonical"))))
    return HostLimits(
        memory=memory,
        machines=frozenset(names),
        emulators=frozenset((e.text or "").strip() for e in root.iterfind("guest/arch//emulator")),
        security_models=frozenset((m.text or "").strip() for m in root.iterfind("host/secmodel/model")),
    )
