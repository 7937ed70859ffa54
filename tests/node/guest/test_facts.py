from typing import Any

import pytest

from ovis.node.guest import facts


def test_linux_is_described() -> None:
    system = facts.operating_system(
        {
            "id": "debian", "name": "Debian GNU/Linux", "pretty-name": "Debian GNU/Linux 12 (bookworm)",
            "version": "12 (bookworm)", "version-id": "12", "kernel-release": "6.1.0", "machine": "x86_64",
        }
    )  # fmt: skip
    assert system == facts.GuestOs(
        "linux", "Debian GNU/Linux", "12", "bookworm", "6.1.0", "x86_64", "Debian GNU/Linux 12 (bookworm)"
    )


def test_windows_is_described() -> None:
    answer = {
        "id": "mswindows",
        "name": "Microsoft Windows",
        "pretty-name": "Windows Server 2022",
        "version-id": "2022",
    }
    system = facts.operating_system(answer)
    assert system is not None
    assert (system.kind, system.name, system.version) == ("windows", "Windows Server 2022", "2022")


def test_addresses_of_others_reach_the_guest_not_loop_nor_link() -> None:
    cards = facts.interfaces(
        [
            {"name": "lo", "ip-addresses": [{"ip-address": "127.0.0.1"}, {"ip-address": "::1"}]},
            {
                "name": "eth0",
                "hardware-address": "52:54:00:00:00:01",
                "ip-addresses": [
                    {"ip-address": "192.0.2.7"},
                    {"ip-address": "fe80::1%eth0"},
                    {"ip-address": "2001:db8::7"},
                    {"ip-address": "not an address"},
                ],
            },
        ]
    )
    assert cards[1] == facts.GuestInterface("eth0", "52:54:00:00:00:01", ("192.0.2.7",), ("fe80::1", "2001:db8::7"))
    assert facts.GuestFacts(interfaces=cards).addresses == ("192.0.2.7", "2001:db8::7")


def test_users_are_named_once_with_their_domain() -> None:
    answer = [{"user": "root"}, {"user": "root"}, {"user": "ann", "domain": "EXAMPLE"}, {"login-time": 1}]
    assert facts.users(answer) == ("root", "ann@EXAMPLE")


def test_mounts_without_a_size_are_left_out() -> None:
    answer = [
        {"mountpoint": "/", "type": "ext4", "total-bytes": 100, "used-bytes": 40, "disk": []},
        {"mountpoint": "/old", "type": "ext4", "disk": []},
    ]
    assert facts.mounts(answer) == (facts.GuestMount("/", "ext4", 100, 40),)


def test_disks_are_known_by_their_serial() -> None:
    mounts = [{"mountpoint": "/", "disk": [{"serial": "abc", "dev": "/dev/vda1"}]}]
    whole = [
        {"name": "/dev/vda", "partition": False, "address": {"serial": "abc"}},
        {"name": "/dev/vda1", "partition": True, "address": {"serial": "abc"}},
    ]
    assert facts.disks(mounts) == (("abc", "/dev/vda1"),)
    assert facts.disks(whole) == (("abc", "/dev/vda"),)


def test_only_enabled_commands_are_used() -> None:
    answer = {
        "version": "7.2.0",
        "supported_commands": [{"name": "a", "enabled": True}, {"name": "b", "enabled": False}],
    }
    assert facts.commands(answer) == ("7.2.0", frozenset({"a"}))


def test_text_is_cleaned_and_shortened() -> None:
    assert facts.clean("a\x1b[31m\nb\0\u202ec") == "a[31mbc"
    assert len(facts.clean("x" * 10**6)) == facts.TEXT


HOSTILE: list[Any] = [
    None, 0, -1, 1e300, True, "text", [], {}, [None], [[]], [{}], [{"name": {}}], {"offset": "x", "zone": 5},
    {"host-name": ["x"]}, [{"ip-addresses": "x", "name": 7}], [{"ip-addresses": [{"ip-address": 5}]}],
    [{"disk": [5], "total-bytes": -5, "used-bytes": 1 << 80, "mountpoint": None}],
    [{"name": "n" * 100_000, "ip-addresses": [{"ip-address": "10.0.0.1"}] * 10_000}] * 10_000,
    [{"user": "u" * 1000}] * 100_000, [{"partition": False, "address": "x"}], [{"online": "yes"}],
]  # fmt: skip
READERS = [
    facts.commands, facts.host_name, facts.operating_system, facts.timezone, facts.interfaces, facts.users,
    facts.mounts, facts.disks, facts.cpus,
]  # fmt: skip


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_guest_says_stays_small_and_does_no_harm(read: Any, answer: Any) -> None:
    assert len(repr(read(answer))) < 300_000
