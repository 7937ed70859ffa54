"""What goes wrong with VMs. The tree is that of `ovis.node.errors`; these are its leaves for this package."""

from __future__ import annotations

from ovis.node.errors import BadParameter, NodeError


class BadXml(BadParameter):
    """The domain XML is no XML, or holds what is refused whatever it says."""


class BadMetadata(BadParameter):
    """A value in the metadata is missing, or not of the type that its user needs. `device` and `key` say which."""

    def __init__(self, device: str, key: str, problem: str) -> None:
        super().__init__(f"metadata of {device}: {key}", problem)
        self.device = device
        self.key = key


class UnsupportedType(NodeError):
    wire_name = "UnsupportedVMType"

    def __init__(self, field: str, kind: str) -> None:
        super().__init__(f"{field}: VMs of type {kind} are not supported, only kvm")
        self.field = field


class NotEnoughMemory(NodeError):
    """More than the whole host has; what is free at the moment is the scheduler's business."""

    wire_name = "OutOfMemory"

    def __init__(self, field: str, wanted: int, available: int) -> None:
        super().__init__(f"{field}: {wanted >> 20} MiB are wanted, the host has {available >> 20} MiB")
        self.field = field
        self.wanted = wanted
        self.available = available


class CreateFailed(NodeError):
    wire_name = "CannotCreateVM"

    def __init__(self, vm_id: str, why: str) -> None:
        super().__init__(f"VM {vm_id} was not created: {why}")
        self.vm_id = vm_id


class DestroyFailed(NodeError):
    wire_name = "VMDestroyFailed"

    def __init__(self, vm_id: str, why: str) -> None:
        super().__init__(f"VM {vm_id} may still run: {why}")
        self.vm_id = vm_id


class ResetFailed(NodeError):
    wire_name = "ResetFailed"

    def __init__(self, vm_id: str, why: str) -> None:
        super().__init__(f"VM {vm_id} was not reset: {why}")
        self.vm_id = vm_id


class NoScreen(NodeError):
    wire_name = "UnsupportedOperation"

    def __init__(self, vm_id: str, why: str) -> None:
        super().__init__(f"no picture of VM {vm_id}: {why}")
        self.vm_id = vm_id
