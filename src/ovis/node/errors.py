"""What a verb can answer when it does not do what it was asked. Each class knows its name in the API's error table.

    NodeError
    ├── VmNotFound, VmExists, VmNotRunning, VmBusy         the VM is not in the state that the verb needs
    ├── BadParameter, MissingParameter, BadXml             the request is wrong; `field` says where
    ├── CreateFailed, DestroyFailed, ...                   tried; what holds now is in the text
    ├── NotImplementedYet                                  declared in the schema, not built
    ├── Recovering                                         asked before the agent knows its VMs again
    └── TooManyCalls                                       a limit is reached; nothing was started

The number that travels is looked up in the schema by `wire_name`, in one place (`bridge.py`).
"""

from __future__ import annotations


class NodeError(Exception):
    """Root of the tree. `wire_name` is the name of an error in node/api/errors.yaml."""

    wire_name = "GeneralException"


class VmNotFound(NodeError):
    wire_name = "NoSuchVM"

    def __init__(self, vm_id: str) -> None:
        super().__init__(f"no VM {vm_id} on this host")
        self.vm_id = vm_id


class VmExists(NodeError):
    wire_name = "VMExists"

    def __init__(self, vm_id: str, *, by: str = "id") -> None:
        super().__init__(f"a VM with {by} {vm_id} exists on this host already")
        self.vm_id = vm_id


class VmNotRunning(NodeError):
    wire_name = "VMIsDown"

    def __init__(self, vm_id: str, status: str) -> None:
        super().__init__(f"VM {vm_id} does not run: it is {status}")
        self.vm_id = vm_id
        self.status = status


class VmBusy(NodeError):
    """Another operation owns the VM; nothing was changed."""

    wire_name = "ResourceUnavailable"

    def __init__(self, vm_id: str, operation: str) -> None:
        super().__init__(f"VM {vm_id} is held by another operation: {operation}")
        self.vm_id = vm_id
        self.operation = operation


class MissingParameter(NodeError):
    wire_name = "MissingParameter"

    def __init__(self, field: str, why: str = "") -> None:
        super().__init__(f"{field} is missing{': ' + why if why else ''}")
        self.field = field


class BadParameter(NodeError):
    """A value that has the right type and still cannot be used. `field` is its path as the caller wrote it."""

    wire_name = "InvalidParameter"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class NotImplementedYet(NodeError):
    wire_name = "MethodNotImplemented"

    def __init__(self, method: str) -> None:
        super().__init__(f"{method} is part of the API but not built in this version of Ovis")
        self.method = method


class Recovering(NodeError):
    wire_name = "RecoveryInProgress"

    def __init__(self) -> None:
        super().__init__("the agent has just started and is still finding its VMs again; ask again in a moment")


class TooManyCalls(NodeError):
    wire_name = "ResourceExhausted"

    def __init__(self, *, reason: str, resource: str, current_tasks: int) -> None:
        super().__init__(f"{reason}: {current_tasks} calls run ({resource}); ask again later")
        self.reason = reason
        self.resource = resource
        self.current_tasks = current_tasks


class HypervisorUnavailable(NodeError):
    """libvirt is away or does not answer; the text says whether the operation may still happen."""

    wire_name = "ResourceUnavailable"
