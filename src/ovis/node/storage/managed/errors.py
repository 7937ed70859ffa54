"""What goes wrong with managed volumes. Each text ends with what holds now.

ManagedVolumeError
├── NotSupported            no driver, or the driver's tools are not installed; nothing was done
├── DriverFailed            the driver said no; `state` tells what became of the volume
├── AlreadyAttached, OtherConnection      it is remembered; nothing was done
└── UnsupportedDevice       what appeared cannot be used safely; it was detached again
"""

from __future__ import annotations

from ovis.node.storage.errors import StorageError


class ManagedVolumeError(StorageError): ...


class NotSupported(ManagedVolumeError):
    wire_name = "ManagedVolumeNotSupported"

    def __init__(self, kind: str, problem: str) -> None:
        super().__init__(f"managed volumes of the kind {kind} cannot be attached to this host: {problem}")
        self.kind, self.problem = kind, problem


class DriverFailed(ManagedVolumeError):
    wire_name = "ManagedVolumeHelperFailed"

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"{what} failed: {problem}")
        self.what, self.problem = what, problem


class AlreadyAttached(ManagedVolumeError):
    wire_name = "ManagedVolumeAlreadyAttached"

    def __init__(self, volume: str, path: str) -> None:
        super().__init__(f"managed volume {volume} is attached to this host already, as {path}")
        self.volume, self.path = volume, path


class OtherConnection(ManagedVolumeError):
    wire_name = "ManagedVolumeConnectionMismatch"

    def __init__(self, volume: str) -> None:
        super().__init__(f"managed volume {volume} is remembered with another connection; detach it first")
        self.volume = volume


class UnsupportedDevice(ManagedVolumeError):
    wire_name = "ManagedVolumeUnsupportedDevice"

    def __init__(self, device: str, problem: str) -> None:
        super().__init__(f"{device} cannot be used as a managed volume: {problem}; it is detached again")
        self.device, self.problem = device, problem
