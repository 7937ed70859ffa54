import json
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

Serve = Callable[..., Any]


def call(method: str, call_id: object = 1, **more: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": method, "id": call_id, **more}


@pytest.mark.parametrize("kind", ["plain", "unix", "tls"])
def test_call_is_answered_on_every_transport(rig: Any, kind: str) -> None:
    peer = rig.peer(kind)
    assert peer.call("ping") == {"jsonrpc": "2.0", "id": 1, "result": True}
    assert peer.call("echo", {"a": [1, "é"]}, "x") == {"jsonrpc": "2.0", "id": "x", "result": {"a": [1, "é"]}}


@pytest.mark.parametrize(("kind", "name"), [("plain", "anonymous"), ("unix", "uid:"), ("tls", "administrator")])
def test_service_knows_who_calls(rig: Any, kind: str, name: str) -> None:
    who, transport, access, running = rig.peer(kind).call("whoami")["result"]
    assert who.startswith(name)
    assert transport == {"plain": "tcp"}.get(kind, kind)
    assert access == ["administer", "observe", "operate", "peer"]
    assert running == 0


def test_error_of_the_service_reaches_the_caller(rig: Any) -> None:
    error = rig.peer().call("nothing")["error"]
    assert error == {"code": -32601, "message": "No method nothing", "data": {"method": "nothing"}}


def test_fault_of_the_service_costs_only_its_call(rig: Any, caplog: pytest.LogCaptureFixture) -> None:
    peer = rig.peer()
    assert peer.call("fail")["error"]["code"] == -32603
    assert "a fault of the service" not in str(peer.call("ping"))
    assert "a fault of the service" in caplog.text


def test_flow_id_reaches_the_service(rig: Any) -> None:
    rig.peer().call("ping", ovirtCorrelationId="flow-7")
    assert rig.service.seen[-1] == ("ping", None, "flow-7")


def test_blocked_call_delays_nobody(rig: Any) -> None:
    peer, other = rig.peer(), rig.peer()
    peer.send_json(call("block", 1))
    assert peer.call("ping", call_id=2)["id"] == 2
    assert other.call("ping", call_id=1)["result"] is True
    rig.ask(rig.service.release.set)
    assert peer.receive() == {"jsonrpc": "2.0", "id": 1, "result": "released"}


def test_running_calls_are_counted(rig: Any) -> None:
    peer = rig.peer()
    peer.send_json(call("block", 1))
    peer.send_json(call("block", 2))
    rig.eventually(lambda: rig.service.blocked == 2)
    assert peer.call("whoami")["result"][3] == 2
    rig.ask(rig.service.release.set)
    peer.receive(), peer.receive()
    assert peer.call("whoami")["result"][3] == 0


def test_lone_notification_is_run_and_not_answered(rig: Any) -> None:
    peer = rig.peer()
    for method in ("ping", "fail", "nothing", "echo"):
        peer.send_json({"jsonrpc": "2.0", "method": method})
    assert peer.call("ping", call_id=9)["id"] == 9
    assert [seen[0] for seen in rig.service.seen] == ["ping", "fail", "nothing", "echo", "ping"]


def test_batch_is_answered_together_when_the_last_is_ready(rig: Any) -> None:
    peer = rig.peer()
    peer.send_json([call("block", 1), call("ping", 2), {"jsonrpc": "2.0", "method": "ping"}, 7, call("echo", 3)])
    assert peer.call("ping", call_id=8)["id"] == 8
    rig.ask(rig.service.release.set)
    answers = peer.receive()
    assert [answer["id"] for answer in answers] == [1, 2, None, 3]
    assert answers[2]["error"]["code"] == -32600


def test_batch_of_one_is_answered_with_a_list(rig: Any) -> None:
    peer = rig.peer()
    peer.send_json([call("ping")])
    assert peer.receive() == [{"jsonrpc": "2.0", "id": 1, "result": True}]


def test_batch_of_notifications_is_not_answered(rig: Any) -> None:
    peer = rig.peer()
    peer.send_json([{"jsonrpc": "2.0", "method": "ping"}] * 3)
    assert peer.call("ping")["result"] is True


@pytest.mark.parametrize(("members", "code"), [(0, -32600), (1001, -32600)])
def test_batch_is_refused_when_empty_or_too_large(rig: Any, members: int, code: int) -> None:
    peer = rig.peer()
    peer.send_json([call("ping")] * members)
    answer = peer.receive()
    assert (answer["id"], answer["error"]["code"]) == (None, code)


def test_batch_whose_answers_are_too_large_says_so(serve: Serve) -> None:
    peer = serve(message_bytes=10_000).peer()
    peer.send_json([call("big", 1, params=[6000]), call("big", "é", params=[6000]), call("ping", 3)])
    answers = peer.receive()
    assert [answer["id"] for answer in answers] == [1, "é", 3]
    assert len(answers[0]["result"]) == 6000
    assert answers[1]["error"]["code"] == -32603


def test_equal_ids_of_two_clients_do_not_mix(rig: Any) -> None:
    one, two = rig.peer(), rig.peer()
    one.send_json(call("block", "same"))
    two.send_json(call("echo", "same", params=["two"]))
    assert two.receive()["result"] == ["two"]
    rig.ask(rig.service.release.set)
    assert one.receive()["result"] == "released"


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b'{"jsonrpc":"2.0","method":"p","params":["\xff"]}'])
def test_what_is_not_json_is_answered_once_and_the_connection_lives(rig: Any, text: bytes) -> None:
    peer = rig.peer()
    peer.send_text(text)
    answer = peer.receive()
    assert (answer["id"], answer["error"]["code"]) == (None, -32700)
    assert peer.call("ping")["id"] == 1


