"""Fence agents are real programs here: a script that keeps a machine's power in a file."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ovis.client.types import FencingPolicy
from ovis.client.verbs import HostFenceNodeArgs
from ovis.node.errors import BadParameter, NodeError
from ovis.node.host.fencing import ChangeUnderWay, Fencing, StatusFailed, UnsupportedAgent

DOMAIN = "6ff51a52-0e22-4e2a-9e0e-9f6a0c2d6d0a"
SECRET = "s3cret word"
AGENT = """\
#!/bin/sh
cd "$(dirname "$0")" || exit 1
cat > asked
grep -q action=metadata asked && { cat metadata; exit 0; }
mv asked told
tr '\\0' '\\n' < /proc/$$/cmdline > arguments
. ./answer
case "$(sed -n 's/^action=//p' told)" in
    status) [ "$(cat power)" = on ] && exit 0; echo "Status: OFF"; exit 2 ;;
    on) echo on > power ;;
    off|reboot) echo off > power ;;
esac
"""


@pytest.fixture
def agents(tmp_path: Path) -> Path:
    (tmp_path / "fence_toy").write_text(AGENT)
    (tmp_path / "fence_toy").chmod(0o755)
    (tmp_path / "power").write_text("on\n")
    (tmp_path / "answer").write_text("")
    (tmp_path / "metadata").write_text("")
    return tmp_path


def call(**changed: Any) -> HostFenceNodeArgs:
    usual = {"addr": "bmc1", "port": 623, "agent": "toy", "username": "admin", "password": SECRET, "action": "status"}
    return msgspec.convert(usual | changed, HostFenceNodeArgs)


async def unknown(domain: str, host_id: int) -> bool | None:
    return None


def fenced(agents: Path, test: Callable[[Fencing], Awaitable[Any]], renews: Any = unknown, **seconds: float) -> Any:
    async def main() -> Any:
        fencing = Fencing(agents, renews, **seconds)
        try:
            async with asyncio.timeout(60):
                return await test(fencing)
        finally:
            await fencing.close()

    return asyncio.run(main())


def power(agents: Path) -> str:
    return (agents / "power").read_text().strip()


@pytest.mark.parametrize("now", ["on", "off"])
def test_status_is_what_the_controller_says(agents: Path, now: str) -> None:
    (agents / "power").write_text(now)
    assert fenced(agents, lambda f: f.fence(call())).power.value == now


@pytest.mark.parametrize(
    ("script", "seen"),
    [
        ("echo 'Parse error: no such option' >&2; exit 2", "unknown"),
        ("exit 2", "off"),
        ("echo 'Unable to connect' >&2; exit 1", "unknown"),
        ("kill -9 $$", "unknown"),
    ],
)
def test_a_machine_is_off_only_when_its_agent_says_so(agents: Path, script: str, seen: str) -> None:
    (agents / "answer").write_text(script)
    assert fenced(agents, lambda f: f.fence(call())).power.value == seen


def test_change_is_begun_and_seen_by_status(agents: Path) -> None:
    async def test(fencing: Fencing) -> None:
        done = await fencing.fence(call(action="off"))
        assert done.operation_status.value == "initiated"
        assert done.power.value == "unknown"
        await fencing.settled()
        assert power(agents) == "off"
        assert (await fencing.fence(call())).power.value == "off"
        await fencing.fence(call(action="on"))
        await fencing.settled()

    fenced(agents, test)
    assert power(agents) == "on"


def test_agent_is_told_on_standard_input_alone(agents: Path) -> None:
    fenced(agents, lambda f: f.fence(call(secure=True, options="port=7,ssh_options=-o A=1,B=2,lanplus")))
    assert (agents / "told").read_text().splitlines() == [
        *("action=status", "ipaddr=bmc1", "login=admin", f"passwd={SECRET}", "ipport=623", "secure=1", "ssl=1"),
        *("port=7", "ssh_options=-o A=1", "B=2", "lanplus=1"),
    ]
    assert SECRET not in (agents / "arguments").read_text()


def test_agent_that_says_what_it_knows_is_told_nothing_else(agents: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = ("action", "ip", "username", "plug", "ssl", "status-file")
    (agents / "metadata").write_text("".join(f'<parameter name="{name}" unique="0">' for name in names))
    fenced(agents, lambda f: f.fence(call(secure=True, options="plug=7,community=other,status_file=x")))
    assert (agents / "told").read_text().splitlines() == [
        *("action=status", "ip=bmc1", "username=admin", "ssl=1", "plug=7", "status_file=x"),
    ]
    assert "community" in caplog.text
    assert "other" not in caplog.text


def test_options_in_lines_keep_their_commas(agents: Path) -> None:
    fenced(agents, lambda f: f.fence(call(port=0, password="", options="port=7\nssh_options=-o A=1,B=2\n")))
    assert (agents / "told").read_text().splitlines()[3:] == ["port=7", "ssh_options=-o A=1,B=2"]


@pytest.mark.parametrize("action", ["status", "off"])
def test_passwords_are_in_no_log(agents: Path, action: str, caplog: pytest.LogCaptureFixture) -> None:
    (agents / "answer").write_text("cat told >&2; exit 1")

    async def test(fencing: Fencing) -> None:
        await fencing.fence(call(action=action, options="snmp_priv_passwd=other"))
        await fencing.settled()

    with caplog.at_level(logging.DEBUG):
        fenced(agents, test)
    assert "********" in caplog.text
    assert SECRET not in caplog.text
    assert "other" not in caplog.text


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"addr": "bmc1\naction=off"}, "addr"),
        ({"addr": " "}, "addr"),
        ({"username": "a\nb"}, "username"),
        ({"password": f"{SECRET}\naction=off"}, "password"),
        ({"options": "action=off"}, "options"),
        ({"options": "Action=off"}, "options"),
        ({"options": "port=1\rx"}, "options"),
        ({"options": "debug_file=/etc/passwd"}, "options"),
        ({"options": "debug-file=/etc/passwd"}, "options"),
        ({"options": f"{SECRET}"}, "options"),
    ],
)
def test_what_would_say_something_else_is_refused(agents: Path, given: dict[str, str], field: str) -> None:
    with pytest.raises(BadParameter) as refused:
        fenced(agents, lambda f: f.fence(call(**given)))
    assert refused.value.field == field
    assert SECRET not in str(refused.value)
    assert not (agents / "told").exists()


@pytest.mark.parametrize("agent", ["nothing", "../fence_toy", "toy/../toy", "", "toy\n", "plain"])
def test_agents_that_are_not_there_are_told(agents: Path, agent: str) -> None:
    (agents / "fence_plain").write_text("no program")
    with pytest.raises(UnsupportedAgent):
        fenced(agents, lambda f: f.fence(call(agent=agent)))


@pytest.mark.parametrize(("seen", "outcome"), [(True, "skipped"), (False, "initiated"), (None, "initiated")])
def test_machine_that_renews_its_lease_is_spared(agents: Path, seen: bool | None, outcome: str) -> None:
    asked = []

    async def renews(domain: str, host_id: int) -> bool | None:
        asked.append((domain, host_id))
        return seen

    async def test(fencing: Fencing) -> None:
        policy = FencingPolicy(storage_domain_host_id_map={DOMAIN: 3})
        assert (await fencing.fence(call(action="off", policy=policy))).operation_status.value == outcome
        await fencing.settled()

    fenced(agents, test, renews)
    assert asked == [(DOMAIN, 3)]
    assert power(agents) == ("on" if seen else "off")


def test_leases_that_cannot_be_read_prevent_nothing(agents: Path) -> None:
    async def renews(domain: str, host_id: int) -> bool | None:
        raise NodeError("sanlock does not run")

    policy = FencingPolicy(storage_domain_host_id_map={DOMAIN: 3})
    done = fenced(agents, lambda f: f.fence(call(action="off", policy=policy)), renews)
    assert done.operation_status.value == "initiated"


def test_conditions_of_gluster_are_not_passed_over(agents: Path) -> None:
    policy = FencingPolicy(skip_fencing_if_gluster_bricks_up=True)
    with pytest.raises(BadParameter):
        fenced(agents, lambda f: f.fence(call(action="off", policy=policy)))
    assert power(agents) == "on"


def test_one_change_at_a_time_for_a_machine(agents: Path) -> None:
    (agents / "answer").write_text("echo >> runs; while [ ! -e go ]; do sleep 0.05; done")

    async def test(fencing: Fencing) -> None:
        for _ in range(2):
            await fencing.fence(call(action="off"))
        with pytest.raises(ChangeUnderWay):
            await fencing.fence(call(action="on"))
        (agents / "go").touch()
        await fencing.settled()

    fenced(agents, test)
    assert (agents / "runs").read_text() == "\n"
    assert power(agents) == "off"


def test_agent_that_hangs_is_ended(agents: Path) -> None:
    (agents / "answer").write_text("sleep 600")

    async def test(fencing: Fencing) -> None:
        with pytest.raises(StatusFailed):
            await fencing.fence(call())
        await fencing.fence(call(action="off"))
        await fencing.settled()

    fenced(agents, test, status_seconds=0.5, change_seconds=0.5)
    assert power(agents) == "on"


@pytest.mark.skipif(not Path("/usr/sbin/fence_dummy").exists(), reason="the package fence-agents is not installed")
def test_agent_of_the_distribution(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("on")
    dummy = {"agent": "dummy", "options": f"status_file={tmp_path}/status"}

    async def test(fencing: Fencing) -> None:
        assert (await fencing.fence(call(**dummy))).power.value == "on"
        await fencing.fence(call(action="off", **dummy))
        await fencing.settled()
        assert (await fencing.fence(call(**dummy))).power.value == "off"

    fenced(Path("/usr/sbin"), test)
