"""What storage offers over plain HTTP; its modules are loaded by the first request that is meant for them."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING

from ovis.wire.routes import Handler, HttpRequest, HttpResponse, Routes, fault

if TYPE_CHECKING:
    from ovis.node.node import Node

MODULE = "ovis.node.storage.transfers.stream"
MARK = "image-id"
"""The header by which such a request is known; its path may be any."""


def routes(node: Node) -> Routes:
    return {("GET", "*"): _loading(node, "download"), ("PUT", "*"): _loading(node, "upload")}


def _loading(node: Node, name: str) -> Handler:
    async def answer(request: HttpRequest) -> HttpResponse:
        if not any(header.startswith("storage-") or header == MARK for header in request.headers):
            return fault(HTTPStatus.NOT_FOUND, "There is nothing here; JSON-RPC is a POST to /jsonrpc")
        module = await asyncio.to_thread(import_module, MODULE)
        response: HttpResponse = await getattr(module, name)(node, request)
        return response

    return answer