def test_deep_nesting_is_refused(rig: Any) -> None:
    peer = rig.peer()
    for deep, code in ((100, -32600), (200_000, -32700)):
        peer.send_text(b'{"jsonrpc":"2.0","method":"echo","id":1,"params":' + b"[" * deep + b"]" * deep + b"}")
        assert peer.receive()["error"]["code"] == code
    assert peer.call("ping")["id"] == 1


@pytest.mark.parametrize("size", [1001, 1 << 40, 1 << 63, (1 << 64) - 1])
def test_size_over_the_limit_costs_only_its_connection(serve: Serve, size: int) -> None:
    rig = serve(message_bytes=1000)
    peer = rig.peer()
    peer.send(struct.pack(">Q", size) + b"x" * 100)
    assert "limit is 1000" in peer.receive()["error"]["message"]
    assert peer.is_closed()
    assert rig.still_answers()


def test_message_of_the_limit_is_served(serve: Serve) -> None:
    peer = serve(message_bytes=1000).peer()
    text = json.dumps(call("echo", params=["x"])).encode()
    peer.send_text(text + b" " * (1000 - len(text)))
    assert peer.receive()["result"] == ["x"]


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_large_message_goes_both_ways(rig: Any, kind: str) -> None:
    text = "é" * 3_000_000
    assert rig.peer(kind).call("echo", [text])["result"] == [text]


def test_message_may_arrive_byte_by_byte(rig: Any) -> None:
    peer = rig.peer()
    text = json.dumps(call("ping")).encode()
    for byte in struct.pack(">Q", len(text)) + text:
        peer.send(bytes([byte]))
    assert peer.receive()["id"] == 1


def test_truncated_message_leaves_nothing(rig: Any) -> None:
    peer = rig.peer()
    peer.send(struct.pack(">Q", 1000) + b"x" * 999)
    rig.eventually(lambda: rig.server._hub.received == 1007)
    peer.sock.close()
    rig.eventually(lambda: rig.server.connections == 0 and rig.server._hub.received == 0)
    assert rig.still_answers()


def test_client_that_half_closes_still_gets_its_answer(rig: Any) -> None:
    peer = rig.peer()
    peer.send_json(call("block"))
    rig.eventually(lambda: rig.service.blocked == 1)
    peer.sock.shutdown(1)
    rig.ask(rig.service.release.set)
    assert peer.receive()["result"] == "released"
    assert peer.is_closed()


@pytest.mark.parametrize("answered", [True, False])
def test_half_closed_connection_ends_with_its_last_call(rig: Any, answered: bool) -> None:
    peer = rig.peer()
    message = call("block")
    if not answered:
        del message["id"]
    peer.send_json(message)
    rig.eventually(lambda: rig.service.blocked == 1)
    peer.sock.shutdown(socket.SHUT_WR)
    rig.ask(rig.service.release.set)
    assert peer.is_closed()
    rig.eventually(lambda: rig.server.connections == 0)


def test_flow_id_cannot_fake_a_line_of_the_log(rig: Any) -> None:
    rig.peer().call("ping", ovirtCorrelationId="a\nb" + "x" * 500)
    flow = rig.service.seen[-1][2]
    assert flow.startswith("a\\nbx")
    assert len(flow) == 128


def test_call_goes_on_when_its_client_is_gone(rig: Any) -> None:
    peer = rig.peer()
    peer.send_json(call("block"))
    rig.eventually(lambda: rig.service.blocked == 1)
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset, not a polite end
    peer.sock.close()
    rig.eventually(lambda: rig.server.connections == 0)
    assert rig.ask(lambda: rig.server.running) == 1
    rig.ask(rig.service.release.set)
    rig.eventually(lambda: rig.server.running == 0)


