"""Traces of calls by OpenTelemetry, sent to a collector when one is configured; else none of this is loaded.

Each call of a verb that waits is a span: the verb, who called, the flow id by which the log shows it, how it ended. A
collector that is away costs calls nothing: spans wait in a bounded queue and are dropped then.
Source: OpenTelemetry, OTLP over HTTP (POST /v1/traces), semantic conventions of RPC.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from ovis import __version__
from ovis.node.errors import NodeError
from ovis.wire.errors import RpcError
from ovis.wire.service import Caller

EXPORT_SECONDS = 5.0
QUEUE = 2048


class Tracing:
    """`endpoint`: URL of the collector, as http://collector:4318/v1/traces."""

    def __init__(self, endpoint: str, host: str) -> None:
        about = {"service.name": "ovisd", "service.version": __version__, "host.name": host}
        self._provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS)
        self._processor = BatchSpanProcessor(exporter, max_queue_size=QUEUE)
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("ovis.node")

    @contextmanager
    def span(self, method: str, flow: str, caller: Caller) -> Iterator[None]:
        attributes = {"rpc.system": "jsonrpc", "rpc.method": method, "ovis.flow": flow, "enduser.id": caller.name}
        with self._tracer.start_as_current_span(
            method,
            kind=SpanKind.SERVER,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except (NodeError, RpcError) as error:
                span.set_status(Status(StatusCode.ERROR, str(error)))
                raise

    def close(self) -> None:
        """Blocks until what waits was sent, at most EXPORT_SECONDS."""
        self._provider.force_flush(int(EXPORT_SECONDS * 1000))
        self._provider.shutdown()
