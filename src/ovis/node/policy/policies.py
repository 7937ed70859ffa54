"""The host's policy: rules that run by themselves on what the agent has measured.

      each period                                                        kept in the state folder
      measure ──► host, guests ──► rules ──► decisions ──► carry out     policy/rules, policy/parameters.json

Rules that fail are told once, change nothing, and are tried again with the next measurements.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from ovis.client.types import VmStatus
from ovis.node import durable_files
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.policy import acting, collecting
from ovis.node.policy.deciding import HOST, Decided, Guest, Host, decide
from ovis.node.policy.entities import Value
from ovis.node.policy.errors import PolicyRefused, RuleError
from ovis.node.policy.reader import Expression, read
from ovis.node.vm.vm import Vm

log = logging.getLogger(__name__)

FOLDER = "policy"
ROWS = 10
LIMITED = "limited"
"""Variable of a guest whose CPU time rules have changed."""
_RUNNING = (VmStatus.UP, VmStatus.POWERING_UP, VmStatus.REBOOT_IN_PROGRESS)


@dataclass
class History:
    """Of the host, or of one guest."""

    rows: deque[Mapping[str, Value]] = field(default_factory=lambda: deque(maxlen=ROWS))
    variables: dict[str, Value] = field(default_factory=dict)


class Policies:
    """Made and used in the event loop. `folder` is made when there is something to keep."""

    def __init__(
        self,
        machine: acting.Machine,
        folder: Path,
        *,
        has_host: bool = True,
        kernel: KernelFiles | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._machine = machine
        self._folder = folder
        self._has_host = has_host
        self._kernel = kernel or KernelFiles()
        self._clock = clock
        self._changing = asyncio.Lock()
        self._host = History()
        self._guests: dict[str, History] = {}
        self._failure = ""
        self.text = self._kept_text()
        self.parameters = self._kept_parameters()
        self._rules = self._kept_rules()

    @property
    def is_default(self) -> bool:
        return not self.text

    @property
    def failure(self) -> str:
        """Of the last round; empty when all went well."""
        return self._failure

    @property
    def rules_text(self) -> str:
        return self.text or _default_text()

    async def set_rules(self, text: str) -> None:
        """All rules, for good; none: those of the house again. They are tried before. Raises PolicyRefused."""
        rules = _read(text or _default_text())
        async with self._changing:
            await self._try(rules, self.parameters)
            await self._keep("rules", text)
            self.text, self._rules = text, rules
        log.info("policy: the rules are %s now", "given ones" if text else "those of the house")

    async def set_parameters(self, given: Mapping[str, object]) -> None:
        """Those that are not named stay. Raises PolicyRefused."""
        async with self._changing:
            parameters = {**self.parameters, **{name: _parameter(name, value) for name, value in given.items()}}
            await self._try(self._rules, parameters)
            await self._keep("parameters.json", json.dumps(parameters, indent=1))
            self.parameters = parameters
        log.info("policy: parameters are %s now", parameters)

    async def what_if(self, text: str | None = None) -> Decided:
        """What the rules (None: those in force) would decide now. Nothing is changed. Raises PolicyRefused."""
        await self._measure()
        return await self._try(self._rules if text is None else _read(text), self.parameters)

    async def round(self) -> None:
        """Measure, decide, act."""
        await self._measure()
        host, guests = self._host_entity(), self._guest_entities()
        try:
            decided = await asyncio.to_thread(decide, self._rules, self.parameters, host, guests)
        except RuleError as error:
            self._tell(f"the rules went wrong at {error}; nothing was changed")
            return
        self._host.variables = host.variables
        for guest in guests:
            if guest.name in self._guests:
                self._guests[guest.name].variables = guest.variables
        for text in decided.said:
            log.debug("policy: %s", text)
        failures = await acting.carry_out(self._machine, decided.decisions, has_host=self._has_host)
        self._tell("; ".join(failures))

    def _tell(self, failure: str) -> None:
        if failure and failure != self._failure:
            log.warning("policy: %s", failure)
        elif self._failure and not failure:
            log.info("policy: all went well again")
        self._failure = failure

    async def _measure(self) -> None:
        running = [vm for vm in self._machine.vms if _is_measured(vm)]
        promised = sum(vm.definition.memory for vm in running)
        row = await asyncio.to_thread(collecting.host_row, self._kernel, self._clock(), promised)
        self._host.rows.append(row)
        known = {vm.id: self._guests.get(vm.id, History()) for vm in running}
        for vm in running:
            history = known[vm.id]
            limited = bool(history.variables.get(LIMITED))
            history.rows.append(await collecting.guest_row(self._machine.vms, vm, limited=limited))
        self._guests = known

    def _host_entity(self) -> Host:
        return Host(HOST, rows=tuple(self._host.rows), variables=dict(self._host.variables))

    def _guest_entities(self) -> list[Guest]:
        found = []
        for vm_id, history in self._guests.items():
            if (vm := self._machine.vms.get(vm_id)) is not None:
                rows, variables = tuple(history.rows), dict(history.variables)
                found.append(Guest(vm_id, collecting.properties(vm), rows, variables))
        return found

    async def _try(self, rules: Sequence[Expression], parameters: Mapping[str, Value]) -> Decided:
        if not self._host.rows:
            await self._measure()
        try:
            return await asyncio.to_thread(decide, rules, parameters, self._host_entity(), self._guest_entities())
        except RuleError as error:
            raise PolicyRefused(f"{error}") from error

    # What is kept

    async def _keep(self, name: str, text: str) -> None:
        def write() -> None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            durable_files.replace(self._folder / name, text.encode())

        try:
            await asyncio.to_thread(write)
        except OSError as error:
            raise PolicyRefused(f"{self._folder / name} cannot be written: {error.strerror}") from error

    def _kept_text(self) -> str:
        try:
            return (self._folder / "rules").read_text()
        except FileNotFoundError:
            return ""

    def _kept_rules(self) -> Sequence[Expression]:
        try:
            return read(self.rules_text)
        except RuleError as error:
            log.warning("policy: %s: %s; the rules of the house are used", self._folder / "rules", error)
            return read(_default_text())

    def _kept_parameters(self) -> dict[str, Value]:
        file = self._folder / "parameters.json"
        try:
            found = json.loads(file.read_text())
            return {name: _parameter(name, value) for name, value in found.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, AttributeError, PolicyRefused) as error:
            log.warning("policy: %s is not used: %s", file, error)
            return {}


def _is_measured(vm: Vm) -> bool:
    return vm.status in _RUNNING and vm.has_qemu and vm.responding and vm.measured is not None


def _default_text() -> str:
    return (files("ovis.node.policy") / "default.policy").read_text()


def _read(text: str) -> Sequence[Expression]:
    try:
        return read(text)
    except RuleError as error:
        raise PolicyRefused(f"policy: {error}") from error


def _parameter(name: str, value: object) -> Value:
    if not name.isidentifier() or name in ("Host", "Guests", "nil"):
        raise PolicyRefused(f"key_value_store: {name[:40]!r} cannot be the name of a variable")
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):  # as engines of before 4.0 send it
        return int(value.lower() == "true")
    if isinstance(value, int | float | str):
        return value
    raise PolicyRefused(f"key_value_store.{name}: neither number, boolean nor text")
