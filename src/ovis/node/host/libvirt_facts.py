"""What libvirt and QEMU offer to VMs, out of libvirt's capability documents.

Source: libvirt formatcaps, formatdomaincaps.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ovis.node.hypervisor import domain_xml
from ovis.node.hypervisor.acceleration import Kind
from ovis.node.hypervisor.errors import OperationFailed
from ovis.node.hypervisor.interface import Hypervisor, Versions


@dataclass(frozen=True)
class LibvirtFacts:
    """`machines` with aliases such as `q35`; `cpu_models` can run with the kind of acceleration asked about.

    `tsc_frequency` in Hz, None when libvirt does not tell.
    """

    machines: tuple[str, ...]
    cpu_models: tuple[str, ...]
    tsc_frequency: int | None
    tsc_scaling: bool
    versions: Versions


async def read(hypervisor: Hypervisor, kind: Kind, *, arch: str | None = None) -> LibvirtFacts:
    """Slow the first time after libvirt's start (it runs QEMU to ask it). Raises HypervisorError."""
    arch = arch or os.uname().machine
    virt_type = "kvm" if kind is Kind.KVM else "qemu"
    versions = await hypervisor.versions()
    capabilities = await hypervisor.capabilities()
    try:
        domain = await hypervisor.domain_capabilities(arch=arch, virt_type=virt_type)
    except OperationFailed:
        domain = "<domainCapabilities/>"  # this libvirt has no QEMU for that: no CPU model can be promised
    return parse(capabilities, domain, versions, arch)


def parse(capabilities: str, domain_capabilities: str, versions: Versions, arch: str) -> LibvirtFacts:
    """Raises BadDomainXml when one is not XML."""
    host = domain_xml.parse(capabilities)
    domain = domain_xml.parse(domain_capabilities)
    counter = host.find("host/cpu/counter[@name='tsc']")
    machines = host.iterfind(f"guest/arch[@name='{arch}']/machine")
    models = domain.iterfind("cpu/mode[@name='custom']/model[@usable='yes']")
    return LibvirtFacts(
        machines=tuple(dict.fromkeys(machine.text for machine in machines if machine.text)),
        cpu_models=tuple(dict.fromkeys(model.text for model in models if model.text)),
        tsc_frequency=int(counter.get("frequency", "0")) or None if counter is not None else None,
        tsc_scaling=counter is not None and counter.get("scaling") == "yes",
        versions=versions,
    )
