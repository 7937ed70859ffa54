"""Whether this host can do its work, with a reason for everything that is not as it should be.

ok: all of it works; degraded: VMs run and can be managed, something needs a look; failing: VMs cannot be managed now.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ovis.node.node import Node

STALE_PERIODS = 3


class Health(IntEnum):
    OK = 0
    DEGRADED = 1
    FAILING = 2


class Finding(msgspec.Struct, frozen=True):
    """`reason` is for people: what is wrong, and what to look at."""

    check: str
    health: str
    reason: str


class Report(msgspec.Struct, frozen=True):
    health: str
    findings: list[Finding]


def report(node: Node, *, now: Callable[[], float] = time.monotonic) -> Report:
    """From memory: nothing is waited for."""
    found = [
        *_agent(node),
        *_measuring(node, now()),
        *_storage(node),
    ]
    worst = max((Health[one.health.upper()] for one in found), default=Health.OK)
    return Report(worst.name.lower(), found)


def _agent(node: Node) -> list[Finding]:
    found = []
    if not node.hypervisor.connected:
        reason = "libvirt does not answer; see `systemctl status libvirtd virtqemud` and its log"
        found.append(_finding("libvirt", Health.FAILING, reason))
    if not node.is_ready:
        reason = "the VMs of before the start are still being looked for; verbs of VMs answer 99 meanwhile"
        found.append(_finding("recovery", Health.FAILING, reason))
    if node.policy_fails:
        reason = "the host's own rules went wrong at their last run; see `ovis node policy show`"
        found.append(_finding("policy", Health.DEGRADED, reason))
    silent = [vm.name for vm in node.vms if not vm.responding] if node.is_ready else []
    if silent:
        reason = f"QEMU gives no answer about {', '.join(silent[:5])}{' and others' if len(silent) > 5 else ''}"
        found.append(_finding("vms", Health.DEGRADED, f"{reason}; usually its storage hangs"))
    return found


def _measuring(node: Node, now: float) -> list[Finding]:
    reading = node.host.reading
    if reading is None:
        return [_finding("measuring", Health.DEGRADED, "the host has not been measured yet")]
    age = now - reading.at
    if age > STALE_PERIODS * node.config.vms.sample_seconds:
        return [_finding("measuring", Health.DEGRADED, f"the host was last measured {age:.0f} s ago; see the log")]
    found = []
    if reading.bad_multipaths:
        reason = f"{len(reading.bad_multipaths)} multipath devices have failed paths; see `multipath -ll`"
        found.append(_finding("multipath", Health.DEGRADED, reason))
    return found


def _storage(node: Node) -> list[Finding]:
    found = []
    for domain, vitals in node.storage_vitals().items():
        if vitals.actual and not vitals.valid:
            reason = (
                f"domain {domain} cannot be used (error {vitals.code}); see `ovis node host get-storage-repo-stats`"
            )
            found.append(_finding("storage", Health.DEGRADED, reason))
    return found


def _finding(check: str, health: Health, reason: str) -> Finding:
    return Finding(check, health.name.lower(), reason)
