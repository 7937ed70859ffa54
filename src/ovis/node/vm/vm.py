"""One VM as this host knows it. Its status changes through `Vms.move` only; who waits for a change uses `until`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ovis.client.types import VmDevice, VmStatus
from ovis.node.errors import VmBusy, VmNotRunning
from ovis.node.guest.facts import GuestFacts
from ovis.node.guest.freezing import Freeze
from ovis.node.guest.notices import Notice
from ovis.node.hypervisor.block_jobs import BlockJobState
from ovis.node.vm.definition import Definition
from ovis.node.vm.disks.work import NOTHING, DiskWork
from ovis.node.vm.external_data import Copy
from ovis.node.vm.external_kinds import Kind
from ovis.node.vm.migration.status import Arrival, Departure
from ovis.node.vm.sampling import Measured
from ovis.node.vm.saving import Saving
from ovis.node.vm.states import Exit, ExitReason, pause_code
from ovis.node.vm.xml_difference import Change


@dataclass(frozen=True)
class DiskError:
    """`reason` is libvirt's word: enospc, or empty."""

    alias: str
    name: str
    path: str
    reason: str


@dataclass(frozen=True)
class Expiry:
    """Of the watchdog card: what was done (libvirt's word), and when (Unix time in seconds)."""

    action: str
    at: float


class Vm:
    """`start_time`: Unix time in seconds. `asked`: the exit reason that a request of ours will have led to.

    `xml` is what libvirt got, secrets included, until the VM runs; then it is libvirt's live description without them.
    """

    def __init__(
        self,
        definition: Definition,
        xml: str,
        *,
        start_time: float,
        status: VmStatus = VmStatus.WAIT_FOR_LAUNCH,
        launch_paused: bool = False,
    ) -> None:
        self.id = definition.id
        self.name = definition.name
        self.definition = definition
        self.xml = xml
        self.start_time = start_time
        self.status = status
        self.launch_paused = launch_paused
        self.time_offset = definition.time_offset
        self.exit: Exit | None = None
        self.asked: ExitReason | None = None
        self.host_told = False
        self.paused_by_disk = False
        self.disk_error: DiskError | None = None
        self.watchdog: Expiry | None = None
        self.client_ip = ""
        self.console_clients: list[tuple[str, str]] = []
        self.disconnecting: asyncio.Task[None] | None = None
        self.password_device: int | None = None
        self.booted = False
        self.boot_began = time.monotonic()
        self.guest: GuestFacts | None = None
        self.told_by_qemu_agent: GuestFacts | None = None
        self.told_by_ovirt_agent: GuestFacts | None = None
        self.freeze: Freeze | None = None
        self.external_data: dict[Kind, Copy] = {}
        self.notice: Notice | None = None
        self.telling: asyncio.Task[None] | None = None
        self.thawing: asyncio.Task[None] | None = None
        self.measured: Measured | None = None
        self.responding = True
        self.is_stray = False
        """QEMU runs, and libvirt knows nothing of it."""
        self.resets = 0
        self.missed = 0
        self.operation: str | None = None
        self.arriving_disks: set[str] = set()
        self.kept_devices: set[str] = set()
        self.changes: tuple[Change, ...] = ()
        self.disk_work: DiskWork = NOTHING
        self.block_progress: dict[str, BlockJobState] = {}
        self.block_job_events = 0
        self.saving: Saving | None = None
        self.restored_from: str | None = None
        self.is_from_snapshot = False
        self.departure: Departure | None = None
        self.arrival: Arrival | None = None
        self.launch: asyncio.Task[None] | None = None
        self.ending: asyncio.Task[None] | None = None
        self.escalation: asyncio.Task[None] | None = None
        self.is_forgotten = False
        self.stats_json: bytes | None = None
        self.told_devices: tuple[str, list[VmDevice]] | None = None
        self._changed = asyncio.Event()

    @property
    def is_down(self) -> bool:
        return self.status is VmStatus.DOWN

    @property
    def has_qemu(self) -> bool:
        return self.status not in (VmStatus.DOWN, VmStatus.WAIT_FOR_LAUNCH)

    @property
    def pause_code(self) -> str | None:
        """None unless paused."""
        if self.status is not VmStatus.PAUSED:
            return None
        if not self.paused_by_disk:
            return pause_code(None)
        return pause_code(self.disk_error.reason if self.disk_error else "")

    def touch(self) -> None:
        """Something that clients see has changed: statistics are encoded anew, and those who wait look again."""
        self.stats_json = None
        self._changed.set()
        self._changed = asyncio.Event()

    def require_qemu(self) -> None:
        """Raises VmNotRunning."""
        if not self.has_qemu:
            raise VmNotRunning(self.id, self.status.value)

    async def until(self, is_so: Callable[[], bool], *, seconds: float) -> bool:
        """Wait for a state, looked at again after each change; whether it came in time."""
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    await self._changed.wait()
        except TimeoutError:
            return is_so()
        return True

    @asynccontextmanager
    async def claim(self, operation: str, *, overriding: bool = False) -> AsyncIterator[None]:
        """Own the VM for one operation. Raises VmBusy.

        `overriding` is for cutting the power: it must not wait for an operation that hangs with QEMU. Whoever held the
        VM finds it gone.
        """
        if self.operation is not None and not overriding:
            raise VmBusy(self.id, self.operation)
        self.operation = operation
        try:
            yield
        finally:
            if self.operation == operation:
                self.operation = None
