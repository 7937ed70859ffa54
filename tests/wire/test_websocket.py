import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ovis.wire.tls import client_context

Serve = Callable[..., Any]


@contextmanager
def websocket(rig: Any, kind: str = "plain", **options: Any) -> Iterator[ClientConnection]:
    host, port = rig.server.addresses[2 if kind == "tls" else 0]
    if kind == "tls":
        options |= {"ssl": client_context(rig.made.admin), "server_hostname": "localhost"}
    scheme = "wss" if kind == "tls" else "ws"
    with connect(f"{scheme}://{host}:{port}/ws", open_timeout=5, close_timeout=5, **options) as client:
        yield client


def call(method: str, call_id: object = 1, **more: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "method": method, "id": call_id, **more})


def receive(client: ClientConnection) -> Any:
    return json.loads(client.recv(timeout=5))


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_one_message_a_frame(rig: Any, kind: str) -> None:
    with websocket(rig, kind) as client:
        client.send(call("ping"))
        assert receive(client) == {"jsonrpc": "2.0", "id": 1, "result": True}
        client.send([call("echo", 2, params=["é"])[:9], call("echo", 2, params=["é"])[9:]])  # two fragments
        assert receive(client)["result"] == ["é"]
        client.send(call("ping", 3).encode())
        assert receive(client)["id"] == 3
        client.send("{")
        assert receive(client)["error"]["code"] == -32700


def test_blocked_call_delays_nobody(rig: Any) -> None:
    with websocket(rig) as client:
        client.send(call("block", 1))
        client.send(call("ping", 2))
        assert receive(client)["id"] == 2
        rig.ask(rig.service.release.set)
        assert receive(client)["id"] == 1


def test_events_are_notifications(rig: Any) -> None:
    with websocket(rig) as client:
        client.send(call("rpc.subscribe", params={"pattern": "|virt|*"}))
        receive(client)
        rig.ask(lambda: rig.service.bus.publish("|virt|VM_status|1", {"1": {}}))
        assert receive(client)["params"]["seq"] == 1
    rig.eventually(lambda: rig.service.bus.subscribers == 0)


def test_ping_is_answered(rig: Any) -> None:
    with websocket(rig) as client:
        assert client.ping().wait(5)


def test_too_large_message_closes_with_the_reason(serve: Serve) -> None:
    rig = serve(message_bytes=1000)
    with websocket(rig) as client:
        with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012 - when sending or receiving
            client.send(["x" * 600, "x" * 600])
            client.recv(timeout=5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    assert rig.still_answers()


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [("http://evil.example", False), ("null", False), ("own", True), ("https://admin.example", True)],
)
def test_only_own_and_named_web_pages_may_connect(serve: Serve, origin: str, accepted: bool) -> None:
    rig = serve(options={"origins": ["https://admin.example"]})
    if origin == "own":
        host, port = rig.server.addresses[0]
        origin = f"http://{host}:{port}"
    if accepted:
        with websocket(rig, origin=origin) as client:
            client.send(call("ping"))
            assert receive(client)["result"] is True
    else:
        with pytest.raises(InvalidStatus) as refused, websocket(rig, origin=origin):
            pass
        assert refused.value.response.status_code == 403


def test_small_fragments_cannot_grow_memory_or_time(serve: Serve) -> None:
    rig = serve(message_seconds=0.3)
    with websocket(rig) as client:
        client.send(call("ping"))
        receive(client)

        def fragments() -> Iterator[str]:
            rig_open = True
            while rig_open:
                yield "x"
                rig_open = rig.ask(lambda: rig.server.connections) > 0

        with pytest.raises(ConnectionClosed):  # noqa: PT012 - when sending or receiving
            client.send(fragments())
            client.recv(timeout=5)
    assert rig.still_answers()
