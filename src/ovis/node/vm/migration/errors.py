"""What goes wrong with migrations. Leaves of the tree in `ovis.node.errors`."""

from __future__ import annotations

from ovis.node.errors import NodeError


class MigrationInProgress(NodeError):
    wire_name = "MigrationInProgress"

    def __init__(self, vm_id: str, destination: str) -> None:
        super().__init__(f"VM {vm_id} is already on its way to {destination}")
        self.vm_id = vm_id


class MigrationNotInProgress(NodeError):
    wire_name = "MigrationNotInProgress"

    def __init__(self, vm_id: str) -> None:
        super().__init__(f"VM {vm_id} is neither being migrated nor saved")
        self.vm_id = vm_id


class MigrationRefused(NodeError):
    """Nothing was begun."""

    wire_name = "MigrationError"

    def __init__(self, vm_id: str, why: str) -> None:
        super().__init__(f"VM {vm_id} cannot be migrated now: {why}")
        self.vm_id = vm_id


class CancelFailed(NodeError):
    wire_name = "MigrationCancelationFailed"

    def __init__(self, vm_id: str, why: str) -> None:
        super().__init__(f"the migration of VM {vm_id} was not cancelled: {why}")
        self.vm_id = vm_id


class ChangeFailed(NodeError):
    wire_name = "MigrationOperationError"

    def __init__(self, vm_id: str, why: str) -> None:
        super().__init__(f"the migration of VM {vm_id} goes on as before: {why}")
        self.vm_id = vm_id


class TooManyArrive(NodeError):
    wire_name = "MigrationLimitExceeded"

    def __init__(self, arriving: int, limit: int) -> None:
        super().__init__(f"{arriving} VMs are arriving here, {limit} may at once; ask again later")
        self.arriving = arriving
        self.limit = limit
