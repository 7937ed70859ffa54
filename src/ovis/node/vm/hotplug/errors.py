"""What goes wrong with changes of a running machine. Leaves of the tree in `ovis.node.errors`."""

from __future__ import annotations

from ovis.node.errors import NodeError


class DeviceError(NodeError):
    """`what` is the device as its caller may know it; the text ends with what holds now."""

    tried = "was not changed"

    def __init__(self, vm_id: str, what: str, why: str) -> None:
        super().__init__(f"{what} of VM {vm_id} {self.tried}: {why}")
        self.vm_id = vm_id
        self.what = what


class PlugFailed(DeviceError):
    tried = "was not plugged in"


class UnplugFailed(DeviceError):
    tried = "was not unplugged"


class PlugDiskFailed(PlugFailed):
    wire_name = "HotplugDiskFailed"


class UnplugDiskFailed(UnplugFailed):
    wire_name = "HotunplugDiskFailed"


class PlugCardFailed(PlugFailed):
    wire_name = "HotplugNicFailed"


class UnplugCardFailed(UnplugFailed):
    wire_name = "HotunplugNicFailed"


class PlugMemoryFailed(PlugFailed):
    wire_name = "HotplugMemFailed"


class UnplugMemoryFailed(UnplugFailed):
    wire_name = "HotunplugMemFailed"


class PlugLeaseFailed(PlugFailed):
    wire_name = "HotplugLeaseFailed"


class UnplugLeaseFailed(UnplugFailed):
    wire_name = "HotunplugLeaseFailed"


class PlugHostDeviceFailed(PlugFailed):
    wire_name = "UnexpectedError"


class UnplugHostDeviceFailed(UnplugFailed):
    wire_name = "UnexpectedError"


class HostKeepsDevice(DeviceError):
    tried = "could not be taken from the host"
    wire_name = "HostdevDetachFailed"


class UpdateFailed(DeviceError):
    wire_name = "UpdateDeviceFailed"


class ChangeMediumFailed(DeviceError):
    wire_name = "ChangeDiskFailed"


class SetCpusFailed(DeviceError):
    wire_name = "SetNumberOfCpusFailed"


class CpuTuneFailed(DeviceError):
    wire_name = "CpuTuneError"


class BalloonFailed(DeviceError):
    wire_name = "BalloonError"


class IoTuneFailed(DeviceError):
    wire_name = "UpdateIOTuneError"


class PolicyFailed(DeviceError):
    wire_name = "UpdateVMPolicyFailed"
