"""Fencing: the power of another machine is asked for or changed through its controller, by a fence agent.

    fence_<agent>     options on standard input, a `name=value` a line, so no password is in a list of processes
                      status 0 on | 2 off | other: it failed         on, off, reboot: 0 done

An agent writes options that it does not know into the system's log, values and all. So it is asked first what it knows
(action=metadata, XML with <parameter name="…">) and told nothing else; one that does not say is told everything, under
the old names that agents of all ages know. 2 is also the answer of an agent that was called wrongly, so "off" must be
its word as well: a machine that is believed off while it runs costs disks.
Source: ClusterLabs, Fence Agent API; fence-agents, lib/fencing.py.

A change runs on after the call that began it, at most one for a machine. It ends with this agent: then nobody knows the
power, and whoever fences asks for the status, as after every failure.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import stat
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from ovis.client.types import (
    FenceNodeAction,
    FenceNodeOperationStatusResult,
    FenceNodePowerStatusResult,
    FenceNodeResult,
    FencingPolicy,
)
from ovis.client.verbs import HostFenceNodeArgs
from ovis.node import processes
from ovis.node.errors import BadParameter, NodeError

log = logging.getLogger(__name__)

STATUS_SECONDS = 38.0
"""With the question before it, within the deadline of the verb."""
CHANGE_SECONDS = 300.0
"""Agents wait for the power to follow, 20 to 60 s each way, and try again."""
METADATA_SECONDS = 20.0
WATCHED_SECONDS = 15.0
_LIMITS = processes.Limits(memory=4 << 30, files=256)

_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_OPTION = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_COMMA = re.compile(r",(?=\s*[A-Za-z_][A-Za-z0-9_-]*\s*(?:=|,|$))")
_PARAMETER = re.compile(r"<parameter\s[^>]*?name=[\"']([^\"']+)")
_OFF = re.compile(rb"\bOFF\b", re.IGNORECASE)
_TELLTALE = {"verbose", "verbose_level", "debug", "debug_file"}
"""They make agents write passwords into logs and files."""
_DECIDED = {"action", "option", "agent"}

Renews = Callable[[str, int], Awaitable[bool | None]]
"""Whether the host with that host id in a storage domain renews it; None: nobody knows."""


class UnsupportedAgent(NodeError):
    wire_name = "UnsupportedFenceAgent"

    def __init__(self, agent: str, problem: str) -> None:
        super().__init__(f"the fence agent {agent!r} cannot be used: {problem}")
        self.agent = agent


class ChangeUnderWay(NodeError):
    wire_name = "ResourceUnavailable"

    def __init__(self, machine: str, action: str) -> None:
        super().__init__(f"the power of {machine} is being changed already ({action}); ask for its status")


class StatusFailed(NodeError):
    """The agent could not be run to its end."""

    wire_name = "UnexpectedError"

    def __init__(self, machine: str, problem: str) -> None:
        super().__init__(f"the power of {machine} could not be asked for and is unknown: {problem}")


@dataclass(frozen=True)
class Machine:
    """A machine's power, as one controller knows it. `options` hold secrets, like `password`."""

    program: str
    address: str
    port: int
    user: str
    password: str = field(repr=False)
    secure: bool
    options: tuple[tuple[str, str], ...] = field(repr=False)

    def __str__(self) -> str:
        plug = next((f", port {value}" for name, value in self.options if name in ("port", "plug")), "")
        return f"the machine behind {self.address} ({os.path.basename(self.program)}{plug})"

    @property
    def secrets(self) -> list[str]:
        named = [value for name, value in self.options if re.search("pass|community|token|secret|key", name)]
        return [secret for secret in (self.password, *named) if secret]

    def told(self, action: FenceNodeAction, known: Collection[str] | None = None) -> bytes:
        """What the agent reads. `known`: the options that it has; None: it does not say."""
        lines = [
            ("action", action.value),
            (_first(known, "ipaddr", "ip"), self.address),
            (_first(known, "login", "username"), self.user),
            (_first(known, "passwd", "password"), self.password),
            ("ipport", str(self.port or "")),
            (_first(known, "secure", "ssh"), "1" if self.secure else ""),
            ("ssl", "1" if self.secure else ""),  # SSH or TLS: an agent has the one that it can
            *self.options,
        ]
        return "".join(f"{name}={value}\n" for name, value in lines if value and _is_known(name, known)).encode()

    def unknown(self, known: Collection[str] | None) -> list[str]:
        """Options that the agent does not have."""
        return [name for name, _ in self.options if not _is_known(name, known)]

    def hidden(self, text: str) -> str:
        """Without its secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "********")
        return text


class Fencing:
    """Made and used in the event loop. `folder`: where the distribution puts fence agents."""

    def __init__(
        self,
        folder: Path,
        renews: Renews,
        *,
        status_seconds: float = STATUS_SECONDS,
        change_seconds: float = CHANGE_SECONDS,
    ) -> None:
        self._folder = folder
        self._renews = renews
        self._status_seconds = status_seconds
        self._change_seconds = change_seconds
        self._changes: dict[Machine, tuple[FenceNodeAction, asyncio.Task[None]]] = {}
        self._known: dict[tuple[str, int], frozenset[str] | None] = {}
        """Options of an agent, by its program and when that changed."""

    async def fence(self, args: HostFenceNodeArgs) -> FenceNodeResult:
        """Raises UnsupportedAgent, BadParameter, ChangeUnderWay, StatusFailed: nothing was changed by this call."""
        machine = machine_of(args, self._folder)
        if args.action is FenceNodeAction.STATUS:
            return FenceNodeResult(power=await self._status(machine))
        if args.policy is not None and await self._is_spared(machine, args.policy):
            return FenceNodeResult(operation_status=FenceNodeOperationStatusResult.SKIPPED)
        self._begin(machine, args.action)
        return FenceNodeResult(operation_status=FenceNodeOperationStatusResult.INITIATED)

    async def settled(self) -> None:
        """When no change runs any more."""
        await asyncio.gather(*(task for _, task in self._changes.values()), return_exceptions=True)

    async def close(self) -> None:
        for _, task in self._changes.values():
            task.cancel()
        await self.settled()

    async def _status(self, machine: Machine) -> FenceNodePowerStatusResult:
        try:
            ended = await self._run(machine, FenceNodeAction.STATUS, self._status_seconds)
        except (processes.Stalled, OSError) as error:
            raise StatusFailed(str(machine), str(error)) from error
        if ended.status == 0:
            return FenceNodePowerStatusResult.ON
        if ended.status == 2 and (_OFF.search(ended.output) or not (ended.output + ended.errors).strip()):
            return FenceNodePowerStatusResult.OFF
        log.warning("the power of %s is unknown: %s", machine, _complaint(machine, ended))
        return FenceNodePowerStatusResult.UNKNOWN

    def _begin(self, machine: Machine, action: FenceNodeAction) -> None:
        running = self._changes.get(machine)
        if running is not None:
            if running[0] is not action:
                raise ChangeUnderWay(str(machine), running[0].value)
            return
        task = asyncio.create_task(self._change(machine, action), name=f"fencing {machine.address}")
        self._changes[machine] = action, task
        task.add_done_callback(lambda _: self._changes.pop(machine))

    async def _change(self, machine: Machine, action: FenceNodeAction) -> None:
        log.warning("fencing: %s for %s begins", action.value, machine)
        try:
            ended = await self._run(machine, action, self._change_seconds)
        except (processes.Stalled, OSError) as error:
            log.error("fencing: %s for %s failed, its power is unknown: %s", action.value, machine, error)  # noqa: TRY400
        except asyncio.CancelledError:
            log.warning("fencing: %s for %s ends with this agent, its power is unknown", action.value, machine)
            raise
        else:
            if ended.status == 0:
                log.warning("fencing: %s for %s is done", action.value, machine)
            else:
                problem = _complaint(machine, ended)
                log.error("fencing: %s for %s failed, its power is unknown: %s", action.value, machine, problem)

    async def _run(self, machine: Machine, action: FenceNodeAction, seconds: float) -> processes.Ended:
        known = await self._options_of(machine.program)
        for name in machine.unknown(known):
            log.warning("%s is told nothing of %s: it has no such option", machine.program, name)
        return await processes.run(_command(machine.program, machine.told(action, known)), seconds=seconds)

    async def _options_of(self, program: str) -> frozenset[str] | None:
        key = program, os.stat(program).st_mtime_ns
        if key not in self._known:
            ended = await processes.run(_command(program, b"action=metadata\n"), seconds=METADATA_SECONDS)
            names = _PARAMETER.findall(ended.output.decode(errors="replace"))
            self._known[key] = frozenset(map(_plain, names)) if ended.status == 0 and names else None
        return self._known[key]

    async def _is_spared(self, machine: Machine, policy: FencingPolicy) -> bool:
        if policy.skip_fencing_if_gluster_bricks_up or policy.skip_fencing_if_gluster_quorum_not_met:
            raise BadParameter("policy", "its conditions of Gluster cannot be tested: this host manages no Gluster")
        hosts = list((policy.storage_domain_host_id_map or {}).items())
        seen = await asyncio.gather(*(self._sees_renewing(domain, host_id) for domain, host_id in hosts))
        for (domain, host_id), renews in zip(hosts, seen, strict=True):
            if renews:
                log.warning("fencing of %s is skipped: it renews host id %d in %s", machine, host_id, domain)
                return True
            if renews is None:
                log.warning("fencing of %s: nobody here knows whether it renews its id in %s", machine, domain)
        return False

    async def _sees_renewing(self, domain: str, host_id: int) -> bool | None:
        try:
            async with asyncio.timeout(WATCHED_SECONDS):
                return await self._renews(domain, host_id)
        except (TimeoutError, NodeError) as error:
            log.info("leases of storage domain %s cannot be read: %s", domain, error)
            return None


def _command(program: str, told: bytes) -> processes.Command:
    return processes.Command((program,), limits=_LIMITS, standard_input=told, output_limit=1 << 20)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _first(known: Collection[str] | None, *names: str) -> str:
    return next((name for name in names if _is_known(name, known)), names[0])


def _is_known(name: str, known: Collection[str] | None) -> bool:
    return known is None or name == "action" or _plain(name) in known


def machine_of(args: HostFenceNodeArgs, folder: Path) -> Machine:
    """Raises UnsupportedAgent, BadParameter."""
    for name in ("addr", "username", "password"):
        _check_line(name, getattr(args, name))
    if not args.addr.strip():
        raise BadParameter("addr", "it is empty")
    return Machine(
        program=_program(args.agent, folder),
        address=args.addr,
        port=args.port,
        user=args.username,
        password=args.password,
        secure=args.secure,
        options=tuple(_options(args.options)),
    )


def _program(agent: str, folder: Path) -> str:
    if not _AGENT.fullmatch(agent):
        raise UnsupportedAgent(agent, "this is no name of one")
    path = folder / f"fence_{agent}"
    try:
        usable = stat.S_ISREG(path.stat().st_mode) and os.access(path, os.X_OK)
    except OSError as error:
        raise UnsupportedAgent(agent, f"{path}: {error.strerror}") from error
    if not usable:
        raise UnsupportedAgent(agent, f"{path} is no program")
    return str(path)


def _options(text: str) -> list[tuple[str, str]]:
    """`name=value` or `name`, one a line; in a single line separated by commas."""
    parts = text.splitlines() if "\n" in text else _COMMA.split(text)
    found = []
    for part in filter(None, (part.strip() for part in parts)):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not _OPTION.fullmatch(name):
            raise BadParameter("options", "each must be name=value")  # without showing it: it may be a secret
        if (plain := _plain(name)) in _DECIDED:
            raise BadParameter("options", f"{name} is not for the caller to choose")
        if plain in _TELLTALE:
            raise BadParameter("options", f"{name} makes agents write passwords into logs")
        _check_line("options", value)
        found.append((name, value.strip() if equals else "1"))
    return found


def _check_line(name: str, text: str) -> None:
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
        raise BadParameter(name, "it must be one line, without control characters")


def _complaint(machine: Machine, ended: processes.Ended) -> str:
    return machine.hidden(ended.complaint)
