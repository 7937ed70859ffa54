"""Any bytes on one connection: the server lives, other connections are answered, nothing is left behind."""

import json
import struct
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
CALL = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | JSON,
        "method": st.sampled_from(["ping", "echo", "fail", "big", "rpc.subscribe", "rpc.unsubscribe"]) | JSON,
        "params": JSON,
        "id": JSON,
    },
)
TEXT = st.one_of(CALL, st.lists(CALL, max_size=4), JSON).map(lambda value: json.dumps(value).encode()) | st.binary(
    max_size=40
)
SIZED = st.tuples(TEXT, st.integers(-3, 3) | st.just(2**63)).map(
    lambda made: struct.pack(">Q", max(0, len(made[0]) + made[1])) + made[0]
)
NAME = st.sampled_from(["destination", "id", "receipt", "reply-to", "content-length", "heart-beat", "accept-version"])
VALUE = st.sampled_from(
    ["1", "1.2", "0,0", "jms.topic.vdsm_requests", "jms.queue.events", "\\x", "-1", "\r"]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
COMMAND = st.sampled_from(["CONNECT", "STOMP", "SEND", "SUBSCRIBE", "UNSUBSCRIBE", "DISCONNECT", "ACK", ""])
STOMP = st.tuples(COMMAND, st.lists(st.tuples(NAME, VALUE), max_size=4), TEXT).map(
    lambda made: (
        "\n".join([made[0], *(f"{name}:{value}" for name, value in made[1])]).encode() + b"\n\n" + made[2] + b"\0"
    )
)
HTTP = st.tuples(
    st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS"]),
    st.sampled_from(["/", "/jsonrpc", "/ws", "*", "/\xff"]),
    st.lists(
        st.sampled_from(
            [
                "Host: a",
                "Content-Type: application/json",
                "Content-Length: 9",
                "Content-Length: -1",
                "Transfer-Encoding: chunked",
                "Expect: 100-continue",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version: 13",
                "Origin: null",
            ]
        ),
        max_size=8,
    ),
    TEXT,
).map(
    lambda made: (
        f"{made[0]} {made[1]} HTTP/1.1\r\n".encode("latin-1")
        + "".join(line + "\r\n" for line in made[2]).encode()
        + b"\r\n"
        + made[3]
    )
)
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
WEBSOCKET = st.lists(st.binary(max_size=20), max_size=4).map(lambda frames: UPGRADE + b"".join(frames))
STREAM = st.one_of(
    st.lists(SIZED, max_size=5).map(b"".join),
    st.lists(STOMP, max_size=5).map(b"".join),
    st.lists(HTTP, max_size=3).map(b"".join),
    WEBSOCKET,
    st.binary(max_size=60),
)


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(stream=STREAM, at=st.integers(0, 100), polite=st.booleans())
def fuzz(rig: Any, other: Any, stream: bytes, at: int, polite: bool) -> None:
    with rig.peer() as peer:
        try:
            peer.send(stream[:at])
            peer.send(stream[at:])
            if polite:
                peer.sock.shutdown(1)
                peer.is_closed()
        except OSError:
            pass
    assert other.call("ping")["result"] is True


def test_any_bytes_cost_only_their_own_connection(rig: Any) -> None:
    other = rig.peer()
    fuzz(rig, other)
    rig.eventually(lambda: rig.server.connections == 1 and rig.server._hub.received == 0)
    rig.eventually(lambda: rig.server.running == 0 and not rig.server._hub.tasks)
    assert rig.ask(lambda: rig.service.bus.subscribers) == 0
    assert rig.faults == []
