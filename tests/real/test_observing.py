"""Metrics and health of a real agent over HTTP, on its Unix socket and on its TLS port with a certificate."""

import http.client
import json
import socket
import ssl
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovis.client import types
from ovis.wire import certificates
from tests.real.agent_process import AgentProcess
from tests.real.migration_pair import until


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    certificates.ensure(tmp_path / "pki", names=["127.0.0.1"])
    configuration = tmp_path / "ovisd.toml"
    configuration.write_text(f"""\
run_folder = "{tmp_path}/run"
state_folder = "{tmp_path}/state"
[listen]
address = "127.0.0.1"
port = 0
[tls]
folder = "{tmp_path}/pki"
[hypervisor]
uri = "simulated:"
[vms]
sample_seconds = 1
""")
    agent = AgentProcess(tmp_path, configuration)
    agent.start()
    yield agent
    agent.stop()


def get(connection: http.client.HTTPConnection, path: str) -> tuple[int, str, str]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.getheader("content-type") or "", answer.read().decode()


class LocalConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))


def test_metrics_and_health(agent: AgentProcess, tmp_path: Path) -> None:
    vm_id = str(uuid.uuid4())
    with agent.client() as node:
        node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, vm_name="web", mem_size=64 << 20))
    line = f'ovis_vm_cpu_seconds_total{{id="{vm_id}"}} '
    until("it is measured", lambda: line in get(LocalConnection(agent.socket), "/metrics")[2])
    status, kind, page = get(LocalConnection(agent.socket), "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert f'ovis_vm_info{{id="{vm_id}",name="web",status="' in page
    status, kind, text = get(LocalConnection(agent.socket), "/health")
    assert (status, kind, json.loads(text)) == (200, "application/json", {"health": "ok", "findings": []})


def test_over_tls_only_with_a_certificate(agent: AgentProcess, tmp_path: Path) -> None:
    port = listening_port(agent)
    context = ssl.create_default_context(cafile=str(tmp_path / "pki/ca.pem"))
    with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
        get(http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20), "/metrics")
    context.load_cert_chain(tmp_path / "pki/node.pem", tmp_path / "pki/node-key.pem")
    status, _, page = get(http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20), "/metrics")
    assert (status, "ovis_agent_ready 1" in page) == (200, True)


def listening_port(agent: AgentProcess) -> int:
    assert agent.process is not None
    command = ["ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
    (mine,) = [row for row in listed.splitlines() if f"pid={agent.process.pid}," in row]
    return int(mine.split()[3].rpartition(":")[2])
