"""The life of a VM: every status, what may follow it, and why a VM ended.

A status changes only through `after(status, cause)`, and the table below is all of it. A cause without a row for the
present status changes nothing: events of libvirt arrive late or twice, and the table says so once for everybody.
`mermaid()` draws the table for the documentation.

Source of the words and numbers: reference/vdsm.md, section 2.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from ovis.client.types import VmStatus
from ovis.node.hypervisor.interface import DomainInfo, DomainState

WAIT = VmStatus.WAIT_FOR_LAUNCH
POWERING_UP = VmStatus.POWERING_UP
UP = VmStatus.UP
PAUSED = VmStatus.PAUSED
POWERING_DOWN = VmStatus.POWERING_DOWN
REBOOTING = VmStatus.REBOOT_IN_PROGRESS
LEAVING = VmStatus.MIGRATION_SOURCE
ARRIVING = VmStatus.MIGRATION_DESTINATION
SAVING = VmStatus.SAVING_STATE
RESTORING = VmStatus.RESTORING_STATE
DOWN = VmStatus.DOWN


class Cause(StrEnum):
    """Why a status changes; the words are the labels in the drawing."""

    LAUNCHED = "QEMU runs"
    LAUNCHED_PAUSED = "QEMU runs, CPUs stopped"
    GUEST_READY = "guest agent answers"
    BOOT_GRACE_OVER = "no agent within the boot time"
    PAUSED = "CPUs stopped"
    RESUMED = "CPUs run"
    RESUMED_BOOTING = "CPUs run, guest not booted yet"
    SHUTDOWN_ASKED = "shutdown asked"
    REBOOT_ASKED = "reboot asked"
    REQUEST_IGNORED = "guest ignored it"
    GUEST_SHUT_DOWN = "powering off"
    REBOOTED = "machine reset"
    MIGRATION_STARTED = "migration started"
    MIGRATION_FAILED = "migration failed"
    MIGRATION_FAILED_BOOTING = "migration failed, guest not booted yet"
    MIGRATION_FAILED_PAUSED = "migration failed, CPUs stopped"
    MIGRATION_AWAITED = "migration awaited"
    ARRIVED = "migration arrived"
    ARRIVED_PAUSED = "migration arrived, CPUs stopped"
    SAVE_STARTED = "save started"
    SAVE_FAILED = "save failed"
    SAVE_FAILED_PAUSED = "save failed, CPUs stopped"
    RESTORE_STARTED = "restore started"
    RESTORED = "restored"
    RESTORED_PAUSED = "restored, CPUs stopped"
    FOUND_RUNNING = "found running"
    FOUND_BOOTING = "found booting"
    FOUND_PAUSED = "found paused"
    FOUND_SHUTTING_DOWN = "found shutting down"
    ENDED = "domain gone"


ALIVE = frozenset(VmStatus) - {DOWN}
WITH_QEMU = ALIVE - {WAIT}
CALM = frozenset({POWERING_UP, UP, POWERING_DOWN, REBOOTING})  # runs, and no migration or save holds it


def _row(sources: frozenset[VmStatus] | set[VmStatus], target: VmStatus) -> dict[VmStatus, VmStatus]:
    return {source: target for source in VmStatus if source in sources and source != target}


TRANSITIONS: dict[Cause, dict[VmStatus, VmStatus]] = {
    Cause.LAUNCHED: _row({WAIT}, POWERING_UP),
    Cause.LAUNCHED_PAUSED: _row({WAIT}, PAUSED),
    Cause.GUEST_READY: _row({POWERING_UP}, UP),
    Cause.BOOT_GRACE_OVER: _row({POWERING_UP}, UP),
    # A migration and a save stop the CPUs too; they end by their own causes. So does a launch: it looks at its end.
    Cause.PAUSED: _row(CALM, PAUSED),
    Cause.RESUMED: _row({PAUSED}, UP),
    Cause.RESUMED_BOOTING: _row({PAUSED}, POWERING_UP),
    Cause.SHUTDOWN_ASKED: _row({POWERING_UP, UP, REBOOTING}, POWERING_DOWN),
    Cause.REBOOT_ASKED: _row({POWERING_UP, UP}, REBOOTING),
    Cause.REQUEST_IGNORED: _row({POWERING_DOWN, REBOOTING}, UP),
    Cause.GUEST_SHUT_DOWN: _row(CALM | {PAUSED}, POWERING_DOWN),
    Cause.REBOOTED: _row(CALM, POWERING_UP),
    Cause.MIGRATION_STARTED: _row({POWERING_UP, UP, PAUSED}, LEAVING),
    Cause.MIGRATION_FAILED: _row({LEAVING}, UP),
    Cause.MIGRATION_FAILED_BOOTING: _row({LEAVING}, POWERING_UP),
    Cause.MIGRATION_FAILED_PAUSED: _row({LEAVING}, PAUSED),
    Cause.MIGRATION_AWAITED: _row({WAIT}, ARRIVING),
    Cause.ARRIVED: _row({ARRIVING}, UP),
    Cause.ARRIVED_PAUSED: _row({ARRIVING}, PAUSED),
    Cause.SAVE_STARTED: _row({POWERING_UP, UP, PAUSED}, SAVING),
    Cause.SAVE_FAILED: _row({SAVING}, UP),
    Cause.SAVE_FAILED_PAUSED: _row({SAVING}, PAUSED),
    Cause.RESTORE_STARTED: _row({WAIT}, RESTORING),
    Cause.RESTORED: _row({RESTORING}, UP),
    Cause.RESTORED_PAUSED: _row({RESTORING}, PAUSED),
    # What a look at libvirt found, after a restart or a loss of events; it wins over what was believed.
    Cause.FOUND_RUNNING: _row({WAIT, PAUSED}, UP),
    Cause.FOUND_BOOTING: _row({WAIT, PAUSED}, POWERING_UP),
    Cause.FOUND_PAUSED: _row(CALM | {WAIT}, PAUSED),
    Cause.FOUND_SHUTTING_DOWN: _row(CALM | {WAIT, PAUSED}, POWERING_DOWN),
    Cause.ENDED: _row(ALIVE, DOWN),
}


def after(status: VmStatus, cause: Cause) -> VmStatus:
    """The status that follows; the same one when the cause has no row for it."""
    return TRANSITIONS[cause].get(status, status)


class ExitCode(IntEnum):
    NORMAL = 0
    ERROR = 1


class ExitReason(IntEnum):
    SUCCESS = 0
    GENERIC_ERROR = 1
    LOST_QEMU_CONNECTION = 2
    LIBVIRT_START_FAILED = 3
    MIGRATION_SUCCEEDED = 4
    SAVE_STATE_SUCCEEDED = 5
    ADMIN_SHUTDOWN = 6
    USER_SHUTDOWN = 7
    MIGRATION_FAILED = 8
    LIBVIRT_DOMAIN_MISSING = 9
    DESTROYED_ON_STARTUP = 10
    HOST_SHUTDOWN = 11
    POSTCOPY_MIGRATION_FAILED = 12
    DESTROYED_ON_REBOOT = 13
    DESTROYED_ON_PAUSE_TIMEOUT = 14


TEXTS: dict[ExitReason, str] = {
    ExitReason.SUCCESS: "Ended without anything to remark",
    ExitReason.GENERIC_ERROR: "Failed for a reason that is not known",
    ExitReason.LOST_QEMU_CONNECTION: "QEMU ended or crashed",
    ExitReason.LIBVIRT_START_FAILED: "Could not be started",
    ExitReason.MIGRATION_SUCCEEDED: "Runs on another host now",
    ExitReason.SAVE_STATE_SUCCEEDED: "Its state is saved",
    ExitReason.ADMIN_SHUTDOWN: "Shut down by an administrator",
    ExitReason.USER_SHUTDOWN: "Powered off from within the guest",
    ExitReason.MIGRATION_FAILED: "The migration to this host broke off",
    ExitReason.LIBVIRT_DOMAIN_MISSING: "libvirt no longer knows the VM; it ended while the agent was away",
    ExitReason.DESTROYED_ON_STARTUP: "Destroyed while it was being started",
    ExitReason.HOST_SHUTDOWN: "Ended by the shutdown of the host",
    ExitReason.POSTCOPY_MIGRATION_FAILED: "The migration failed after the guest had moved",
    ExitReason.DESTROYED_ON_REBOOT: "The guest rebooted, and the VM was set to end then",
    ExitReason.DESTROYED_ON_PAUSE_TIMEOUT: "Stayed paused by an I/O error for longer than allowed",
}

REGULAR = frozenset(
    {
        ExitReason.SUCCESS,
        ExitReason.MIGRATION_SUCCEEDED,
        ExitReason.SAVE_STATE_SUCCEEDED,
        ExitReason.ADMIN_SHUTDOWN,
        ExitReason.USER_SHUTDOWN,
        ExitReason.DESTROYED_ON_REBOOT,
    }
)
"""Somebody who may decide it wanted the end. Every other one is an error: a highly available VM is started again."""


@dataclass(frozen=True)
class Exit:
    """Why a VM is Down."""

    code: ExitCode
    reason: ExitReason
    message: str


def exit_of(reason: ExitReason, message: str = "") -> Exit:
    code = ExitCode.NORMAL if reason in REGULAR else ExitCode.ERROR
    return Exit(code, reason, message or TEXTS[reason])


def exit_after_stop(stopped: str, *, asked: ExitReason | None, host_told: bool) -> Exit:
    """From libvirt's reason, what was `asked` through the API, and whether QEMU was ended by a signal (`host_told`)."""
    if asked is not None:
        return exit_of(asked)
    match stopped:
        case "shutdown":
            return exit_of(ExitReason.HOST_SHUTDOWN if host_told else ExitReason.USER_SHUTDOWN)
        case "destroyed":
            return exit_of(ExitReason.ADMIN_SHUTDOWN, "Destroyed by an administrator of the host, past the agent")
        case "crashed" | "failed":
            return exit_of(ExitReason.LOST_QEMU_CONNECTION)
        case "migrated":
            return exit_of(ExitReason.MIGRATION_SUCCEEDED)
        case "saved":
            return exit_of(ExitReason.SAVE_STATE_SUCCEEDED)
        case other:
            return exit_of(ExitReason.GENERIC_ERROR, f"libvirt ended the VM: {other}")


