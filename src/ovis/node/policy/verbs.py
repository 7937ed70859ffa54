"""The verbs of the host's policy. They translate and decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ovis.client.types import PolicyDecision, PolicyInfo, PolicyOutcome
from ovis.client.verbs import HostSetMOMPolicyArgs, HostSetMOMPolicyParametersArgs, PolicyShowArgs, PolicyWhatIfArgs
from ovis.node.errors import BadParameter
from ovis.node.registry import verb

if TYPE_CHECKING:
    from ovis.node.node import Node


@verb("Host.setMOMPolicy")
async def set_mom_policy(node: Node, args: HostSetMOMPolicyArgs) -> None:
    await node.policies.set_rules(args.policy)


@verb("Host.setMOMPolicyParameters")
async def set_mom_policy_parameters(node: Node, args: HostSetMOMPolicyParametersArgs) -> None:
    if not isinstance(args.key_value_store, Mapping):
        raise BadParameter("key_value_store", "it is no object of names and values")
    await node.policies.set_parameters(args.key_value_store)


@verb("Policy.show")
def show(node: Node, _args: PolicyShowArgs) -> PolicyInfo:
    policies = node.policies
    return PolicyInfo(
        failure=policies.failure,
        is_default=policies.is_default,
        parameters=dict(policies.parameters),
        rules=policies.rules_text,
    )


@verb("Policy.whatIf")
async def what_if(node: Node, args: PolicyWhatIfArgs) -> PolicyOutcome:
    found = await node.policies.what_if(args.policy)
    decisions = [
        PolicyDecision(control=one.control, target=one.target, value=one.value, disk=one.disk or None)
        for one in found.decisions
    ]
    return PolicyOutcome(decisions=decisions, said=list(found.said))
