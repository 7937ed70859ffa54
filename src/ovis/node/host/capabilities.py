"""Puts the host's capabilities together: one read of the machine, what libvirt offers, and what this agent is.

What is not known is left out. What the agent cannot do yet is said as it is: a feature counts when its verb is built.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from ovis import __version__
from ovis.client.types import (
    AutoNumaBalancingStatus,
    ConnectorInfo,
    CpuInfo,
    HbaInventory,
    NetInfoNetwork,
    NumaNode,
    NumaNodeHugePages,
    OsVersion,
    SELinuxStatus,
    SoftwarePackage,
    SoftwarePackageInfo,
    VdsmCapabilities,
    VdsmNetworkCapabilities,
    VmRngDeviceSource,
    VmType,
)
from ovis.node.host import addressing, memory, network, numa, processor, release, security, storage_adapters
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.libvirt_facts import LibvirtFacts
from ovis.node.host.network import Network, NetworkSource
from ovis.node.host.numa import Node
from ovis.node.host.packages import PackageReader
from ovis.node.host.processor import Processor
from ovis.node.host.release import Kernel
from ovis.node.hypervisor.acceleration import Acceleration, Kind

_MIB = 1 << 20
# Facts of the node API as its agents of 4.5 state them; an engine refuses hosts that do not name its own version.
CLUSTER_LEVELS = ("4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8")
ENGINE_VERSIONS = ("4.2", "4.3", "4.4", "4.5")
STORAGE_VERSIONS = (3, 4, 5)
BLOCK_SIZES = {
    "FCP": (512,),
    "ISCSI": (512,),
    "NFS": (512,),
    "POSIXFS": (512,),
    "LOCALFS": (512, 4096, 0),
    "GLUSTERFS": (512, 4096, 0),
}
"""Those of ovis.node.storage, which is not loaded for this; a test compares. 0: what the storage has."""
HOSTED_ENGINE = "etc/ovirt-hosted-engine/hosted-engine.conf"
# QEMU itself, video memory and page tables of a VM; the same figures that engines have always been told, so that
# their arithmetic of free memory keeps its meaning. Not measured here.
GUEST_OVERHEAD = 65 * _MIB
RESERVED_MEMORY = 321 * _MIB


@dataclass(frozen=True)
class Machine:
    """One read of everything that the files of the host tell."""

    id: str
    processor: Processor
    nodes: tuple[Node, ...]
    memory_total: int
    network: Network
    packages: dict[str, SoftwarePackageInfo]
    kernel: Kernel
    distribution: OsVersion
    adapters: HbaInventory


class Configured(Protocol):
    """The networks that were set up by way of the API. Both block for a moment."""

    def describe(self, found: Network) -> Mapping[str, NetInfoNetwork]: ...

    def is_dirty(self) -> bool: ...


def read_machine(files: KernelFiles, host_id: str, packages: PackageReader, source: NetworkSource) -> Machine:
    """Takes some milliseconds; the first time more, for the package database."""
    cpus = processor.read(files)
    return Machine(
        id=host_id,
        processor=cpus,
        nodes=tuple(numa.read(files, online=[cpu.number for cpu in cpus.cpus])),
        memory_total=memory.read(files.text("proc/meminfo") or "").total,
        network=network.read(files, source),
        packages=dict(packages.read()),
        kernel=release.kernel(files),
        distribution=release.distribution(files),
        adapters=storage_adapters.read(files),
    )


def capabilities(
    files: KernelFiles,
    machine: Machine,
    libvirt: LibvirtFacts,
    acceleration: Acceleration,
    implemented: Collection[str],
    configured: Configured | None = None,
) -> VdsmCapabilities:
    """`implemented`: the verbs that are built, such as `VM.merge`. `configured`: the networks that were set up here."""
    cpus = machine.processor
    return VdsmCapabilities(
        uuid=machine.id,
        acceleration=acceleration.kind,
        acceleration_reason=acceleration.reason,
        kvm_enabled=acceleration.kind is Kind.KVM,
        vm_types=[VmType.KVM],
        cpu_model=cpus.model,
        cpu_flags=",".join([*cpus.flags, *(f"model_{model}" for model in libvirt.cpu_models)]),
        cpu_sockets=cpus.sockets,
        cpu_cores=cpus.cores,
        cpu_threads=cpus.threads,
        cpu_speed_mhz=cpus.mhz or None,
        cpu_topology=_topology(cpus),
        online_cpus=",".join(str(cpu.number) for cpu in cpus.cpus),
        vdsm_to_cpus_affinity=_pinned_to(cpus),
        tsc_frequency=str(libvirt.tsc_frequency or ""),
        tsc_scaling=libvirt.tsc_scaling,
        nested_virtualization=_nested(files),
        mem_size=machine.memory_total,
        reserved_mem=RESERVED_MEMORY,
        guest_overhead=GUEST_OVERHEAD,
        hugepages=_huge_page_sizes(files),
        numa_nodes={str(node.number): _numa_node(node) for node in machine.nodes},
        numa_node_distance={str(node.number): list(node.distances) for node in machine.nodes if node.distances},
        auto_numa_balancing=_auto_numa_balancing(files),
        emulated_machines=list(libvirt.machines),
        nics=machine.network.nics,
        bondings=machine.network.bonds,
        vlans=machine.network.vlans,
        bridges=machine.network.bridges,
        networks=dict(configured.describe(machine.network)) if configured else {},
        net_config_dirty=configured.is_dirty() if configured else False,
        nameservers=addressing.name_servers(files),
        supports_i_pv6=addressing.supports_ipv6(files),
        operating_system=machine.distribution,
        kernel_args=files.text("proc/cmdline"),
        boot_uuid=files.text("proc/sys/kernel/random/boot_id"),
        realtime_kernel=machine.kernel.is_realtime,
        kdump_status=_crash_dump(files),
        fips_enabled=security.fips_enabled(files),
        selinux=SELinuxStatus(mode=security.selinux_mode(files)),
        vnc_encrypted=security.vnc_is_encrypted(files),
        rng_sources=_rng_sources(files),
        hostdev_passthrough=bool(files.names("sys/kernel/iommu_groups")),
        hba_inventory=machine.adapters,
        iscsi_initiator_name=storage_adapters.iscsi_initiator(files),
        connector_info=_connector(files),
        domain_versions=list(STORAGE_VERSIONS),
        supported_block_size={kind: list(sizes) for kind, sizes in BLOCK_SIZES.items()},
        hosted_engine_deployed=is_hosted_engine_deployed(files),
        packages2=_packages(machine, libvirt),
        software_version=_version(),
        version_name=f"Ovis {_version()}",
        cluster_levels=list(CLUSTER_LEVELS),
        supported_engines=list(ENGINE_VERSIONS),
        additional_features=[],
        live_snapshot="VM.snapshot" in implemented,
        live_merge="VM.merge" in implemented,
        backup_enabled="VM.start_backup" in implemented,
    )


def is_hosted_engine_deployed(files: KernelFiles) -> bool:
    return bool(files.text(HOSTED_ENGINE))


def _connector(files: KernelFiles) -> ConnectorInfo:
    machine = os.uname()
    return ConnectorInfo(
        initiator=storage_adapters.iscsi_initiator(files) or None,
        host=machine.nodename,
        os_type="linux",
        platform=machine.machine,
        multipath=files.exists("run/multipathd.pid") or files.exists("run/multipathd"),
        do_local_attach=False,
    )


def network_capabilities(
    files: KernelFiles, found: Network, configured: Configured | None = None
) -> VdsmNetworkCapabilities:
    return VdsmNetworkCapabilities(
        nics=found.nics,
        bondings=found.bonds,
        vlans=found.vlans,
        bridges=found.bridges,
        networks=dict(configured.describe(found)) if configured else {},
        net_config_dirty=configured.is_dirty() if configured else False,
        nameservers=addressing.name_servers(files),
        supports_i_pv6=addressing.supports_ipv6(files),
    )


def _topology(cpus: Processor) -> list[CpuInfo]:
    return [
        CpuInfo(cpu_id=c.number, socket_id=c.socket, die_id=c.die, core_id=c.core, numa_cell_id=c.node)
        for c in cpus.cpus
    ]


def _numa_node(node: Node) -> NumaNode:
    return NumaNode(
        cpus=list(node.cpus),
        total_memory=node.memory,
        hugepages={pages.size_kib: NumaNodeHugePages(total_pages=pages.total) for pages in node.huge_pages},
    )


def _packages(machine: Machine, libvirt: LibvirtFacts) -> dict[str, SoftwarePackageInfo]:
    """With the running kernel and this agent; libvirt and QEMU that did not come as packages speak for themselves."""
    running = {
        SoftwarePackage.LIBVIRT: libvirt.versions.libvirt,
        SoftwarePackage.QEMU_KVM: libvirt.versions.qemu,
    }
    return {
        **{name: SoftwarePackageInfo(version=version, release="") for name, version in running.items() if version},
        **machine.packages,
        SoftwarePackage.KERNEL: SoftwarePackageInfo(version=machine.kernel.version, release=machine.kernel.release),
        SoftwarePackage.VDSM: SoftwarePackageInfo(version=_version(), release=""),
    }


def _pinned_to(cpus: Processor) -> list[int] | None:
    mine = os.sched_getaffinity(0)
    return None if mine >= {cpu.number for cpu in cpus.cpus} else sorted(mine)


def _nested(files: KernelFiles) -> bool | None:
    """None when KVM is not there or does not tell."""
    answers = [files.truth(f"sys/module/{module}/parameters/nested") for module in ("kvm_intel", "kvm_amd", "kvm")]
    return next((answer for answer in answers if answer is not None), None)


def _huge_page_sizes(files: KernelFiles) -> list[int] | None:
    names = files.names("sys/kernel/mm/hugepages")
    return [int(name.removeprefix("hugepages-").removesuffix("kB")) << 10 for name in names] or None


def _auto_numa_balancing(files: KernelFiles) -> AutoNumaBalancingStatus:
    """Source: Documentation/admin-guide/sysctl/kernel.rst, numa_balancing (bits: 1 balance, 2 tier memory)."""
    setting = files.number("proc/sys/kernel/numa_balancing")
    if setting is None:
        return AutoNumaBalancingStatus.UNKNOWN
    return AutoNumaBalancingStatus.ENABLED if setting & 1 else AutoNumaBalancingStatus.DISABLED


def _crash_dump(files: KernelFiles) -> int:
    """1: a kernel waits in memory to dump a crashed one; -1: this kernel does not tell."""
    loaded = files.number("sys/kernel/kexec_crash_loaded")
    return -1 if loaded is None else min(loaded, 1)


def _rng_sources(files: KernelFiles) -> list[VmRngDeviceSource]:
    found = [VmRngDeviceSource.RANDOM] if files.exists("dev/urandom") else []
    # The device exists without hardware behind it; then no driver is named.
    current = files.text("sys/class/misc/hw_random/rng_current")
    if files.exists("dev/hwrng") and current not in (None, "", "none"):
        found.append(VmRngDeviceSource.HWRNG)
    return found


def _version() -> str:
    return __version__
