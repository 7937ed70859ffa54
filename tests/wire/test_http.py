import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest

from ovis.wire.routes import HttpRequest, HttpResponse

Serve = Callable[..., Any]
JSON = {"Content-Type": "application/json"}


class Client(http.client.HTTPConnection):
    """http.client over a socket that the rig made."""

    def __init__(self, peer: Any) -> None:
        super().__init__("localhost")
        self.sock = peer.sock

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        self.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = self.getresponse()
        text = response.read()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, json.loads(text) if text else None

    def post(self, message: object, path: str = "/jsonrpc") -> tuple[int, dict[str, str], Any]:
        return self.ask("POST", path, json.dumps(message).encode(), **{"Content-Type": "application/json"})


def call(method: str, call_id: object = 1, **more: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": method, "id": call_id, **more}


@pytest.mark.parametrize("kind", ["plain", "unix", "tls"])
@pytest.mark.parametrize("path", ["/", "/jsonrpc", "/jsonrpc?x=1"])
def test_post_is_a_call(rig: Any, kind: str, path: str) -> None:
    client = Client(rig.peer(kind))
    for method in ("ping", "echo"):  # one answered at once, one later, on the same connection
        status, headers, answer = client.post(call(method, params=[1]), path)
        assert (status, headers["content-type"]) == (200, "application/json")
        assert answer["id"] == 1


def test_batch_error_and_notification(rig: Any) -> None:
    client = Client(rig.peer())
    assert [answer["id"] for answer in client.post([call("ping", 1), call("echo", 2)])[2]] == [1, 2]
    assert client.post(call("nothing"))[2]["error"]["code"] == -32601
    assert client.ask("POST", "/", b"{", **JSON)[2]["error"]["code"] == -32700
    assert client.post({"jsonrpc": "2.0", "method": "ping"})[::2] == (204, None)
    assert client.post(call("ping"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 405),
        ("PUT", "/jsonrpc", 405),
        ("GET", "/elsewhere", 404),
        ("POST", "/elsewhere", 404),
        ("GET", "/ws", 426),
    ],
)
def test_other_requests_get_a_small_clear_answer(rig: Any, method: str, path: str, status: int) -> None:
    client = Client(rig.peer())
    found, headers, body = client.ask(method, path, **JSON)
    assert (found, body["error"]["status"]) == (status, status)
    assert headers["content-type"] == "application/json"
    assert client.post(call("ping"))[0] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_foreign_web_page_can_send_is_refused(rig: Any, kind: str) -> None:
    status, _, _ = Client(rig.peer()).ask("POST", "/", json.dumps(call("ping")).encode(), **{"Content-Type": kind})
    assert status == 415
    assert rig.service.seen == []


def test_head_has_no_body(rig: Any) -> None:
    client = Client(rig.peer())
    assert client.ask("HEAD", "/")[::2] == (405, None)
    assert client.post(call("ping"))[0] == 200


def test_flow_id_comes_in_a_header(rig: Any) -> None:
    Client(rig.peer()).ask("POST", "/", json.dumps(call("ping")).encode(), **JSON, ovirtCorrelationId="flow-3")
    assert rig.service.seen[-1][2] == "flow-3"


def test_pipelined_requests_are_answered_in_order(rig: Any) -> None:
    peer = rig.peer()
    bodies = [json.dumps(call(method, n)).encode() for n, method in enumerate(["echo", "ping", "echo", "ping"])]
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    peer.send(b"".join(head % len(body) + body for body in bodies))
    ids = []
    for _ in bodies:
        head_lines = peer.through(b"\r\n\r\n").lower()
        size = int(head_lines.partition(b"content-length: ")[2].split(b"\r")[0])
        ids.append(json.loads(peer.until(lambda data, size=size: size if len(data) >= size else 0))["id"])
    assert ids == [0, 1, 2, 3]


def test_body_may_be_chunked_and_awaited(rig: Any) -> None:
    peer = rig.peer()
    peer.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    assert peer.through(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    body = json.dumps(call("ping")).encode()
    for part in (body[:10], body[10:]):
        peer.send(b"%x\r\n%b\r\n" % (len(part), part))
    peer.send(b"0\r\n\r\n")
    assert peer.through(b"true}").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000, b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, b"413"),
    ],
)
def test_bad_request_is_answered_and_closed(serve: Serve, request_: bytes, status: bytes) -> None:
    rig = serve(message_bytes=1000)
    peer = rig.peer()
    peer.send(request_)
    assert status in peer.through(b"\r\n")
    assert peer.is_closed()
    assert rig.still_answers()


def test_connection_close_is_honoured(rig: Any) -> None:
    peer = rig.peer()
    peer.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert peer.is_closed()


def test_idle_connection_is_closed(serve: Serve) -> None:
    rig = serve(http_idle_seconds=0.2)
    peer = rig.peer()
    assert Client(peer).post(call("ping"))[0] == 200
    assert peer.is_closed()


def test_slow_body_is_ended(serve: Serve) -> None:
    rig = serve(message_seconds=0.2)
    peer = rig.peer()
    peer.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nx")
    assert b" 400 " in peer.through(b"\r\n")
    assert peer.is_closed()


def test_routes_are_a_door_for_more(serve: Serve) -> None:
    async def ovf(request: HttpRequest) -> HttpResponse:
        if request.path == "/broken":
            raise ValueError
        if request.path == "/no-http":
            return HttpResponse(200, headers={"bad name": "x"})
        return HttpResponse(206, request.body + request.headers["image-id"].encode(), {"task-id": request.query})

    rig = serve(options={"routes": {("PUT", "*"): ovf}})
    client = Client(rig.peer())
    client.request("PUT", "/any/path?q", b"body-", {"Image-Id": "i"})
    response = client.getresponse()
    assert (response.status, response.read(), response.getheader("task-id")) == (206, b"body-i", "q")
    assert client.ask("PUT", "/broken")[0] == 500
    assert client.post(call("ping"))[0] == 200
    client.request("PUT", "/no-http")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        client.getresponse()
    assert rig.still_answers()
