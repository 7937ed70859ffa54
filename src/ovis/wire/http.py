"""HTTP/1.1 on one connection (h11): JSON-RPC by POST to `/` or `/jsonrpc`, WebSocket at `/ws`, routes and tunnels.

A JSON-RPC body needs `Content-Type: application/json`: a browser cannot send that to another site without asking first
(CORS preflight, which is never granted here), so a web page cannot use the certificate of the person who looks at it.
Answers are 200 with the JSON-RPC response, also when that is an error; 204 when there is nothing to answer.

Routes (`routes`) are the door for what is not JSON-RPC (REST, OVF transfer).
Requests of one connection are answered in order, one at a time. A WebSocket at another path is a tunnel (`tunnel`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from ovis.wire.dispatch import Dispatcher
from ovis.wire.errors import ProtocolError, TooLarge
from ovis.wire.routes import Handler, HttpRequest, HttpResponse, Opener, fault

if TYPE_CHECKING:
    from ovis.wire.link import Link, Session

log = logging.getLogger(__name__)

RPC_PATHS = ("/", "/jsonrpc")
WEBSOCKET_PATH = "/ws"
HEAD_BYTES = 16 * 1024


class HttpSession:
    def __init__(self, link: Link) -> None:
        self.completed = 0
        hub = link.hub
        self._link = link
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        self._dispatcher = Dispatcher(hub.service, link.caller, hub.calls, hub.limits, link.settled)
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._busy = False
        self._fresh = 0  # bytes given to h11 and not come out as events: its own count is not public
        self._idle: asyncio.TimerHandle | None = None
        self._wait_for_request()

    # -- the session of a link

    @property
    def pending(self) -> int:
        return 0 if self._busy else len(self._body) + self._fresh

    def feed(self, data: bytes) -> None:
        self._stop_waiting()
        self._fresh += len(data)
        try:
            self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise ProtocolError(str(error)) from error
        self.resume()

    def resume(self) -> None:
        try:
            while not (self._link.blocked or self._busy or self._link.closed):
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    if self._http.they_are_waiting_for_100_continue:
                        self._write(h11.InformationalResponse(status_code=100, headers=[]))
                    return
                if event is h11.PAUSED:
                    return
                self._take(event)
        except h11.RemoteProtocolError as error:
            raise ProtocolError(str(error)) from error

    def refuse(self, error: ProtocolError) -> None:
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if isinstance(error, TooLarge) else HTTPStatus.BAD_REQUEST
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._respond(fault(status, str(error)), close=True)

    def closed(self) -> None:
        self._stop_waiting()

    # -- requests

    def _take(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self._request = event
            self._fresh = 0
            if self._wants_websocket(event):
                self._upgrade(event)
        elif isinstance(event, h11.Data):
            self._body += event.data
            self._fresh = 0
            if len(self._body) > self._link.hub.limits.message_bytes:
                raise TooLarge("A body", len(self._body), self._link.hub.limits.message_bytes)
        elif isinstance(event, h11.EndOfMessage):
            self._fresh = 0
            self.completed += 1
            self._handle()
        elif isinstance(event, h11.ConnectionClosed):
            self._link.close()

    def _handle(self) -> None:
        assert self._request is not None
        body = bytes(self._body)
        self._body.clear()
        self._busy = True
        self._link.hold(True)
        request = self._described(self._request, body)
        method, path = request.method, request.path
        if method == "POST" and path in RPC_PATHS:
            self._call(request.headers, body)
            return
        routes = self._link.hub.routes
        handler = routes.get((method, path)) or routes.get((method, "*"))
        if handler is not None:
            task = self._link.loop.create_task(self._route(handler, request), name=f"{method} {path}")
            self._link.caller.running += 1
            self._link.hub.calls.start(task)
        elif path in RPC_PATHS:
            self._respond(fault(HTTPStatus.METHOD_NOT_ALLOWED, "JSON-RPC is a POST", allow="POST"))
        elif path == WEBSOCKET_PATH or path in self._link.hub.tunnels:
            self._respond(fault(HTTPStatus.UPGRADE_REQUIRED, "This is a WebSocket", upgrade="websocket"))
        else:
            self._respond(fault(HTTPStatus.NOT_FOUND, "There is nothing here; JSON-RPC is a POST to /jsonrpc"))

    def _described(self, request: h11.Request, body: bytes) -> HttpRequest:
        path, _, query = request.target.decode("ascii", "replace").partition("?")
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
        return HttpRequest(request.method.decode("ascii"), path, query, headers, body, self._link.caller)

    def _call(self, headers: Mapping[str, str], body: bytes) -> None:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("application/json", "application/json-rpc"):
            self._respond(fault(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json"))
            return
        flow = headers.get("ovirtcorrelationid") or headers.get("correlation-id", "")
        if not self._dispatcher.receive(body, self._answer, flow=flow):
            self._respond(HttpResponse(HTTPStatus.NO_CONTENT))

    def _answer(self, answer: bytes) -> None:
        self._respond(HttpResponse(HTTPStatus.OK, answer, {"content-type": "application/json"}))

    async def _route(self, handler: Handler, request: HttpRequest) -> None:
        try:
            response = await handler(request)
        except Exception:  # must outlive: a fault in one handler costs only its own request
            log.exception("%s %s failed", request.method, request.path)
            response = fault(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; the log of the agent has the details")
        except asyncio.CancelledError:
            self._link.caller.running -= 1
            self._respond(fault(HTTPStatus.SERVICE_UNAVAILABLE, "The agent is stopping"), close=True)
            raise
        self._link.caller.running -= 1
        try:
            self._respond(response)
        except (h11.LocalProtocolError, ValueError):
            log.exception("The answer to %s %s is no HTTP", request.method, request.path)
            self._link.abort("its answer cannot be sent")

    # -- responses

    def _respond(self, response: HttpResponse, *, close: bool = False) -> None:
        if self._link.closed:
            return
        headers = [*response.headers.items()]
        if response.status != HTTPStatus.NO_CONTENT:
            headers.append(("content-length", str(len(response.body))))
        if close:
            headers.append(("connection", "close"))
        reason = HTTPStatus(response.status).phrase
        self._write(h11.Response(status_code=response.status, headers=headers, reason=reason))
        head_only = self._request is not None and self._request.method == b"HEAD"
        if response.body and not head_only:
            self._write(h11.Data(data=response.body))
        self._write(h11.EndOfMessage())
        if close:
            return
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            self._link.close()
            return
        self._http.start_next_cycle()
        self._request = None
        self._busy = False
        self._link.hold(False)
        self._wait_for_request()
        self._link.loop.call_soon(self._next)

    def _next(self) -> None:
        """Work on a pipelined request, outside of the stack that answered the one before."""
        if not self._link.closed and not self._busy:
            self._link.proceed()

    def _write(self, event: h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage) -> None:
        data = self._http.send(event)
        if data:
            self._link.write(data)

    # -- idle connections

    def _wait_for_request(self) -> None:
        self._stop_waiting()
        self._idle = self._link.loop.call_later(self._link.hub.limits.http_idle_seconds, self._link.close)

    def _stop_waiting(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    # -- WebSocket

    def _wants_websocket(self, request: h11.Request) -> bool:
        path = request.target.partition(b"?")[0].decode("ascii", "replace")
        headers = dict(request.headers)
        known = path == WEBSOCKET_PATH or path in self._link.hub.tunnels
        return known and headers.get(b"upgrade", b"").lower() == b"websocket"

    def _upgrade(self, request: h11.Request) -> None:
        from ovis.wire.websocket import WebSocketSession  # here: websockets is loaded by the first who needs it

        self._stop_waiting()
        self._busy = True  # nothing more is read here
        opener = self._link.hub.tunnels.get(request.target.partition(b"?")[0].decode("ascii", "replace"))
        if opener is None:
            self._hand_over(request, WebSocketSession(self._link))
            return
        self._link.hold(True)
        asked = self._described(request, b"")
        task = self._link.loop.create_task(self._open_tunnel(request, asked, opener), name=f"open {asked.path}")
        self._link.caller.running += 1
        self._link.hub.calls.start(task)

    def _hand_over(self, request: h11.Request, session: Session) -> None:
        rest, _ = self._http.trailing_data
        lines = [request.method + b" " + request.target + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in request.headers]
        self._link.switch(session)
        session.feed(b"\r\n".join(lines) + b"\r\n\r\n" + rest)

    async def _open_tunnel(self, request: h11.Request, asked: HttpRequest, opener: Opener) -> None:
        from ovis.wire.tunnel import TunnelSession

        try:
            far = await opener(asked)
        except Exception:  # must outlive: a fault of one opener costs only its own connection
            log.exception("a tunnel at %s was not opened", asked.path)
            far = fault(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; the log of the agent has the details")
        finally:
            self._link.caller.running -= 1
        if isinstance(far, HttpResponse):
            self._respond(far, close=True)
            self._link.close()
        elif self._link.closed:
            await far.close()
        else:
            self._link.hold(False)
            self._hand_over(request, TunnelSession(self._link, far))
