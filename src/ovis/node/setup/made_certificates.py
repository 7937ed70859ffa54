"""The step that makes the certificates of a host which no authority has given any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ovis.node.setup.errors import Conflict
from ovis.node.setup.machine import Machine
from ovis.node.setup.record import Records
from ovis.wire import certificates
from ovis.wire.renewal import status

FOLDER = "/etc/ovis/pki"
_NODE = ("ca.pem", "node-key.pem", "node.pem")
_ALL = (*_NODE, "ca-key.pem", "admin-key.pem", "admin.pem")


@dataclass(frozen=True)
class MadeCertificates:
    """`user`, `group`: who reads and renews them. `names`: of the host, beside its host name.

    Undone, they stay: other machines may trust them by now.
    """

    name: str
    why: str
    user: int
    group: int
    names: Sequence[str] = ()
    afterwards: Sequence[Sequence[str]] = ()
    starts: Sequence[Sequence[str]] = ()

    def missing(self, machine: Machine, records: Records) -> list[str]:
        folder = machine.path(FOLDER)
        lines = [f"certificate {FOLDER}/{name}" for name in _NODE if not (folder / name).exists()]
        lines += [f"name {name} in {FOLDER}/node.pem" for name in self._nameless(folder) if not lines]
        if machine.can_own:
            for name in _ALL:
                if (folder / name).exists() and (folder / name).stat().st_uid != self.user:
                    lines.append(f"owner of {FOLDER}/{name}: {self.user}:{self.group}")
        return lines

    def apply(self, machine: Machine, records: Records) -> None:
        folder = machine.place(f"{FOLDER}/node.pem").parent
        if self._nameless(folder) or not all((folder / name).exists() for name in _NODE):
            host = machine.text("/etc/hostname").strip() or None
            try:
                certificates.ensure(folder, names=self.names, host_name=host)
            except certificates.CertificateProblem as error:
                raise Conflict(self.name, str(error), "put the right files there, or leave this step out") from error
        for name in _ALL:
            if (folder / name).exists():
                machine.own(folder / name, self.user, self.group)

    def undo(self, machine: Machine, records: Records) -> list[str]:
        folder = machine.path(FOLDER)
        return [f"certificates in {FOLDER} stay: others may trust them"] if (folder / "node.pem").exists() else []

    def _nameless(self, folder: Path) -> list[str]:
        if not self.names or not (folder / "node.pem").exists():
            return list(self.names)
        there = {name for one in status(folder, datetime.now(UTC)) if one.path.stem == "node" for name in one.names}
        return [name for name in self.names if name not in there]
