"""GET /metrics and GET /health on the agent's own port, for who may observe the host.

Their modules are loaded by the first who asks.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from ovis.wire.routes import Handler, HttpRequest, HttpResponse, Routes, fault
from ovis.wire.service import Access

if TYPE_CHECKING:
    from ovis.node.node import Node


def routes(node: Node) -> Routes:
    return {("GET", "/metrics"): _for_observers(node, _metrics), ("GET", "/health"): _for_observers(node, _health)}


def _for_observers(node: Node, answer: Callable[[Node], HttpResponse]) -> Handler:
    async def handle(request: HttpRequest) -> HttpResponse:
        if Access.OBSERVE not in request.caller.access:
            return fault(HTTPStatus.FORBIDDEN, f"{request.caller.name} may not observe this host")
        return answer(node)

    return handle


def _metrics(node: Node) -> HttpResponse:
    from ovis.node.observing import exposition, metrics

    return HttpResponse(HTTPStatus.OK, metrics.page(node).encode(), {"content-type": exposition.CONTENT_TYPE})


def _health(node: Node) -> HttpResponse:
    import msgspec

    from ovis.node.observing.health import Health, report

    found = report(node)
    status = HTTPStatus.SERVICE_UNAVAILABLE if found.health == Health.FAILING.name.lower() else HTTPStatus.OK
    return HttpResponse(status, msgspec.json.encode(found), {"content-type": "application/json"})