def found(info: DomainInfo, *, booted: bool) -> Cause:
    """What a look at the domain says. `booted`: it has been up for longer than a guest takes to boot."""
    match info.state:
        case DomainState.PAUSED | DomainState.CRASHED:
            # A domain whose start is under way is paused for a moment and runs without our help.
            return Cause.FOUND_BOOTING if info.reason == "starting_up" else Cause.FOUND_PAUSED
        case DomainState.SHUTTING_DOWN:
            return Cause.FOUND_SHUTTING_DOWN
        case DomainState.SHUT_OFF:
            return Cause.ENDED
        case _:
            return Cause.FOUND_RUNNING if booted else Cause.FOUND_BOOTING


def pause_code(io_error: str | None) -> str:
    """What clients see: NOERR without an I/O error, else its kind. `io_error` is libvirt's word."""
    if io_error is None:
        return "NOERR"
    return {"enospc": "ENOSPC", "eio": "EIO"}.get(io_error.lower(), "EOTHER")


def mermaid() -> str:
    """The table as a Mermaid state diagram; causes between the same two states share an arrow."""
    names = {status: status.name.title().replace("_", "") for status in VmStatus}
    lines = ["stateDiagram-v2", *(f'    state "{status.value}" as {names[status]}' for status in VmStatus)]
    lines.append(f"    [*] --> {names[WAIT]}: accepted")
    arrows: dict[tuple[VmStatus, VmStatus], list[str]] = {}
    for cause, row in TRANSITIONS.items():
        for source, target in row.items():
            arrows.setdefault((source, target), []).append(cause.value)
    for (source, target), causes in arrows.items():
        lines.append(f"    {names[source]} --> {names[target]}: {', '.join(causes)}")
    lines.append(f"    {names[DOWN]} --> [*]: destroyed")
    return "\n".join(lines) + "\n"
