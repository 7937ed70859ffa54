"""How many CPUs a running VM has, on which CPUs of the host they run, and for how long."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ovis.node.errors import BadParameter
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm import hook_points
from ovis.node.vm.hotplug.errors import CpuTuneFailed, SetCpusFailed
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

SHORTEST_US, LONGEST_US = 1000, 1_000_000
QUOTA_MOST_US = 18_446_744_073_709_551
"""The kernel counts in nanoseconds, in 64 bits."""
DEFAULT_PERIOD_US = 100_000
CPUS_MOST = 4096


async def set_number(vms: Vms, vm: Vm, number: int, cpusets: Sequence[str] | None) -> None:
    """Safe to repeat. Raises BadParameter, VmBusy, DomainNotFound; SetCpusFailed: its text says how many there are."""
    most = vm.definition.max_vcpus
    if number > most:
        raise SetCpusFailed(vm.id, "number of CPUs", f"{number} are more than the VM's maximum, {most}")
    pins = [cpu_set(text, "cpusets") for text in cpusets or ()]
    if pins and len(pins) != number:
        raise BadParameter("cpusets", f"{len(pins)} sets are given for {number} CPUs")
    async with vm.claim("set number of CPUs"):
        await hook_points.domain(vms, vm, "before_set_num_of_cpus")
        try:
            await vms.hypervisor.devices.set_vcpus(vm.id, number)
            for vcpu, cpus in enumerate(pins):
                await vms.hypervisor.devices.pin_vcpu(vm.id, vcpu, cpus)
        except DomainNotFound:
            raise
        except HypervisorError as error:
            await vms.refresh(vm)
            raise SetCpusFailed(vm.id, "number of CPUs", f"{error}; it has {vm.definition.vcpus} now") from error
        await vms.refresh(vm)
        await vms.keep(vm)
        await hook_points.domain(vms, vm, "after_set_num_of_cpus")
    log.info("VM %s has %d CPUs", vm.id, number)


def cpu_set(text: str, field: str) -> frozenset[int]:
    """From 0-3,^2,7. Raises BadParameter."""
    found: set[int] = set()
    for part in text.split(","):
        part = part.strip()
        sign, part = part.startswith("^"), part.removeprefix("^")
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise BadParameter(field, f"{text[:60]!r} is no set of CPUs such as 0-3,7")
        begin, end = int(first), int(last) if dash else int(first)
        if begin > end or end >= CPUS_MOST:
            raise BadParameter(field, f"{part} in {text[:60]!r} is no range of CPUs")
        found = found - set(range(begin, end + 1)) if sign else found | set(range(begin, end + 1))
    if not found:
        raise BadParameter(field, f"{text[:60]!r} holds no CPU")
    return frozenset(found)


async def set_quota(vms: Vms, vm: Vm, quota_us: int) -> None:
    """A negative quota takes the limit away. Safe to repeat. Raises CpuTuneFailed, DomainNotFound."""
    if 0 <= quota_us < SHORTEST_US or quota_us > QUOTA_MOST_US:
        raise CpuTuneFailed(vm.id, "CPU quota", f"{quota_us} us is neither negative nor at least {SHORTEST_US}")
    await _set(vms, vm, "CPU quota", quota_us=max(quota_us, -1))


async def set_period(vms: Vms, vm: Vm, period_us: int) -> None:
    """0 is the kernel's own period. Safe to repeat. Raises CpuTuneFailed, DomainNotFound."""
    period_us = period_us or DEFAULT_PERIOD_US
    if not SHORTEST_US <= period_us <= LONGEST_US:
        raise CpuTuneFailed(vm.id, "CPU period", f"{period_us} us is not from {SHORTEST_US} to {LONGEST_US}")
    await _set(vms, vm, "CPU period", period_us=period_us)


async def _set(vms: Vms, vm: Vm, what: str, *, period_us: int | None = None, quota_us: int | None = None) -> None:
    try:
        await vms.hypervisor.devices.set_cpu_time(vm.id, period_us=period_us, quota_us=quota_us)
    except DomainNotFound:
        raise
    except HypervisorError as error:
        raise CpuTuneFailed(vm.id, what, str(error)) from error