def test_events_arrive_as_notifications(rig: Any) -> None:
    peer = rig.peer()
    subscription = peer.call("rpc.subscribe", {"pattern": "|virt|*"})["result"]["subscription"]
    rig.ask(lambda: rig.service.bus.publish("|jobs|status|1", {}))
    rig.ask(lambda: rig.service.bus.publish("|virt|VM_status|1", {"1": {"status": "Up"}}))
    event = peer.receive()
    assert event["method"] == "|virt|VM_status|1"
    assert event["params"]["1"] == {"status": "Up"}
    assert event["params"]["seq"] == 2
    assert event["params"]["notify_time"] > 2**31
    assert "id" not in event
    assert peer.call("rpc.unsubscribe", {"subscription": subscription})["result"] is True
    assert rig.ask(lambda: rig.service.bus.subscribers) == 0


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("rpc.subscribe", None),
        ("rpc.subscribe", {"pattern": 1}),
        ("rpc.subscribe", {"pattern": ""}),
        ("rpc.subscribe", {"pattern": "*", "x": 1}),
        ("rpc.unsubscribe", {"subscription": "7"}),
    ],
)
def test_wrong_subscription_is_refused(rig: Any, method: str, params: object) -> None:
    assert rig.peer().call(method, params)["error"]["code"] == -32602


def test_subscriptions_are_bounded_and_end_with_their_connection(serve: Serve) -> None:
    rig = serve(subscriptions=2)
    peer = rig.peer()
    for _ in range(2):
        assert "result" in peer.call("rpc.subscribe", {"pattern": "*"})
    assert peer.call("rpc.subscribe", {"pattern": "*"})["error"]["code"] == -32602
    peer.sock.close()
    rig.eventually(lambda: rig.service.bus.subscribers == 0 and not rig.server._hub.tasks)


def test_slow_event_consumer_is_told_what_it_lost(serve: Serve) -> None:
    rig = serve(write_high_bytes=10_000)
    rig.service.event_limit = 10
    peer = rig.peer()
    peer.call("rpc.subscribe", {"pattern": "*"})
    text = "x" * 100_000

    def flood() -> None:
        for _ in range(200):
            rig.service.bus.publish("|a|", {"text": text})

    for _ in range(5):  # more than the kernel's socket buffers take
        rig.ask(flood)
    expected = 1
    lost = 0
    while expected <= 1000:
        event = peer.receive()
        if event["method"] == "rpc.lost":
            assert event["params"]["first"] == expected
            lost += event["params"]["count"]
            expected = event["params"]["last"] + 1
        else:
            assert event["params"]["seq"] == expected
            expected += 1
    assert lost > 0
    assert peer.call("ping")["result"] is True


def test_events_wait_for_a_slow_consumer_in_their_bounded_buffer_only(serve: Serve) -> None:
    rig = serve(write_high_bytes=10_000, write_bytes=2_000_000)
    rig.service.event_limit = 5
    peer = rig.peer("unix")  # the kernel buffers 200 KB here, on TCP megabytes
    peer.call("rpc.subscribe", {"pattern": "*"})
    for _ in range(50):
        rig.ask(lambda: rig.service.bus.publish("|a|", {"text": "x" * 100_000}))
        rig.ask(lambda: None)  # a turn of the loop, in which the event could be written
    seen = []
    while not seen or seen[-1] != 50:
        event = peer.receive()
        seen.append(event["params"]["seq"] if event["method"] == "|a|" else -event["params"]["count"])
    assert [seq for seq in seen if seq < 0] == [-(50 - (len(seen) - 1))]
    assert peer.call("ping")["result"] is True


def test_client_that_does_not_read_is_not_read_either_then_dropped(serve: Serve) -> None:
    rig = serve(write_high_bytes=100_000, write_seconds=0.3)
    peer = rig.peer()
    asked = json.dumps(call("big", params=[100_000])).encode()
    peer.sock.settimeout(5)
    with pytest.raises(OSError):  # noqa: PT011, PT012 - reset or broken pipe, at some time
        for _ in range(100_000):
            peer.send_text(asked)
    answered = rig.ask(lambda: len(rig.service.seen))
    assert answered < 500
    assert rig.still_answers()


def test_unsent_answers_are_bounded(serve: Serve) -> None:
    rig = serve(write_high_bytes=10_000, write_bytes=3_000_000)
    peer = rig.peer()
    peer.send_json(call("big", params=[20_000_000]))
    rig.eventually(lambda: rig.service.seen and rig.server.connections == 0)
    assert rig.still_answers()


def test_message_that_does_not_become_complete_is_ended(serve: Serve) -> None:
    rig = serve(message_seconds=0.3)
    slow, busy = rig.peer(), rig.peer()
    slow.send(struct.pack(">Q", 1000) + b"{")
    assert busy.call("ping")["id"] == 1
    assert "complete" in slow.receive()["error"]["message"]
    assert slow.is_closed()
    assert busy.call("ping")["id"] == 1


def test_half_received_bytes_of_all_connections_are_bounded(serve: Serve) -> None:
    rig = serve(receive_bytes=1_000_000)
    peers = [rig.peer() for _ in range(4)]
    for peer in peers:
        try:
            peer.send(struct.pack(">Q", 900_000) + b"x" * 400_000)
        except OSError:
            continue
    rig.eventually(lambda: rig.server.connections == 2)
    assert rig.ask(lambda: rig.server._hub.received) <= 1_000_000
    assert rig.still_answers()
