"""The step that makes symbolic links."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovis.node import durable_files
from ovis.node.setup.errors import Conflict
from ovis.node.setup.machine import Machine
from ovis.node.setup.record import Records


@dataclass(frozen=True)
class Links:
    """`targets` by the name of the link. What is there and is no such link is somebody's, and never replaced."""

    name: str
    why: str
    targets: Mapping[str, str]
    afterwards: Sequence[Sequence[str]] = ()
    starts: Sequence[Sequence[str]] = ()

    def missing(self, machine: Machine, records: Records) -> list[str]:
        lines = []
        for name, target in self.targets.items():
            here = _target(name, machine)
            if here is None and os.path.lexists(machine.path(name)):
                raise Conflict(self.name, f"{name} is there already", "remove it, or leave this step out")
            if here not in (None, target):
                raise Conflict(self.name, f"{name} leads to {here}", "remove it, or leave this step out")
            if here is None:
                lines.append(f"link {name} -> {target}")
        return lines

    def apply(self, machine: Machine, records: Records) -> None:
        record = records.read(self.name) or {"links": []}
        fresh = [n for n in self.targets if not os.path.lexists(machine.path(n)) and n not in record["links"]]
        if fresh:
            records.write(self.name, {"links": [*record["links"], *fresh]})
        for name, target in self.targets.items():
            if _target(name, machine) != target:
                path = machine.place(name)
                path.symlink_to(target)
                durable_files.flush(path.parent)

    def undo(self, machine: Machine, records: Records) -> list[str]:
        record = records.read(self.name)
        if record is None:
            return []
        for name in record["links"]:
            if _target(name, machine) == self.targets.get(name):
                machine.remove(name)
        records.forget(self.name)
        return []


def _target(name: str, machine: Machine) -> str | None:
    with contextlib.suppress(OSError):
        return os.readlink(machine.path(name))
    return None
