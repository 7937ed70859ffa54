"""Types of the calls that Ovis uses; the binding has none. Constants are listed as they are used."""

# ruff: noqa: N801, N802, N803 - the names are libvirt's

from collections.abc import Callable
from typing import Any

class libvirtError(Exception):
    def get_error_code(self) -> int: ...
    def get_error_domain(self) -> int: ...
    def get_error_message(self) -> str | None: ...

class virStream:
    def recvAll(self, handler: Callable[[virStream, bytes, None], int], opaque: None) -> None: ...
    def finish(self) -> int: ...

class virDomain:
    def UUIDString(self) -> str: ...
    def XMLDesc(self, flags: int = 0) -> str: ...
    def connect(self) -> virConnect: ...
    def controlInfo(self, flags: int = 0) -> tuple[int, int, int]: ...
    def destroyFlags(self, flags: int = 0) -> int: ...
    def info(self) -> tuple[int, int, int, int, int]: ...
    def isPersistent(self) -> int: ...
    def metadata(self, type: int, uri: str | None, flags: int = 0) -> str: ...
    def name(self) -> str: ...
    def reboot(self, flags: int = 0) -> int: ...
    def reset(self, flags: int = 0) -> int: ...
    def resume(self) -> int: ...
    def screenshot(self, stream: virStream, screen: int, flags: int = 0) -> str: ...
    def setMetadata(self, type: int, metadata: str | None, key: str | None, uri: str | None, flags: int = 0) -> int: ...
    def shutdownFlags(self, flags: int = 0) -> int: ...
    def state(self, flags: int = 0) -> tuple[int, int]: ...
    def suspend(self) -> int: ...

class virConnect:
    def close(self) -> int: ...
    def createXML(self, xmlDesc: str, flags: int = 0) -> virDomain: ...
    def domainEventDeregisterAny(self, callbackID: int) -> None: ...
    def domainEventRegisterAny(
        self, dom: virDomain | None, eventID: int, cb: Callable[..., None], opaque: object
    ) -> int: ...
    def getAllDomainStats(
        self, stats: int = 0, flags: int = 0
    ) -> list[tuple[virDomain, dict[str, int | str | bool]]]: ...
    def getCapabilities(self) -> str: ...
    def getDomainCapabilities(
        self, emulatorbin: str | None, arch: str | None, machine: str | None, virttype: str | None, flags: int = 0
    ) -> str: ...
    def getInfo(self) -> tuple[str, int, int, int, int, int, int, int]: ...
    def getLibVersion(self) -> int: ...
    def getType(self) -> str: ...
    def getVersion(self) -> int: ...
    def isAlive(self) -> int: ...
    def listAllDomains(self, flags: int = 0) -> list[virDomain]: ...
    def lookupByName(self, name: str) -> virDomain: ...
    def lookupByUUIDString(self, uuidstr: str) -> virDomain: ...
    def newStream(self, flags: int = 0) -> virStream: ...
    def registerCloseCallback(self, cb: Callable[[virConnect, int, Any], None], opaque: object) -> int: ...
    def setKeepAlive(self, interval: int, count: int) -> int: ...
    def unregisterCloseCallback(self) -> int: ...

def open(name: str | None = None) -> virConnect: ...
def registerErrorHandler(f: Callable[..., None], ctx: object) -> int: ...
def virEventRegisterDefaultImpl() -> int: ...
def virEventRunDefaultImpl() -> int: ...

VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE: int
VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT: int
VIR_CONNECT_LIST_DOMAINS_PERSISTENT: int
VIR_DOMAIN_AFFECT_LIVE: int
VIR_DOMAIN_BLOCKED: int
VIR_DOMAIN_CONTROL_OCCUPIED: int
VIR_DOMAIN_CRASHED: int
VIR_DOMAIN_DESTROY_DEFAULT: int
VIR_DOMAIN_DESTROY_GRACEFUL: int
VIR_DOMAIN_EVENT_CRASHED: int
VIR_DOMAIN_EVENT_GRAPHICS_DISCONNECT: int
VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE: int
VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE: int
VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE: int
VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2: int
VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD: int
VIR_DOMAIN_EVENT_ID_DEVICE_ADDED: int
VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED: int
VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED: int
VIR_DOMAIN_EVENT_ID_GRAPHICS: int
VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON: int
VIR_DOMAIN_EVENT_ID_JOB_COMPLETED: int
VIR_DOMAIN_EVENT_ID_LIFECYCLE: int
VIR_DOMAIN_EVENT_ID_METADATA_CHANGE: int
VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION: int
VIR_DOMAIN_EVENT_ID_REBOOT: int
VIR_DOMAIN_EVENT_ID_RTC_CHANGE: int
VIR_DOMAIN_EVENT_ID_TRAY_CHANGE: int
VIR_DOMAIN_EVENT_ID_WATCHDOG: int
VIR_DOMAIN_EVENT_PMSUSPENDED: int
VIR_DOMAIN_EVENT_RESUMED: int
VIR_DOMAIN_EVENT_SHUTDOWN: int
VIR_DOMAIN_EVENT_STARTED: int
VIR_DOMAIN_EVENT_STOPPED: int
VIR_DOMAIN_EVENT_SUSPENDED: int
VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN: int
VIR_DOMAIN_METADATA_ELEMENT: int
VIR_DOMAIN_NOSTATE: int
VIR_DOMAIN_PAUSED: int
VIR_DOMAIN_PMSUSPENDED: int
VIR_DOMAIN_REBOOT_ACPI_POWER_BTN: int
VIR_DOMAIN_REBOOT_GUEST_AGENT: int
VIR_DOMAIN_RUNNING: int
VIR_DOMAIN_SHUTDOWN: int
VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN: int
VIR_DOMAIN_SHUTDOWN_GUEST_AGENT: int
VIR_DOMAIN_SHUTOFF: int
VIR_DOMAIN_START_PAUSED: int
VIR_DOMAIN_STATS_BALLOON: int
VIR_DOMAIN_STATS_BLOCK: int
VIR_DOMAIN_STATS_CPU_TOTAL: int
VIR_DOMAIN_STATS_INTERFACE: int
VIR_DOMAIN_STATS_STATE: int
VIR_DOMAIN_STATS_VCPU: int
VIR_DOMAIN_XML_SECURE: int
VIR_ERR_ACCESS_DENIED: int
VIR_ERR_AGENT_UNRESPONSIVE: int
VIR_ERR_ARGUMENT_UNSUPPORTED: int
VIR_ERR_CONFIG_UNSUPPORTED: int
VIR_ERR_DOM_EXIST: int
VIR_ERR_INTERNAL_ERROR: int
VIR_ERR_INVALID_ARG: int
VIR_ERR_INVALID_CONN: int
VIR_ERR_NO_DOMAIN: int
VIR_ERR_NO_DOMAIN_METADATA: int
VIR_ERR_NO_KERNEL: int
VIR_ERR_NO_NAME: int
VIR_ERR_NO_OS: int
VIR_ERR_NO_ROOT: int
VIR_ERR_NO_SOURCE: int
VIR_ERR_NO_SUPPORT: int
VIR_ERR_NO_TARGET: int
VIR_ERR_OPERATION_DENIED: int
VIR_ERR_OPERATION_FAILED: int
VIR_ERR_OPERATION_INVALID: int
VIR_ERR_OPERATION_TIMEOUT: int
VIR_ERR_OPERATION_UNSUPPORTED: int
VIR_ERR_OS_TYPE: int
VIR_ERR_RESOURCE_BUSY: int
VIR_ERR_XML_DETAIL: int
VIR_ERR_XML_ERROR: int
VIR_ERR_XML_INVALID_SCHEMA: int
VIR_FROM_DOMAIN: int
