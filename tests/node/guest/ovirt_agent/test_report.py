from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovis.node.guest.facts import (
    GuestContainer,
    GuestFacts,
    GuestInterface,
    GuestMemory,
    GuestMount,
    GuestTimezone,
    Session,
)
from ovis.node.guest.merging import merged
from ovis.node.guest.ovirt_agent.protocol import Message
from ovis.node.guest.ovirt_agent.report import LESSONS, learn

CARD = {"name": "eth0", "hw": "52:54:00:00:00:01", "inet": ["192.0.2.1", "no"]}
DISK = {"path": "/", "fs": "ext4", "total": "10", "used": 5}


def told(*messages: tuple[str, dict[str, Any]]) -> GuestFacts:
    facts = GuestFacts()
    for name, body in messages:
        facts = learn(facts, Message(name, body))
    return facts


def test_what_an_agent_tells_becomes_facts() -> None:
    facts = told(
        ("heartbeat", {"free-ram": "12", "memory-stat": {"mem_total": 2048, "mem_unused": "1024"}, "apiVersion": 3}),
        ("host-name", {"name": "tiny"}),
        ("fqdn", {"fqdn": "tiny.example.org"}),
        ("applications", {"applications": ["kernel-6.1", 7, "vim"]}),
        ("number-of-cpus", {"count": 4}),
        (
            "containers",
            {"list": [{"id": "c1", "names": ["web"], "image": "nginx", "command": "run", "status": "Up"}, 7]},
        ),
        ("timezone", {"zone": "Europe/Berlin", "offset": 60}),
        ("network-interfaces", {"interfaces": [CARD]}),
        ("disks-usage", {"disks": [DISK], "mapping": {"s1": {"name": "/dev/vda"}}}),
        ("os-info", {"type": "linux", "distribution": "Debian", "version": "12", "kernel": "6.1", "arch": "x86_64"}),
    )
    assert facts.memory == GuestMemory(2 << 20, 1 << 20)
    assert (facts.host_name, facts.fqdn, facts.cpus) == ("tiny", "tiny.example.org", 4)
    assert facts.applications == ("kernel-6.1", "vim")
    assert facts.containers == (GuestContainer("c1", ("web",), "nginx", "run", "Up"),)
    assert facts.timezone == GuestTimezone("Europe/Berlin", 3600)
    assert facts.interfaces == (GuestInterface("eth0", "52:54:00:00:00:01", ("192.0.2.1",), ()),)
    assert (facts.mounts, facts.disks) == ((GuestMount("/", "ext4", 10, 5),), (("s1", "/dev/vda"),))
    assert facts.os is not None
    assert (facts.os.kind, facts.os.kernel) == ("linux", "6.1")


@pytest.mark.parametrize(
    ("message", "session"),
    [
        ("session-logon", Session.USER_LOGGED_ON),
        ("session-lock", Session.LOCKED),
        ("session-unlock", Session.ACTIVE),
        ("session-logoff", Session.LOGGED_OFF),
    ],
)
def test_session_follows_the_desktop(message: str, session: Session) -> None:
    assert told((message, {})).session is session


def test_user_is_gone_after_logging_off_and_after_a_boot() -> None:
    for last in ("session-logoff", "session-startup"):
        facts = told(("active-user", {"name": "me@there"}), ("session-logon", {}), (last, {}))
        assert not facts.users
    assert told(("active-user", {"name": "None"})).users == ()


def test_unknown_message_changes_nothing() -> None:
    assert told(("fqdn", {"fqdn": "a"}), ("something", {"x": 1})) == told(("fqdn", {"fqdn": "a"}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = ("name", "fqdn", "version", "zone", "offset", "interfaces", "applications", "disks", "mapping", "count",
           "memory-stat", "mem_total", "inet", "type")  # fmt: skip


@given(st.sampled_from(sorted(LESSONS)), st.dictionaries(st.sampled_from(MEMBERS), json_values))
def test_no_values_break_it(name: str, body: dict[str, Any]) -> None:
    facts = told((name, body))
    assert all(hasattr(facts, field.name) for field in fields(GuestFacts))
    assert facts.addresses == facts.addresses


def test_both_agents_make_one_picture() -> None:
    qemu = GuestFacts(host_name="qemu", users=("root",), agent_version="7.2")
    ovirt = GuestFacts(host_name="ovirt", users=("me",), applications=("vim",), session=Session.LOCKED)
    both = merged(qemu, ovirt)
    assert both is not None
    assert (both.host_name, both.users, both.applications, both.session) == ("qemu", ("me",), ("vim",), Session.LOCKED)
    assert both.agent_version == "7.2"
    assert merged(qemu, None) is qemu
    assert merged(None, ovirt) is ovirt
    assert merged(None, None) is None
