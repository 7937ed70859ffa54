"""Asking a guest's agent for its facts, one short command after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ovis.node.guest import facts
from ovis.node.guest.facts import GuestFacts
from ovis.node.hypervisor.errors import AgentError
from ovis.node.hypervisor.interface import Hypervisor

DEADLINE = 5.0


@dataclass(frozen=True)
class Question:
    """`fills`: member of GuestFacts. `seldom`: what it asks for does not change while the guest runs."""

    command: str
    fills: str
    read: Callable[[object], Any]
    seldom: bool = False


QUESTIONS = (
    Question("guest-get-osinfo", "os", facts.operating_system, seldom=True),
    Question("guest-network-get-interfaces", "interfaces", facts.interfaces),
    Question("guest-get-host-name", "host_name", facts.host_name),
    Question("guest-get-users", "users", facts.users),
    Question("guest-get-timezone", "timezone", facts.timezone, seldom=True),
    Question("guest-get-fsinfo", "mounts", facts.mounts),
    Question("guest-get-disks", "disks", facts.disks, seldom=True),
    Question("guest-get-vcpus", "cpus", facts.cpus, seldom=True),
)


async def ask(hypervisor: Hypervisor, domain_id: str, known: GuestFacts, *, all_of_it: bool) -> GuestFacts:
    """`known` brought up to date. A command that the agent refuses leaves its facts unknown.

    Raises HypervisorError, AgentUnavailable above all, when nobody answers; what was learned until then is dropped.
    """
    if not known.commands or all_of_it:
        version, commands = facts.commands(await _command(hypervisor, domain_id, "guest-info"))
        known = dataclasses.replace(known, agent_version=version, commands=commands)
    fresh: dict[str, Any] = {}
    for question in QUESTIONS:
        if question.seldom and not all_of_it and getattr(known, question.fills) is not None:
            continue
        if known.commands and question.command not in known.commands:
            continue
        try:
            answer = await _command(hypervisor, domain_id, question.command)
        except AgentError:
            continue
        fresh[question.fills] = question.read(answer)
        if question.command == "guest-get-fsinfo" and "guest-get-disks" not in known.commands:
            fresh["disks"] = facts.disks(answer)
    return dataclasses.replace(known, **fresh)


async def _command(hypervisor: Hypervisor, domain_id: str, name: str) -> object:
    return await hypervisor.agent(domain_id, {"execute": name}, deadline=DEADLINE)
