"""iscsiadm, with secrets written into its records instead of its arguments, which every user of the host could read.

open-iscsi keeps one text file per record below its folder (Debian: /etc/iscsi, newer releases /var/lib/iscsi), lines
`key = value`:

    nodes/<target>/<address>,<port>,<group>/<interface>     a way to a target
    send_targets/<address>,<port>/st_config                 a portal that was asked for its targets
    ifaces/<name>                                           an interface

A record is made by iscsiadm, and the secrets are put into the file before it is used. Source: usr/idbm.c of open-iscsi.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request, Secret
from ovis.node.privileged.work import Work

IMPATIENT_LOGIN: dict[str, str | None] = {
    "node.startup": "manual",
    "node.session.initial_login_retry_max": "2",
    "node.conn[0].timeo.login_timeout": "10",
}
"""A portal that is away costs 20 s, not the 120 s of open-iscsi's own values (8 times 15 s). Sessions that were up are
made again for ever all the same."""
IMPATIENT_DISCOVERY: dict[str, str | None] = {
    "discovery.sendtargets.reopen_max": "1",
    "discovery.sendtargets.timeo.login_timeout": "10",
}

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*|\[?[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?\]?")
_TARGET = re.compile(r"(iqn|eui|naa)\.[A-Za-z0-9.:_-]+")
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")


class Credentials(Struct, frozen=True):
    """CHAP. Neither may hold a line break."""

    user: str
    password: Secret


class Portal(Struct, frozen=True):
    """`group`: the portal group tag, needed for nodes."""

    host: str
    port: int = 3260
    group: int = 1

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        return f"{host}:{self.port}"


class DiscoverTargets(Request[CommandResult], frozen=True, kw_only=True):
    """Ask a portal for its targets. Output: lines `address:port,group target`. No record stays."""

    seconds: ClassVar[float] = 40

    portal: Portal
    interface: str = "default"
    credentials: Credentials | None = None


class LogIn(Request[CommandResult], frozen=True, kw_only=True):
    """Make the record of a target's portal and log in. Status 15: a session is there already.

    After another status than 0 and 15 the record is gone again, unless it was there before. 24: CHAP was refused.
    It is not logged in again by itself when the host boots: who keeps the list of connections does it.
    `recorded`: with the credentials that are in the record, if there is one.
    """

    seconds: ClassVar[float] = 90

    target: str
    portal: Portal
    interface: str = "default"
    credentials: Credentials | None = None
    recorded: bool = False


class LogOut(Request[CommandResult], frozen=True, kw_only=True):
    """Log out and remove the record. Nothing there: status 21."""

    seconds: ClassVar[float] = 60

    target: str
    portal: Portal
    interface: str = "default"


class SetInterface(Request[CommandResult], frozen=True, kw_only=True):
    """An iSCSI interface bound to a network device. Repeatable."""

    seconds: ClassVar[float] = 20

    name: str
    network_device: str


class RescanSessions(Request[CommandResult], frozen=True, kw_only=True):
    """Ask all targets for new units and new sizes. Status 21: there is no session."""


async def discover_targets(request: DiscoverTargets, work: Work) -> CommandResult:
    _check(portal=request.portal, interface=request.interface, credentials=request.credentials)
    portal, base = str(request.portal), ("iscsiadm", "-m", "discoverydb", "-t", "sendtargets")
    record = f"send_targets/{request.portal.host.strip('[]')},{request.portal.port}/st_config"
    values = {**IMPATIENT_DISCOVERY, **_chap("discovery.sendtargets.auth", request.credentials)}
    async with work.iscsi_records:
        made = await work.run(*base, "-p", portal, "-I", request.interface, "-o", "new")
        if not made.ok:
            return made
        try:
            _write(work, record, values)
            # nonpersistent: the targets that are found get no records
            words = ("-p", portal, "-I", request.interface, "-D", "-o", "nonpersistent")
            return await work.run(*base, *words)
        finally:
            await work.run(*base, "-p", portal, "-o", "delete")


async def log_in(request: LogIn, work: Work) -> CommandResult:
    _check(portal=request.portal, interface=request.interface, target=request.target, credentials=request.credentials)
    base = _node(request.target, request.portal, request.interface)
    record = _record(request.target, request.portal, request.interface)
    values = dict(IMPATIENT_LOGIN)
    if not request.recorded or request.credentials:
        values |= _chap("node.session.auth", request.credentials)
    async with work.iscsi_records:
        was_there = _find(work, record) is not None
        if not was_there:
            made = await work.run(*base, "-o", "new")
            if not made.ok:
                return made
        _write(work, record, values)
    try:
        result = await work.run(*base, "--login")
    except BaseException:
        # iscsid tries on by itself, and would come through when nobody wants it any more
        await work.run(*base, "--logout")
        if not was_there:
            await work.run(*base, "-o", "delete")
        raise
    if not was_there and result.status not in (0, 15):
        await work.run(*base, "-o", "delete")
    return result


async def log_out(request: LogOut, work: Work) -> CommandResult:
    _check(portal=request.portal, interface=request.interface, target=request.target)
    base = _node(request.target, request.portal, request.interface)
    result = await work.run(*base, "--logout")
    if result.status in (0, 21):
        async with work.iscsi_records:
            await work.run(*base, "-o", "delete")
    return result


async def set_interface(request: SetInterface, work: Work) -> CommandResult:
    _check(interface=request.name, device=request.network_device)
    base = ("iscsiadm", "-m", "iface", "-I", request.name)
    async with work.iscsi_records:
        if _find(work, f"ifaces/{request.name}") is None:
            made = await work.run(*base, "-o", "new")
            if not made.ok:
                return made
        return await work.run(*base, "-o", "update", "-n", "iface.net_ifacename", "-v", request.network_device)


async def rescan_sessions(request: RescanSessions, work: Work) -> CommandResult:
    return await work.run("iscsiadm", "-m", "session", "--rescan")


def _node(target: str, portal: Portal, interface: str) -> tuple[str, ...]:
    return ("iscsiadm", "-m", "node", "-T", target, "-p", f"{portal},{portal.group}", "-I", interface)


def _record(target: str, portal: Portal, interface: str) -> str:
    return f"nodes/{target}/{portal.host.strip('[]')},{portal.port},{portal.group}/{interface}"


def _chap(prefix: str, credentials: Credentials | None) -> dict[str, str | None]:
    if credentials is None:
        return {f"{prefix}.authmethod": "None", f"{prefix}.username": None, f"{prefix}.password": None}
    return {
        f"{prefix}.authmethod": "CHAP",
        f"{prefix}.username": credentials.user,
        f"{prefix}.password": credentials.password.text,
    }


def _find(work: Work, record: str) -> Path | None:
    return next((file for folder in work.rules.iscsi_records if (file := Path(folder) / record).is_file()), None)


def _write(work: Work, record: str, values: Mapping[str, str | None]) -> None:
    """Set these lines of a record (None: take them out). The file is 0600 and whole at any moment.

    Raises OSError.
    """
    file = _find(work, record)
    if file is None:
        raise FileNotFoundError(2, "iscsiadm made no such record", record)
    lines = [line for line in file.read_text().splitlines() if line.partition(" =")[0] not in values]
    # before the closing comment: what follows it is not read
    end = next((n for n, line in enumerate(lines) if line.startswith("# END")), len(lines))
    lines[end:end] = [f"{key} = {value}" for key, value in values.items() if value is not None]
    fresh = file.with_name(f".{file.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as written:
        written.write("\n".join(lines) + "\n")
        written.flush()
        os.fsync(descriptor)
    fresh.replace(file)


def _check(
    *,
    portal: Portal | None = None,
    interface: str | None = None,
    target: str | None = None,
    device: str | None = None,
    credentials: Credentials | None = None,
) -> None:
    """Nothing of what is given may be more than a name in a path of a record, a line in it or an argument."""
    if portal and not (_HOST.fullmatch(portal.host) and 0 < portal.port < 65536 and 0 <= portal.group < 65536):
        raise Refused(f"the iSCSI portal {portal},{portal.group}", "it is not host, port and group")
    for what, text, pattern in (
        ("interface", interface, _INTERFACE), ("target", target, _TARGET), ("network device", device, _INTERFACE)
    ):  # fmt: skip
        if text is not None and (not pattern.fullmatch(text) or ".." in text):
            raise Refused(f"the iSCSI {what} {text!r}", "this is no such name")
    for what, text in (("user", credentials.user), ("password", credentials.password.text)) if credentials else ():
        if not text.isprintable() or text != text.strip():
            raise Refused(f"the iSCSI {what}", "it has line breaks, control characters or blanks around it")
