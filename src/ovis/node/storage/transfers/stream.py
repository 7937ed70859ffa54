"""Small images over HTTP on the agent's own port, as engines move the archives of VM descriptions (OVF stores).

    GET  any path    Storage-Pool-Id, Storage-Domain-Id, Image-Id, [Volume-Id], Range: bytes=0-N
                     206, Task-Id, Content-Range: bytes 0-N, the first N + 1 bytes
    PUT  any path    the same ids, Content-Length
                     200, Task-Id, once the body is on storage
    400, 411: a header is wrong or missing; 500: storage failed, with the JSON {status: {code, message}}

Only the SPM's agent writes. A volume that a VM of this host writes to is refused. Bulk transfers are not for this door.
Source: reference/vdsm.md 1.7. Assumption: without Volume-Id the image's last volume is meant.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from ovis.node.errors import NodeError
from ovis.node.storage import arguments
from ovis.node.storage.formats.identifiers import ImageId, VolumeId, is_identifier
from ovis.node.storage.volumes import asked, reading
from ovis.node.storage.volumes.errors import CannotShrink
from ovis.node.wire_errors import code_of
from ovis.wire.routes import HttpRequest, HttpResponse, fault
from ovis.wire.service import Access

if TYPE_CHECKING:
    from ovis.node.node import Node
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.volumes.chain import Layer

REQUIRED = ("storage-pool-id", "storage-domain-id", "image-id")
LIMIT = 64 << 20
Work = Callable[["Node", HttpRequest], Awaitable[HttpResponse]]
_RANGE = re.compile(r"bytes=0-(\d{1,12})", re.ASCII)


class Refused(Exception):
    def __init__(self, status: HTTPStatus, problem: str) -> None:
        super().__init__(problem)
        self.status = status


async def download(node: Node, request: HttpRequest) -> HttpResponse:
    return await _answered(node, request, _download)


async def upload(node: Node, request: HttpRequest) -> HttpResponse:
    return await _answered(node, request, _upload)


async def _answered(node: Node, request: HttpRequest, work: Work) -> HttpResponse:
    try:
        _check(request)
        return await work(node, request)
    except Refused as refusal:
        return fault(refusal.status, str(refusal))
    except (NodeError, OSError) as error:
        name = error.wire_name if isinstance(error, NodeError) else "StorageException"
        body = msgspec.json.encode({"status": {"code": code_of(name), "message": str(error)}})
        return HttpResponse(HTTPStatus.INTERNAL_SERVER_ERROR, body, {"content-type": "application/json"})


def _check(request: HttpRequest) -> None:
    if Access.ADMINISTER not in request.caller.access:
        raise Refused(HTTPStatus.FORBIDDEN, "images are for who may administer this host")
    for name in (*REQUIRED, "volume-id"):
        value = request.headers.get(name, "")
        if (value or name in REQUIRED) and not is_identifier(value.lower()):
            raise Refused(HTTPStatus.BAD_REQUEST, f"header {name}: a UUID is needed")


async def _download(node: Node, request: HttpRequest) -> HttpResponse:
    wanted = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if wanted is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "header range: only bytes=0-N is served")
    length = int(wanted[1]) + 1
    if length > LIMIT:
        raise Refused(HTTPStatus.BAD_REQUEST, f"header range: at most {LIMIT} bytes at once")
    domain, image, volume = await _place(node, request)
    async with asked.using(node, domain.id, image, "HTTP download"):
        layer = await _layer(domain, image, volume)
        async with node.storage.prepared.active(domain, [layer]) as paths:
            data = await domain.io.read(paths[layer.id], size=length)
    headers = {
        "content-type": "application/octet-stream",
        "content-range": f"bytes 0-{max(len(data) - 1, 0)}",
        "task-id": str(uuid.uuid4()),
    }
    return HttpResponse(HTTPStatus.PARTIAL_CONTENT, data, headers)


async def _upload(node: Node, request: HttpRequest) -> HttpResponse:
    if "content-length" not in request.headers:
        raise Refused(HTTPStatus.LENGTH_REQUIRED, "header content-length is needed")
    domain, image, volume = await _place(node, request)
    async with asked.changing(node, request.headers["storage-pool-id"], domain, image, "HTTP upload"):
        layer = await _layer(domain, image, volume)
        asked.require_unused(node, domain.id, image, [layer.id])
        if len(request.body) > layer.metadata.capacity:
            raise CannotShrink(f"volume {layer.id}", f"has {layer.metadata.capacity} bytes, {len(request.body)} came")
        async with node.storage.prepared.active(domain, [layer]) as paths:
            await domain.io.write(paths[layer.id], request.body)
    return HttpResponse(HTTPStatus.OK, b"", {"task-id": str(uuid.uuid4())})


async def _place(node: Node, request: HttpRequest) -> tuple[Domain, ImageId, VolumeId | None]:
    headers = request.headers
    pool = asked.connected(node, headers["storage-pool-id"])
    domain = await asked.active_domain(node, pool, headers["storage-domain-id"])
    return domain, arguments.image(headers["image-id"]), arguments.volume_or_none(headers.get("volume-id"))


async def _layer(domain: Domain, image: ImageId, volume: VolumeId | None) -> Layer:
    """What is read and written raw: a description's archive, no guest's disk."""
    layer = await reading.layer(domain, image, volume) if volume else (await reading.image(domain, image)).leaf()
    if layer.qemu_format != "raw" or layer.is_template:
        raise Refused(HTTPStatus.BAD_REQUEST, f"volume {layer.id} is not raw, or a template")
    return layer
