"""Numbers of errors that have no name in older agents, and how errors of the hypervisor read to a caller."""

from __future__ import annotations

from functools import cache

from ovis.client import node_schema
from ovis.node.errors import HypervisorUnavailable, NodeError, VmNotFound
from ovis.node.hypervisor import errors as hypervisor

ACCESS_DENIED = -32001
DEADLINE_PASSED = -32002


@cache
def _codes() -> dict[str, int]:
    errors = node_schema.load_calls().errors
    return {name: code for code, error in errors.items() for name in (error.name, *error.also)}


def code_of(wire_name: str) -> int:
    """The number of an error that is told otherwise than as the answer of a call, such as that of a job."""
    return _codes()[wire_name]


class HypervisorRefused(NodeError):
    """libvirt or QEMU refused or failed; its own words are in the text."""

    wire_name = "UnexpectedError"


class GuestAgentSilent(NodeError):
    wire_name = "NonResponsiveGuestAgent"


def as_node_error(error: Exception) -> NodeError | None:
    """The error of the API for one of the hypervisor; None for anything else."""
    match error:
        case hypervisor.DomainNotFound():
            return VmNotFound(error.domain_id)
        case hypervisor.AgentUnavailable() | hypervisor.AgentError():
            return GuestAgentSilent(str(error))
        case (
            hypervisor.HypervisorLost()
            | hypervisor.DeadlineExceeded()
            | hypervisor.ThreadsExhausted()
            | hypervisor.NotResponding()
        ):
            return HypervisorUnavailable(str(error))
        case hypervisor.HypervisorError():
            return HypervisorRefused(str(error))
        case _:
            return None
