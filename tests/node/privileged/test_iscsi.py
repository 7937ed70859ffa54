"""What iscsiadm is asked, and where the secrets are meanwhile."""

import asyncio
from pathlib import Path, PurePosixPath

import pytest
from programs import inside, put

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.iscsi import Credentials, DiscoverTargets, LogIn, LogOut, Portal, SetInterface
from ovis.node.privileged.protocol import CommandResult, Request, Secret
from ovis.node.privileged.rules import Rules

TARGET = "iqn.2024-01.test:t1"
PORTAL = Portal("10.0.0.1")
CHAP = Credentials("me", Secret("very secret"))
RECORD = f"nodes/{TARGET}/10.0.0.1,3260,1/default"

# makes and deletes records as the real one does, and writes down each of its command lines
ISCSIADM = """
echo "$@" >> {log}
case "$*" in
*"-m discoverydb"*"-o new") d={db}/send_targets/10.0.0.1,3260; f=st_config;;
*"-m node"*"-o new") d={db}/nodes/$4/10.0.0.1,3260,1; f=default;;
*"-m iface"*"-o new") d={db}/ifaces; f=$4;;
*"-m discoverydb"*"-o delete") rm -r {db}/send_targets; exit 0;;
*"-m node"*"-o delete") rm -r {db}/nodes; exit 0;;
*"-D -o nonpersistent") cp {db}/send_targets/*/st_config {seen}; echo "10.0.0.1:3260,1 {target}"; exit 0;;
*--login) cp {db}/nodes/*/*/default {seen}; exit {status};;
*) exit 0;;
esac
mkdir -p $d; printf '# BEGIN RECORD\\nnode.startup = automatic\\nnode.name = x\\n# END RECORD\\n' > $d/$f
"""


@pytest.fixture
def host(tmp_path: Path, programs: Path) -> "Host":
    return Host(tmp_path, programs)


class Host:
    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs = folder, programs
        self.records, self.log, self.seen = folder / "iscsi", folder / "log", folder / "seen"
        self.login_ends_with(0)

    def login_ends_with(self, status: int) -> None:
        script = ISCSIADM.format(log=self.log, db=self.records, seen=self.seen, status=status, target=TARGET)
        put(self.programs, "iscsiadm", script)

    def call(self, request: Request[CommandResult]) -> CommandResult:
        rules = Rules(PurePosixPath(self.folder), 0, 0, iscsi_records=(PurePosixPath(self.records),))

        async def main() -> CommandResult:
            async with inside(rules) as privileged:
                return await privileged.call(request)

        return asyncio.run(main())


def log_in(**changed: object) -> LogIn:
    return LogIn(**{"target": TARGET, "portal": PORTAL, **changed})  # type: ignore[arg-type]


def test_secrets_are_in_the_record_and_never_in_arguments(host: Host) -> None:
    assert host.call(log_in(credentials=CHAP)).ok
    assert "secret" not in host.log.read_text()
    assert host.seen.read_text().splitlines() == [
        "# BEGIN RECORD",
        "node.name = x",
        "node.startup = manual",
        "node.session.initial_login_retry_max = 2",
        "node.conn[0].timeo.login_timeout = 10",
        "node.session.auth.authmethod = CHAP",
        "node.session.auth.username = me",
        "node.session.auth.password = very secret",
        "# END RECORD",
    ]
    assert (host.records / RECORD).stat().st_mode & 0o777 == 0o600


def test_a_later_login_uses_the_record_or_clears_it(host: Host) -> None:
    host.call(log_in(credentials=CHAP))
    host.call(log_in(recorded=True))
    assert "password = very secret" in host.seen.read_text()
    host.call(log_in())
    assert "authmethod = None" in host.seen.read_text()
    assert "secret" not in host.seen.read_text()


@pytest.mark.parametrize(("status", "stays"), [(0, True), (15, True), (24, False), (8, False)])
def test_a_failed_login_leaves_no_record(host: Host, status: int, stays: bool) -> None:
    host.login_ends_with(status)
    assert host.call(log_in(credentials=CHAP)).status == status
    assert (host.records / RECORD).exists() == stays


def test_a_failed_login_keeps_a_record_of_before(host: Host) -> None:
    host.call(log_in(credentials=CHAP))
    host.login_ends_with(8)
    host.call(log_in(recorded=True))
    assert (host.records / RECORD).exists()


def test_logging_out_removes_the_record(host: Host) -> None:
    host.call(log_in())
    assert host.call(LogOut(target=TARGET, portal=PORTAL)).ok
    assert not (host.records / RECORD).exists()


def test_discovery_leaves_no_record(host: Host) -> None:
    result = host.call(DiscoverTargets(portal=PORTAL, credentials=CHAP))
    assert result.output.decode() == f"10.0.0.1:3260,1 {TARGET}\n"
    assert "discovery.sendtargets.auth.password = very secret" in host.seen.read_text()
    assert "secret" not in host.log.read_text()
    assert not (host.records / "send_targets").exists()


def test_an_interface_is_made_once(host: Host) -> None:
    for _ in range(2):
        assert host.call(SetInterface(name="storage", network_device="eth1")).ok
    lines = host.log.read_text().splitlines()
    assert [line.split()[5] for line in lines] == ["new", "update", "update"]


@pytest.mark.parametrize(
    "request_",
    [
        log_in(target="iqn.x/../../etc"),
        log_in(target="-x"),
        log_in(target="iqn.a..b"),
        log_in(portal=Portal("host;reboot")),
        log_in(portal=Portal("h", 0)),
        log_in(interface="../x"),
        log_in(credentials=Credentials("me\nnode.x = y", Secret("p"))),
        log_in(credentials=Credentials("me", Secret("a\nb"))),
        SetInterface(name="a/b", network_device="eth1"),
    ],
)
def test_what_is_no_name_is_refused(host: Host, request_: Request[CommandResult]) -> None:
    with pytest.raises(Refused):
        host.call(request_)


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(log_in(credentials=CHAP))
