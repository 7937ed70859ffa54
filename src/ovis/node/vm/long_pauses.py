"""What becomes of a VM that a failing disk has paused: `resumeBehavior` in its metadata.

auto_resume   it goes on as soon as its disk can be read again, or has room again; the usual one
leave_paused  a human decides
kill          as auto_resume, but after `paused_limit` seconds it is ended: it is highly available with a lease, and by
              then another host may be starting it

Since when a VM is paused stands in its metadata (`pauseTime`), so an agent that starts anew does not give it more time.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ovis.client.types import VmStatus
from ovis.node.errors import BadParameter, NodeError
from ovis.node.hypervisor.errors import DomainNotFound, HypervisorError
from ovis.node.vm import live_metadata, metadata, running
from ovis.node.vm.states import ExitReason, exit_of
from ovis.node.vm.vm import Vm

if TYPE_CHECKING:
    from ovis.node.vm.vms import Vms

log = logging.getLogger(__name__)

ROOM = 128 << 20
"""Free bytes below which a file system that was full still counts as full: less is used up within a second."""
LOOK_AT = 4096
SLOWEST = 60.0  # between two tries of a guest that pauses again at once


class Behaviour(StrEnum):
    AUTO_RESUME = "auto_resume"
    LEAVE_PAUSED = "leave_paused"
    KILL = "kill"


@dataclass
class Pause:
    """`since` is Unix time; `tries` how often it was resumed in vain, `next_try` on the monotonic clock."""

    since: float
    tries: int = 0
    next_try: float = 0.0


def behaviour(vm: Vm) -> Behaviour:
    """What nobody has heard of counts as the usual one."""
    word = vm.definition.metadata.get("resumeBehavior")
    return Behaviour(word) if word in set(Behaviour) else Behaviour.AUTO_RESUME


class LongPauses:
    """Looks after all paused VMs. `look` is called at every sample."""

    def __init__(self, vms: Vms) -> None:
        self._vms = vms
        self._pauses: dict[str, Pause] = {}
        self._at_work: set[str] = set()
        self.is_silent: Callable[[str], bool] = lambda path: False
        """Whether a path lies on storage that is known not to answer: to look there would take a thread for long."""

    def look(self) -> None:
        """Begin what is due; nothing waits here."""
        for vm_id in [vm_id for vm_id in self._pauses if not self._is_known(vm_id)]:
            del self._pauses[vm_id]
        for vm in self._vms:
            if vm.status is VmStatus.PAUSED and vm.paused_by_disk:
                self._consider(vm)
            elif vm.id in self._pauses and self._runs_well(vm):
                del self._pauses[vm.id]
                self._begin(vm, self._note(vm, None), "note the end of the pause of")

    def retry(self) -> None:
        """Try all of them now, however often it was in vain: storage that was away is there again."""
        for pause in self._pauses.values():
            pause.next_try = self._vms.monotonic()
        self.look()

    def _runs_well(self, vm: Vm) -> bool:
        """For longer than it would take to fail again."""
        return vm.status is not VmStatus.PAUSED and self._vms.monotonic() > self._pauses[vm.id].next_try

    def _is_known(self, vm_id: str) -> bool:
        vm = self._vms.get(vm_id)
        return vm is not None and not vm.is_down

    def _consider(self, vm: Vm) -> None:
        pause = self._pauses.get(vm.id)
        if pause is None:
            pause = self._pauses[vm.id] = Pause(self._since(vm))
            self._begin(vm, self._note(vm, pause.since), "note the pause of")
            return
        how = behaviour(vm)
        if how is Behaviour.KILL and self._vms.clock() - pause.since >= self._vms.settings.paused_limit:
            self._begin(vm, self._end(vm), "end the long pause of")
        elif how is not Behaviour.LEAVE_PAUSED and self._vms.monotonic() >= pause.next_try and self._answers(vm):
            self._begin(vm, self._try(vm, pause), "resume")

    def _answers(self, vm: Vm) -> bool:
        return not any(self.is_silent(path) for path in _to_be_looked_at(vm))

    def _since(self, vm: Vm) -> float:
        noted = vm.definition.metadata.get("pauseTime")
        now = self._vms.clock()
        return min(float(noted), now) if isinstance(noted, (int, float)) and noted > 0 else now

    def _begin(self, vm: Vm, work: Coroutine[Any, Any, None], what: str) -> None:
        if vm.id in self._at_work:
            work.close()
            return
        self._at_work.add(vm.id)
        task = self._vms.own(work, f"{what} VM {vm.id}")
        task.add_done_callback(lambda _: self._at_work.discard(vm.id))

    async def _note(self, vm: Vm, since: float | None) -> None:
        try:
            if await live_metadata.edit(self._vms, vm, lambda holder: metadata.set_in(holder, {"pauseTime": since})):
                await self._vms.refresh(vm)
        except HypervisorError as error:
            log.warning("since when VM %s is paused could not be noted: %s", vm.id, error)

    async def _end(self, vm: Vm) -> None:
        log.warning("VM %s is paused by its disk for too long and is ended", vm.id)
        vm.asked = ExitReason.DESTROYED_ON_PAUSE_TIMEOUT
        try:
            await self._vms.hypervisor.destroy(vm.id)
        except DomainNotFound:
            self._vms.end(vm, exit_of(ExitReason.DESTROYED_ON_PAUSE_TIMEOUT))
        except HypervisorError as error:
            vm.asked = None
            log.warning("VM %s could not be ended: %s", vm.id, error)

    async def _try(self, vm: Vm, pause: Pause) -> None:
        pause.tries += 1
        pause.next_try = self._vms.monotonic() + min(2.0**pause.tries, SLOWEST)
        if not await self._is_well(vm):
            return
        if vm.status is not VmStatus.PAUSED or not vm.paused_by_disk:
            return
        log.info("the disk that paused VM %s works again", vm.id)
        try:
            await running.resume(self._vms, vm)
        except (NodeError, HypervisorError) as error:
            log.info("VM %s was not resumed: %s", vm.id, error)

    async def _is_well(self, vm: Vm) -> bool:
        """Whether the disk that failed, or where nobody said which one, each disk, can be used again."""
        error, paths = vm.disk_error, _to_be_looked_at(vm)
        is_full = error is not None and error.reason == "enospc"
        try:
            return await self._vms.preparer.look(
                lambda: all(is_usable(path, is_full=is_full) for path in paths), "disk"
            )
        except BadParameter as problem:
            log.debug("the disks of VM %s: %s", vm.id, problem)
            return False


def _to_be_looked_at(vm: Vm) -> list[str]:
    error = vm.disk_error
    return [error.path] if error and error.path else [disk.path for disk in vm.definition.disks if disk.path]


def is_usable(path: str, *, is_full: bool) -> bool:
    """Blocks. A device that was full has grown or not: only QEMU can tell, so that is tried."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.pread(descriptor, LOOK_AT, 0)
        if is_full and stat.S_ISREG(os.fstat(descriptor).st_mode):
            room = os.fstatvfs(descriptor)
            return room.f_bavail * room.f_frsize >= ROOM
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
