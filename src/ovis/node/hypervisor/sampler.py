"""All VMs in one bulk call, whatever a single QEMU does.

libvirt asks one QEMU after the other and has no deadline of its own, so a QEMU that does not answer holds the whole
call. Flag NOWAIT makes libvirt skip every domain that some call already waits for. Hence:

1. Ask for everything with NOWAIT. Usually that is all.
2. Not back in time: its thread stays behind, waiting for the stuck QEMU. Ask again: now that QEMU is skipped.
3. Not back again (a second QEMU is stuck), or no thread to spare: ask only for what libvirt knows without asking QEMU.

Each stuck QEMU thus costs one thread, once; later samples skip it from the start. The last thread is kept for step 3.
Which QEMU is stuck says virDomainGetControlInfo, which does not wait for it.

Flag ENFORCE_STATS stays out: it fails the whole call where a driver lacks one group. BACKING stays out: layers below
the top do not change except under block jobs, which have their own statistics.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import libvirt

from ovis.node.hypervisor import statistics
from ovis.node.hypervisor.errors import DeadlineExceeded, NotResponding, ThreadsExhausted
from ovis.node.hypervisor.pools import Pool
from ovis.node.hypervisor.sample import DomainSample, Sample

log = logging.getLogger(__name__)

# Tried one by one against a stopped QEMU, libvirt 9.0: these two groups answer, every other one waits for QEMU, even
# CPU_TOTAL. The CPU time of virDomainGetInfo comes from /proc and is there.
LIGHT = libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_INTERFACE
FULL = (
    LIGHT
    | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
    | libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_BLOCK
)
FLAGS = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT

# A QEMU answers within milliseconds (4-5 ms a VM in the bulk call); one that owes an answer for a second is stuck.
STUCK_SECONDS = 1.0
FIRST_SHARE = 0.4  # of the deadline, for step 1; as much for step 2; the rest for step 3


class Ask(Protocol):
    def __call__(
        self, name: str, work: Callable[[libvirt.virConnect], Sample], *, deadline: float
    ) -> Awaitable[Sample]: ...


class Sampler:
    def __init__(self, pool: Pool, ask: Ask) -> None:
        self._pool = pool
        self._ask = ask

    async def sample(self, deadline: float) -> Sample:
        for _ in range(2):
            state = self._pool.state
            if state.running >= state.threads - 1:
                break
            # A thread that stays behind means a stuck QEMU somewhere: then each one is looked at.
            look_at_all = state.lost > 0
            try:
                return await self._ask(
                    "sample",
                    lambda connection, all_=look_at_all: _full(connection, look_at_all=all_),  # type: ignore[misc]
                    deadline=deadline * FIRST_SHARE,
                )
            except (DeadlineExceeded, ThreadsExhausted, NotResponding) as error:
                log.warning("sampling goes on without the stuck VMs: %s", error)
        return await self._ask("light sample", _light, deadline=deadline * (1 - 2 * FIRST_SHARE))


def _full(connection: libvirt.virConnect, *, look_at_all: bool) -> Sample:
    begun = time.monotonic()
    rows = connection.getAllDomainStats(FULL, FLAGS)
    at = (begun + time.monotonic()) / 2
    domains: dict[str, DomainSample] = {}
    for domain, stats in rows:
        domain_id = domain.UUIDString()
        monitored = statistics.was_monitored(stats)
        stuck = 0.0 if monitored and not look_at_all else _stuck_for(domain)
        domains[domain_id] = statistics.read(domain_id, stats, stuck_for=stuck, monitored=monitored and not stuck)
    return Sample(at, domains)


def _light(connection: libvirt.virConnect) -> Sample:
    begun = time.monotonic()
    rows = connection.getAllDomainStats(LIGHT, FLAGS)
    at = (begun + time.monotonic()) / 2
    domains: dict[str, DomainSample] = {}
    for domain, stats in rows:
        domain_id = domain.UUIDString()
        stats |= _cpu_time(domain)
        domains[domain_id] = statistics.read(domain_id, stats, stuck_for=_stuck_for(domain), monitored=False)
    return Sample(at, domains, degraded=True)


def _cpu_time(domain: libvirt.virDomain) -> dict[str, int]:
    try:
        return {"cpu.time": domain.info()[4]}
    except libvirt.libvirtError:
        return {}  # gone in this moment


def _stuck_for(domain: libvirt.virDomain) -> float:
    """Seconds since QEMU was asked something that it has not answered; 0.0 when it owes nothing worth mention."""
    try:
        control, _, milliseconds = domain.controlInfo()
    except libvirt.libvirtError:
        return 0.0  # gone in this moment, or a driver without it
    occupied = control == libvirt.VIR_DOMAIN_CONTROL_OCCUPIED and milliseconds >= STUCK_SECONDS * 1000
    return milliseconds / 1000 if occupied else 0.0
