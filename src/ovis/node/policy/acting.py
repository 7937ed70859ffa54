"""Decisions, carried out. One that fails stops no other."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ovis.client.types import KsmTuneParams
from ovis.node.errors import NodeError
from ovis.node.host import page_merging
from ovis.node.hypervisor.devices import IoLimits
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.policy.deciding import DISK_LIMITS, HOST, Decision
from ovis.node.privileged.client import Root
from ovis.node.privileged.errors import PrivilegedError
from ovis.node.privileged.memory import TuneMemory
from ovis.node.vm.tuning import balloon, cpus
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

_KSM = "ksm_"


class Machine(Protocol):
    @property
    def privileged(self) -> Root: ...
    @property
    def vms(self) -> Vms: ...


async def carry_out(machine: Machine, decisions: Sequence[Decision], *, has_host: bool) -> list[str]:
    """What could not be done, in words. `has_host`: not for simulated guests, which take nothing of this host."""
    failures = []
    host = {one.control: one.value for one in decisions if one.target == HOST and has_host}
    failures += await _tune_host(machine.privileged, host) if host else []
    for one in decisions:
        if one.target == HOST:
            continue
        vm = machine.vms.get(one.target)
        if vm is None or not vm.has_qemu:
            continue  # it has ended meanwhile
        try:
            await _tune_guest(machine.vms, vm, one)
            log.info("policy: %s of VM %s is %s now", one.disk or one.control, vm.id, one.value)
        except (NodeError, HypervisorError) as error:
            failures.append(f"{one.control} of VM {vm.id}: {error}")
    return failures


async def _tune_host(root: Root, wanted: Mapping[str, object]) -> list[str]:
    merging = {name.removeprefix(_KSM): value for name, value in wanted.items() if name.startswith(_KSM)}
    rest = {name: value for name, value in wanted.items() if not name.startswith(_KSM)}
    failures = []
    try:
        if merging:
            pause = merging.pop("sleep_millisecs", None)
            await page_merging.tune(root, KsmTuneParams(sleep_millisecs_ms=pause, **merging))  # type: ignore[arg-type]
            log.info("policy: page merging is changed: %s", wanted)
    except NodeError as error:
        failures.append(str(error))
    try:
        if rest:
            (await root.call(TuneMemory(**rest))).check("tuning memory")  # type: ignore[arg-type]
            log.info("policy: memory of the host is tuned: %s", rest)
    except (PrivilegedError, OSError) as error:
        failures.append(f"{', '.join(rest)} of the host: {error}")
    return failures


async def _tune_guest(vms: Vms, vm: Vm, one: Decision) -> None:
    if one.control == DISK_LIMITS:
        assert isinstance(one.value, Mapping)
        await vms.hypervisor.devices.set_io_limits(vm.id, one.disk, IoLimits(**one.value))
        return
    assert isinstance(one.value, int)
    match one.control:
        case "balloon_target":
            await balloon.set_target(vms, vm, one.value << 10)
        case "vcpu_quota":
            await cpus.set_quota(vms, vm, one.value)
        case "vcpu_period":
            await cpus.set_period(vms, vm, one.value)
