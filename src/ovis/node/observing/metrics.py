"""What is measured of the agent, the host, its VMs and its storage, as metrics. From memory: nothing is waited for."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ovis import __version__
from ovis.client.types import StorageDomainVitals
from ovis.node.host.sampling import Reading
from ovis.node.observing.exposition import Family, Kind, label, text
from ovis.node.vm.sampling import tops
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.node import Node

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Page:
    """Families in the order in which they are first asked for."""

    def __init__(self) -> None:
        self._families: dict[str, Family] = {}

    def family(self, name: str, kind: Kind, doc: str) -> Family:
        return self._families.setdefault(name, Family(f"ovis_{name}", kind, doc))

    def gauge(self, name: str, doc: str, value: float | None, labels: str = "") -> None:
        self.family(name, "gauge", doc).add(value, labels)

    def counter(self, name: str, doc: str, value: float | None, labels: str = "") -> None:
        self.family(f"{name}_total", "counter", doc).add(value, labels)

    def __iter__(self) -> Iterator[Family]:
        return iter(self._families.values())


def page(node: Node) -> str:
    """The whole page; VMs are missing until the agent knows them."""
    found = Page()
    _agent(found, node)
    if (reading := node.host.reading) is not None:
        _host(found, reading)
    if node.is_ready:
        _vms(found, node.vms)
    _storage(found, node.storage_vitals())
    return text(found)


def _agent(out: Page, node: Node) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    out.gauge("agent_info", "The agent itself.", 1, f'version="{__version__}"')
    out.gauge("agent_ready", "1 when the VMs of before the start are known again.", int(node.is_ready))
    out.gauge("agent_libvirt_connected", "1 while libvirt answers.", int(node.hypervisor.connected))
    out.gauge("agent_policy_failing", "1 when the host's own rules went wrong at their last run.",
              int(node.policy_fails))  # fmt: skip
    out.counter("agent_cpu_seconds", "CPU time of the agent.", used.ru_utime, 'mode="user"')
    out.counter("agent_cpu_seconds", "CPU time of the agent.", used.ru_stime, 'mode="system"')
    out.gauge("agent_resident_memory_bytes", "Memory of the agent.", _resident())
    active = sum(job.is_active for job in node.jobs)
    out.gauge("agent_active_jobs", "Jobs that run or wait.", active)


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * _PAGE


def _host(out: Page, now: Reading) -> None:
    out.gauge("host_measured_seconds", "When these values were taken, seconds since 1970.", now.time)
    out.gauge("host_boot_time_seconds", "When the host booted, seconds since 1970.", now.boot_time)
    for number, times in now.cpus.items():
        for mode, seconds in (("user", times.user), ("system", times.system), ("idle", times.idle)):
            doc = "CPU time of the host since boot."
            out.counter("host_cpu_seconds", doc, round(seconds, 2), f'cpu="{number}",mode="{mode}"')
    out.gauge("host_load1", "Load average of one minute.", now.load)
    memory = now.memory
    out.gauge("host_memory_total_bytes", "Memory of the host.", memory.total)
    out.gauge("host_memory_free_bytes", "Memory that is used for nothing.", memory.free)
    out.gauge("host_memory_available_bytes", "Memory that can be had without swapping.", memory.available)
    out.gauge("host_swap_total_bytes", "Swap space.", memory.swap_total)
    out.gauge("host_swap_free_bytes", "Swap space that is not used.", memory.swap_free)
    if now.merging is not None:
        out.gauge("host_page_merging_running", "1 while equal pages are merged (KSM).", int(now.merging.running))
        out.gauge("host_page_merging_saved_bytes", "Memory saved by merged pages.", now.merging.shared)
    for name, traffic in now.interfaces.items():
        card = f'device="{label(name)}"'
        out.counter("host_network_receive_bytes", "Bytes received.", traffic.rx, card)
        out.counter("host_network_transmit_bytes", "Bytes sent.", traffic.tx, card)
        out.counter("host_network_receive_errors", "Packets received with errors.", traffic.rx_errors, card)
        out.counter("host_network_transmit_errors", "Packets that could not be sent.", traffic.tx_errors, card)
        out.counter("host_network_receive_dropped", "Packets received and dropped.", traffic.rx_dropped, card)
        out.counter("host_network_transmit_dropped", "Packets dropped instead of sent.", traffic.tx_dropped, card)
        up = int(traffic.state.value == "up")
        out.gauge("host_network_up", "1 while the interface is up.", up, card)
    out.gauge("host_bad_multipaths", "Multipath devices with failed paths.", len(now.bad_multipaths))


def _vms(out: Page, vms: Iterable[Vm]) -> None:
    for vm in vms:
        one = f'id="{label(vm.id)}"'
        info = f'{one},name="{label(vm.name)}",status="{label(vm.status.value)}"'
        out.gauge("vm_info", "Each VM with its name and status.", 1, info)
        out.gauge("vm_responding", "1 unless QEMU or libvirt gives no answer about it.", int(vm.responding), one)
        out.gauge("vm_vcpus", "Virtual CPUs.", vm.definition.vcpus, one)
        out.gauge("vm_memory_bytes", "Memory the VM was given.", vm.definition.memory, one)
        if not vm.is_down and vm.measured is not None:
            _vm(out, vm, one)


def _vm(out: Page, vm: Vm, one: str) -> None:
    assert vm.measured is not None
    full = vm.measured.full
    out.counter("vm_cpu_seconds", "CPU time of the VM.", vm.measured.latest.cpu_time, one)
    if (balloon := full.balloon) is not None:
        out.gauge("vm_balloon_bytes", "Memory that the balloon leaves to the guest.", balloon.current, one)
        out.gauge("vm_resident_memory_bytes", "Memory of the host that the VM takes.", balloon.rss, one)
        out.gauge("vm_memory_unused_bytes", "Memory that the guest does not use.", balloon.unused, one)
        out.gauge("vm_memory_usable_bytes", "Memory the guest could have without swapping.", balloon.usable, one)
    for name, disk in tops(full.disks).items():
        device = f'{one},device="{label(name)}"'
        out.counter("vm_disk_read_bytes", "Bytes read.", disk.read_bytes, device)
        out.counter("vm_disk_written_bytes", "Bytes written.", disk.write_bytes, device)
        out.counter("vm_disk_reads", "Read requests.", disk.read_requests, device)
        out.counter("vm_disk_writes", "Write requests.", disk.write_requests, device)
        out.counter("vm_disk_flushes", "Flush requests.", disk.flush_requests, device)
        out.counter("vm_disk_read_seconds", "Time spent on reads.", disk.read_time, device)
        out.counter("vm_disk_write_seconds", "Time spent on writes.", disk.write_time, device)
        out.counter("vm_disk_flush_seconds", "Time spent on flushes.", disk.flush_time, device)
        out.gauge("vm_disk_capacity_bytes", "Size of the disk.", disk.capacity, device)
        out.gauge("vm_disk_allocated_bytes", "Space taken on storage.", disk.physical, device)
    for card in vm.measured.latest.interfaces:
        device = f'{one},device="{label(card.name)}"'
        out.counter("vm_network_receive_bytes", "Bytes the guest received.", card.rx_bytes, device)
        out.counter("vm_network_transmit_bytes", "Bytes the guest sent.", card.tx_bytes, device)
        out.counter("vm_network_receive_dropped", "Packets for the guest, dropped.", card.rx_drops, device)
        out.counter("vm_network_transmit_dropped", "Packets of the guest, dropped.", card.tx_drops, device)


def _storage(out: Page, vitals: Mapping[str, StorageDomainVitals]) -> None:
    now = time.time()
    for domain, found in vitals.items():
        if not found.actual:
            continue
        one = f'id="{label(domain)}"'
        out.gauge("storage_domain_valid", "1 when the last check found the domain usable.", int(found.valid), one)
        out.gauge("storage_domain_check_seconds", "How long reading its metadata took.", found.delay, one)
        checked = round(now - found.last_check, 3)
        out.gauge("storage_domain_checked_seconds", "When it was last checked, seconds since 1970.", checked, one)
        out.gauge("storage_domain_host_id_held", "1 while leases work.", int(found.acquired), one)
