"""Applying and undoing steps, and telling the services that are concerned.

Which programs are to be run afterwards is recorded before each change, so that a set-up that was killed tells them when
it is repeated, though nothing is left to change.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ovis.node.setup.errors import Conflict, SetupError
from ovis.node.setup.machine import Machine
from ovis.node.setup.record import FOLDER, Records
from ovis.node.setup.step import Step

_SERVICES = "services"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Change:
    """`tells_services`: programs are run; else they are only named. None: where systemd runs."""

    machine: Machine
    say: Say
    tells_services: bool | None = None

    @property
    def records(self) -> Records:
        return Records(self.machine)

    def show(self, steps: Sequence[Step]) -> bool:
        """Whether all could be applied."""
        is_possible = True
        for step in steps:
            try:
                lines = step.missing(self.machine, self.records)
            except Conflict as error:
                self.say(str(error))
                is_possible = False
                continue
            self.say(f"{step.name}: {step.why}: {'' if lines else 'in place'}")
            for line in lines:
                self.say(f"    {line}")
        return is_possible

    def apply(self, steps: Sequence[Step]) -> bool:
        """Nothing is changed when one of the steps cannot be done. Raises SetupError, OSError."""
        with self._alone():
            wanted, conflicts = [], []
            for step in steps:
                try:
                    if step.missing(self.machine, self.records):
                        wanted.append(step)
                except Conflict as error:
                    conflicts.append(error)
            for conflict in conflicts:
                self.say(str(conflict))
            if conflicts:
                self.say(f"nothing was changed; --without {conflicts[0].step} leaves that step out")
                return False
            for step in wanted:
                self._expect([*step.afterwards, *step.starts])
                step.apply(self.machine, self.records)
                self.say(f"{step.name}: done")
            if not wanted:
                self.say("all is in place")
            return self._tell()

    def undo(self, steps: Sequence[Step]) -> bool:
        """Raises SetupError, OSError; then the rest can be undone by doing it again."""
        with self._alone():
            for step in reversed(steps):
                if self.records.read(step.name) is not None:
                    self._expect(step.afterwards)
                for left in step.undo(self.machine, self.records):
                    self.say(f"{step.name}: {left}")
            return self._tell()

    def _expect(self, programs: Sequence[Sequence[str]]) -> None:
        lines = self._expected()
        fresh = [list(line) for line in programs if list(line) not in lines]
        if fresh:
            self.records.write(_SERVICES, {"lines": [*lines, *fresh]})

    def _expected(self) -> list[list[str]]:
        return [list(line) for line in (self.records.read(_SERVICES) or {"lines": []})["lines"]]

    def _tell(self) -> bool:
        lines = self._expected()
        tells = self.machine.has_systemd if self.tells_services is None else self.tells_services
        failures = []
        if self.machine.is_live and tells:
            for line in lines:
                try:
                    self.machine.run(line)
                except SetupError as error:
                    self.say(str(error))
                    failures.append(line)
        elif self.machine.is_live:
            for line in lines:
                self.say(f"still to be run: {' '.join(line)}")
            failures = lines  # told again next time, and no failure of ours
        if failures:
            self.records.write(_SERVICES, {"lines": failures})
        else:
            self.records.forget(_SERVICES)
        return not (failures and tells)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One set-up at a time. Raises SetupError."""
        folder = self.machine.place(f"{FOLDER}/record").parent
        descriptor = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise SetupError("another set-up of this host is under way") from error
            yield
        finally:
            with contextlib.suppress(OSError):
                folder.rmdir()  # nothing is recorded any more
            os.close(descriptor)
