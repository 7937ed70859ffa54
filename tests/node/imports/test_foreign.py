import pytest

from ovis.node.errors import BadParameter
from ovis.node.imports import foreign
from ovis.node.imports.foreign import Way


@pytest.mark.parametrize(
    ("uri", "way"),
    [
        ("qemu:///system", Way.COPY),
        ("qemu+ssh://root@host/system?no_tty=1", Way.COPY),
        ("qemu+unix:///system?socket=/run/x/libvirt-sock", Way.COPY),
        ("test:///default", Way.COPY),
        ("vpx://dom%5cuser@vcenter/DC/Cluster/esxi?no_verify=1", Way.CONVERT),
        ("esx://root@[fe80::1]/?no_verify=1", Way.CONVERT),
        ("xen+ssh://root@host", Way.CONVERT),
    ],
)
def test_known_hypervisors_may_be_called(uri: str, way: Way) -> None:
    found = foreign.source(uri, "somebody", "geheim")
    assert found.way is way
    assert found.login.uri == uri
    assert "geheim" not in repr(found)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("qemu+ext://h/system?command=/tmp/evil", "transport 'ext'"),
        ("qemu+ssh://h/system?command=/tmp/evil", "option 'command'"),
        ("qemu+ssh://h/system?COMMAND=/tmp/evil", "option"),
        ("qemu+ssh://h/system?no_tty=1&netcat=evil", "option 'netcat'"),
        ("qemu+ssh://h/system?proxy=x", "option 'proxy'"),
        ("qemu+ssh://h/system?keyfile=/root/k", "option 'keyfile'"),
        ("qemu+ssh://-oProxyCommand=evil/system", "hyphen"),
        ("qemu+ssh://-x@h/system", "hyphen"),
        ("vpx://user:geheim@h/DC", "password does not belong"),
        ("test:///etc/passwd", "only test:///default"),
        ("lxc:///", "not supported"),
        ("file:///etc/passwd", "not supported"),
        ("", "not supported"),
        ("qemu://h/system\nx", "control characters"),
        ("qemu://[::1/system", "no address"),
        ("qemu://h:99999/system", "no address"),
    ],
)
def test_addresses_that_could_run_programs_or_leak_are_refused(uri: str, said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        foreign.source(uri, "", "")


def test_the_user_is_put_into_the_address_where_it_has_none() -> None:
    assert foreign.source("vpx://h/DC", "a\\b", "").login.uri == "vpx://a%5Cb@h/DC"
    assert foreign.source("vpx://c@h/DC", "a", "").login.uri == "vpx://c@h/DC"
    assert foreign.source("qemu:///system", "a", "").login.uri == "qemu:///system"
