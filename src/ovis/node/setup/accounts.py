"""The step that makes the agent's user and lets it, sanlock and QEMU share storage.

Numbers are 36 and 36 on every host of a storage domain. A user or group that was made stays when the step is undone:
files on storage belong to them. Memberships are taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ovis.node.setup.errors import Conflict
from ovis.node.setup.machine import Machine
from ovis.node.setup.record import Records

NUMBER = 36
USER = "ovis"
_REMEDY = "remove it, or give it another number"


@dataclass(frozen=True)
class Known:
    """The machine's users and groups; `members` by name of group, without those whose first group it is."""

    users: dict[str, int]
    groups: dict[str, int]
    members: dict[str, set[str]]


def known(machine: Machine) -> Known:
    users, groups, members = {}, {}, {}
    for line in machine.text("/etc/passwd").splitlines():
        name, _, number, *_ = [*line.split(":"), "", "", ""]
        if number.isdigit():
            users[name] = int(number)
    for line in machine.text("/etc/group").splitlines():
        name, _, number, others, *_ = [*line.split(":"), "", "", ""]
        if number.isdigit():
            groups[name] = int(number)
            members[name] = {member for member in others.split(",") if member}
    return Known(users, groups, members)


def storage_group(there: Known) -> str:
    """Distributions of the Red Hat family have a group of number 36 from the beginning: it is taken as it is."""
    return next((name for name, number in there.groups.items() if number == NUMBER), USER)


@dataclass(frozen=True)
class Accounts:
    name: str
    why: str
    afterwards: Sequence[Sequence[str]] = ()
    starts: Sequence[Sequence[str]] = ()

    def missing(self, machine: Machine, records: Records) -> list[str]:
        return [" ".join(line) for line in self._lines(machine)]

    def apply(self, machine: Machine, records: Records) -> None:
        there = known(machine)
        group = storage_group(there)
        record = records.read(self.name) or {"memberships": []}
        fresh = [pair for pair in _memberships(there, group) if pair not in record["memberships"]]
        if fresh:
            records.write(self.name, {"memberships": [*record["memberships"], *fresh]})
        for line in self._lines(machine):
            machine.run(line if machine.is_live else [line[0], "--prefix", str(machine.root), *line[1:]])

    def undo(self, machine: Machine, records: Records) -> list[str]:
        record = records.read(self.name)
        if record is None:
            return []
        there = known(machine)
        for user, group in record["memberships"]:
            if user in there.members.get(group, ()):
                line = ["gpasswd", "--delete", user, group]
                machine.run(line if machine.is_live else [line[0], "--root", str(machine.root), *line[1:]])
        records.forget(self.name)
        return [f"user and group {USER} stay: files on storage belong to them"]

    def _lines(self, machine: Machine) -> list[list[str]]:
        there = known(machine)
        group = storage_group(there)
        lines = []
        if group not in there.groups:
            lines.append(["groupadd", "--system", "--gid", str(NUMBER), group])
        elif there.groups[group] != NUMBER:
            raise Conflict(self.name, f"the group {group} has the number {there.groups[group]}", _REMEDY)
        holder = next((name for name, number in there.users.items() if number == NUMBER), None)
        if holder not in (None, USER):
            raise Conflict(self.name, f"the user {holder} has the number {NUMBER}", _REMEDY)
        if there.users.get(USER, NUMBER) != NUMBER:
            raise Conflict(self.name, f"the user {USER} has the number {there.users[USER]}", _REMEDY)
        if holder is None:
            words = ["useradd", "--system", "--no-create-home", "--uid", str(NUMBER), "--gid", str(NUMBER)]
            lines.append([*words, "--home-dir", "/var/lib/ovis", "--shell", "/usr/sbin/nologin", USER])
        return [*lines, *(["usermod", "--append", "--groups", g, user] for user, g in _memberships(there, group))]


def _memberships(there: Known, group: str) -> list[list[str]]:
    """Those that are wanted and are not there, of users and groups that are: packages make the rest."""
    wanted = [
        (USER, "libvirt"),  # libvirt's socket (its polkit rule or the socket's group)
        (USER, "sanlock"),  # sanlock's socket
        (USER, "kvm"),  # /dev/kvm, for the guest that is tried once
        ("sanlock", group),  # leases on storage belong to it
        ("libvirt-qemu", group),  # disks of VMs: the user of QEMU on Debian,
        ("qemu", group),  # and elsewhere
    ]
    users = {*there.users, USER}
    return [
        [user, of]
        for user, of in wanted
        if user in users and of in {*there.groups, group} and user not in there.members.get(of, ())
        and not (user == USER and of == group)
    ]  # fmt: skip
