"""libvirt's callbacks, one row each, turned into the values of `events`.

The callbacks run in libvirt's event thread and must not call libvirt: they build a value and hand it on.
"""

import logging
from collections.abc import Callable

import libvirt

from ovis.node.hypervisor import events as e
from ovis.node.hypervisor.libvirt_names import words

log = logging.getLogger(__name__)

Publish = Callable[[e.Event], None]
Translation = Callable[..., e.DomainEvent | None]

_STARTED = words("VIR_DOMAIN_EVENT_STARTED_")
_STOPPED = words("VIR_DOMAIN_EVENT_STOPPED_")
_SUSPENDED = words("VIR_DOMAIN_EVENT_SUSPENDED_")
_RESUMED = words("VIR_DOMAIN_EVENT_RESUMED_")
_SHUTDOWN = words("VIR_DOMAIN_EVENT_SHUTDOWN_")
_CRASHED = words("VIR_DOMAIN_EVENT_CRASHED_")
_PMSUSPENDED = words("VIR_DOMAIN_EVENT_PMSUSPENDED_")
_IO_ACTION = words("VIR_DOMAIN_EVENT_IO_ERROR_")
_WATCHDOG = words("VIR_DOMAIN_EVENT_WATCHDOG_")
_JOB_KIND = words("VIR_DOMAIN_BLOCK_JOB_TYPE_")
_JOB_STATUS = words("VIR_DOMAIN_BLOCK_JOB_", only=("COMPLETED", "FAILED", "CANCELED", "READY"))

_LIFECYCLE: dict[int, tuple[Callable[[str, str], e.DomainEvent], dict[int, str]]] = {
    libvirt.VIR_DOMAIN_EVENT_STARTED: (e.Started, _STARTED),
    libvirt.VIR_DOMAIN_EVENT_STOPPED: (e.Stopped, _STOPPED),
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED: (e.Paused, _SUSPENDED),
    libvirt.VIR_DOMAIN_EVENT_RESUMED: (e.Resumed, _RESUMED),
    libvirt.VIR_DOMAIN_EVENT_SHUTDOWN: (e.ShutDown, _SHUTDOWN),
    libvirt.VIR_DOMAIN_EVENT_CRASHED: (e.Crashed, _CRASHED),
    libvirt.VIR_DOMAIN_EVENT_PMSUSPENDED: (e.GuestSuspended, _PMSUSPENDED),
}


def _lifecycle(domain: str, event: int, detail: int) -> e.DomainEvent | None:
    if event not in _LIFECYCLE:
        return None  # defined and undefined: nothing that runs
    kind, reasons = _LIFECYCLE[event]
    return kind(domain, reasons.get(detail, "unknown"))


def _io_error(domain: str, path: str, alias: str, action: int, reason: str) -> e.DomainEvent:
    return e.IoError(domain, alias=alias, path=path, reason=reason or "", action=_IO_ACTION.get(action, "unknown"))


def _graphics(
    domain: str, phase: int, local: object, remote: dict[str, str], auth: str, subject: object
) -> e.DomainEvent | None:
    where = {"remote": (remote or {}).get("node") or "", "port": (remote or {}).get("service") or ""}
    if phase == libvirt.VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE:
        return e.GraphicsConnected(domain, **where)
    if phase == libvirt.VIR_DOMAIN_EVENT_GRAPHICS_DISCONNECT:
        return e.GraphicsDisconnected(domain, **where)
    return None


def _block_job(domain: str, disk: str, kind: int, status: int) -> e.DomainEvent:
    return e.BlockJob(domain, disk=disk, kind=_JOB_KIND.get(kind, "unknown"), status=_JOB_STATUS.get(status, "unknown"))


def _agent(domain: str, state: int, reason: int) -> e.DomainEvent:
    connected = state == libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
    return e.AgentLifecycle(domain, connected=connected)


def _tray(domain: str, alias: str, reason: int) -> e.DomainEvent:
    return e.TrayChange(domain, alias=alias, opened=reason == libvirt.VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN)


TRANSLATIONS: dict[int, Translation] = {
    libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE: _lifecycle,
    libvirt.VIR_DOMAIN_EVENT_ID_REBOOT: e.Rebooted,
    libvirt.VIR_DOMAIN_EVENT_ID_RTC_CHANGE: e.RtcChange,
    libvirt.VIR_DOMAIN_EVENT_ID_WATCHDOG: lambda domain, action: e.Watchdog(domain, _WATCHDOG.get(action, "unknown")),
    libvirt.VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON: _io_error,
    libvirt.VIR_DOMAIN_EVENT_ID_GRAPHICS: _graphics,
    libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2: _block_job,
    libvirt.VIR_DOMAIN_EVENT_ID_TRAY_CHANGE: _tray,
    libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE: lambda domain, kib: e.BalloonChange(domain, kib * 1024),
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED: e.DeviceAdded,
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED: e.DeviceRemoved,
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED: e.DeviceRemovalFailed,
    libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE: _agent,
    libvirt.VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION: e.MigrationIteration,
    libvirt.VIR_DOMAIN_EVENT_ID_JOB_COMPLETED: e.JobCompleted,
    libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE: lambda domain, kind, uri: e.MetadataChanged(domain, uri or ""),
    libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD: e.BlockThreshold,
}


def register(connection: libvirt.virConnect, publish: Publish) -> list[int]:
    """Numbers of the callbacks, for `deregister`. An event that the daemon does not know is left out."""
    numbers = []
    for event, translation in TRANSLATIONS.items():
        try:
            numbers.append(connection.domainEventRegisterAny(None, event, _callback(translation, publish), None))
        except libvirt.libvirtError as error:
            log.info("no libvirt event %d: %s", event, error)
    return numbers


def deregister(connection: libvirt.virConnect, numbers: list[int]) -> None:
    for number in numbers:
        try:
            connection.domainEventDeregisterAny(number)
        except libvirt.libvirtError:
            return  # the connection is gone, and its callbacks with it


def _callback(translation: Translation, publish: Publish) -> Callable[..., None]:
    def callback(_: libvirt.virConnect, domain: libvirt.virDomain, *rest: object) -> None:
        event = translation(domain.UUIDString(), *rest[:-1])  # the last is libvirt's opaque value
        if event is not None:
            publish(event)

    return callback
