from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from ovis.shell.failures import Failure
from ovis.shell.talk import split_host
from ovis.wire.certificates import ensure


@pytest.mark.parametrize(
    ("given", "name", "port"),
    [("h", "h", 54321), ("h:1", "h", 1), ("::1", "::1", 54321), ("[::1]:2", "::1", 2), ("[::1]", "::1", 54321)],
)
def test_hosts_with_and_without_port(given: str, name: str, port: int) -> None:
    assert split_host(given) == (name, port)


@pytest.mark.parametrize("given", ["", ":5", "h:x", "h:0", "h:70000"])
def test_what_is_no_host_is_refused(given: str) -> None:
    with pytest.raises(Failure, match="HOST"):
        split_host(given)


def test_a_missing_socket_tells_how_to_look(run: Any) -> None:
    ended = run("node", "Host", "ping2")
    assert ended.code == 3
    assert "there is no such socket" in ended.err
    assert "systemctl status ovisd" in ended.err


def test_a_socket_nobody_listens_at(run: Any, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    ended = run("node", "--socket", str(tmp_path / "dead.sock"), "Host", "ping2")
    assert ended.code == 3
    assert "refused" in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_socket_without_permission_is_denied(agent: Any, run: Any) -> None:
    os.chmod(agent.socket, 0o600)
    run("node", "Host", "ping2")  # loads what the other user may not read
    os.seteuid(65534)
    try:
        ended = run("node", "--socket", agent.socket, "Host", "ping2")
    finally:
        os.seteuid(0)
    assert ended.code == 5
    assert f"Access to {agent.socket} is denied" in ended.err


def test_tls_with_the_administrators_certificate(tls_agent: Any, run: Any) -> None:
    ended = run("node", "--host", f"127.0.0.1:{tls_agent.port}", "--pki", str(tls_agent.pki), "Host", "ping2")
    assert (ended.code, ended.out) == (0, "true\n")


def test_missing_certificates_are_named(tls_agent: Any, run: Any, tmp_path: Path) -> None:
    ended = run("node", "--host", f"127.0.0.1:{tls_agent.port}", "--pki", str(tmp_path / "none"), "Host", "ping2")
    assert ended.code == 3
    assert f"Cannot read {tmp_path}/none/admin-key.pem: No such file" in ended.err


def test_an_agent_of_another_ca_is_not_accepted(tls_agent: Any, run: Any, tmp_path: Path) -> None:
    ensure(tmp_path / "other")
    ended = run("node", "--host", f"127.0.0.1:{tls_agent.port}", "--pki", str(tmp_path / "other"), "Host", "ping2")
    assert ended.code == 3
    assert "is not accepted" in ended.err
    assert "Is " in ended.err


def test_a_certificate_that_the_agent_refuses_is_suspected(tls_agent: Any, run: Any, tmp_path: Path) -> None:
    """Our CA file is right, our own certificate is of another CA. Whether TLS tells why depends on the agent."""
    other = tmp_path / "other"
    ensure(other)
    (other / "ca.pem").write_bytes((tls_agent.pki / "ca.pem").read_bytes())
    ended = run("node", "--host", f"127.0.0.1:{tls_agent.port}", "--pki", str(other), "Host", "ping2")
    assert ended.code in {3, 5}
    assert "certificate" in ended.err


def test_a_name_that_the_certificate_lacks(tls_agent: Any, run: Any) -> None:
    ended = run("node", "--host", f"127.0.0.2:{tls_agent.port}", "--pki", str(tls_agent.pki), "Host", "ping2")
    assert ended.code == 3


def test_a_host_that_closes_is_no_connection(tls_agent: Any, run: Any) -> None:
    ended = run("node", "--host", "127.0.0.1:1", "--pki", str(tls_agent.pki), "Host", "ping2")
    assert ended.code == 3
    assert "refused" in ended.err
