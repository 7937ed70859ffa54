"""A real agent tells a collector of its calls over OTLP, and does not mind when there is none."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ovis.wire.errors import RpcError
from tests.real.agent_process import AgentProcess
from tests.real.migration_pair import until

trace_service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")


class Collector(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.spans: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/traces"


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        import gzip

        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        told = trace_service.ExportTraceServiceRequest.FromString(body)
        self.server.spans += [
            span for resource in told.resource_spans for scope in resource.scope_spans for span in scope.spans
        ]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def collector() -> Iterator[Collector]:
    server = Collector()
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield server
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def agent(folder: Path, endpoint: str) -> AgentProcess:
    configuration = folder / "ovisd.toml"
    configuration.write_text(f"""\
run_folder = "{folder}/run"
state_folder = "{folder}/state"
[listen]
address = ""
[hypervisor]
uri = "simulated:"
[tracing]
endpoint = "{endpoint}"
""")
    return AgentProcess(folder, configuration)


def test_calls_are_told_with_their_flow_and_how_they_ended(tmp_path: Path) -> None:
    with collector() as server:
        running = agent(tmp_path, server.url)
        running.start()
        with running.client() as node:
            node.host.get_capabilities()
            with pytest.raises(RpcError, match="policy"):
                node.host.set_mom_policy("(")
        running.stop()
        spans = {span.name: span for span in server.spans}
    refused, asked = spans["Host.setMOMPolicy"], spans["Host.getCapabilities"]
    assert refused.status.code == 2
    assert "is not closed" in refused.status.message
    assert asked.status.code == 0
    attributes = {one.key: one.value.string_value for one in asked.attributes}
    assert attributes["rpc.method"] == "Host.getCapabilities"
    assert attributes["ovis.flow"]
    assert asked.end_time_unix_nano > asked.start_time_unix_nano


def test_a_collector_that_is_away_costs_nothing(tmp_path: Path) -> None:
    running = agent(tmp_path, "http://127.0.0.1:1/v1/traces")
    running.start()
    with running.client() as node:
        until("it answers", lambda: node.host.get_capabilities())
    assert running.stop() < 15
