"""The client part speaks as the existing `vdsm.client` does (reference/vdsm.md, 1.2 and 1.6), by its own means."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import stompman

from ovis.wire.service import Access

Serve = Callable[..., Any]
REQUESTS = "jms.topic.vdsm_requests"
RESPONSES = "jms.topic.vdsm_responses"
EVENTS = "jms.queue.events"


def call(method: str, call_id: object = 1, **more: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": method, "id": call_id, **more}


def ask(peer: Any, message: object, **headers: str) -> None:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    peer.stomp("SEND", body, destination=REQUESTS, content_type="application/json", **headers)


class VdsmClient:
    """One connection of the existing client library."""

    def __init__(self, peer: Any) -> None:
        self.peer = peer
        self.queue = str(uuid.uuid4())
        peer.stomp("CONNECT", accept_version="1.2", heart_beat="0,24000")
        assert peer.frame()[:2] == ("CONNECTED", {"version": "1.2", "heart-beat": "24000,0"})
        peer.stomp("SUBSCRIBE", id=str(uuid.uuid4()), destination=self.queue, ack="auto")

    def start(self, method: str, params: object, call_id: str) -> None:
        ask(self.peer, [call(method, call_id, params=params)], reply_to=self.queue)

    def answer(self) -> Any:
        command, headers, body = self.peer.frame()
        assert (command, headers["destination"]) == ("MESSAGE", self.queue)
        assert headers["content-type"] == "application/json"
        return json.loads(body)

    def call(self, method: str, params: object) -> Any:
        call_id = str(uuid.uuid4())
        self.start(method, params, call_id)
        answer = self.answer()
        assert answer["id"] == call_id
        return answer


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_existing_client_works(rig: Any, kind: str) -> None:
    client = VdsmClient(rig.peer(kind))
    assert client.call("ping", {})["result"] is True
    assert client.call("echo", {"a": "é"})["result"] == {"a": "é"}
    assert client.call("nothing", {})["error"] == {
        "code": -32601,
        "message": "No method nothing",
        "data": {"method": "nothing"},
    }


def test_equal_ids_and_queues_of_two_clients_do_not_mix(rig: Any) -> None:
    one, two = VdsmClient(rig.peer()), VdsmClient(rig.peer())
    two.queue = one.queue
    two.peer.stomp("SUBSCRIBE", id="2", destination=one.queue)
    one.start("block", {}, "same")
    two.start("echo", {"to": "two"}, "same")
    assert two.answer()["result"] == {"to": "two"}
    rig.ask(rig.service.release.set)
    assert one.answer()["result"] == "released"


def test_lone_notification_stops_nobody(rig: Any) -> None:
    client = VdsmClient(rig.peer())
    notification = {"jsonrpc": "2.0", "method": "ping"}
    for message in (notification, [notification], [notification, notification]):
        ask(client.peer, message, reply_to=client.queue)
    assert client.call("ping", {})["result"] is True
    assert rig.still_answers()
    assert [seen[0] for seen in rig.service.seen] == ["ping"] * 6


def test_batch_gets_all_its_answers_in_one_message(rig: Any) -> None:
    client = VdsmClient(rig.peer())
    batch = [call("echo", 1), {"jsonrpc": "2.0", "method": "ping"}, call("ping", 2)]
    ask(client.peer, batch, reply_to=client.queue)
    assert [answer["id"] for answer in client.answer()] == [1, 2]


@pytest.mark.parametrize(
    ("message", "code"),
    [(b"{", -32700), (b"[]", -32600), (b"\xff", -32700), (b'{"jsonrpc":"2.0","method":1,"id":1}', -32600)],
)
def test_invalid_request_is_answered_once_at_its_reply_to(rig: Any, message: bytes, code: int) -> None:
    client = VdsmClient(rig.peer())
    client.peer.stomp("SUBSCRIBE", id="default", destination=RESPONSES)
    ask(client.peer, message, reply_to=client.queue)
    answer = client.answer()
    assert (answer["id"], answer["error"]["code"]) == (None, code)
    assert client.call("ping", {})["result"] is True  # and nothing came in between


def test_without_reply_to_the_answer_goes_to_the_default_topic(rig: Any) -> None:
    peer = rig.peer()
    peer.stomp("SUBSCRIBE", id="default", destination=RESPONSES)
    ask(peer, call("ping"))
    command, headers, body = peer.frame()
    assert (command, headers["destination"], headers["subscription"]) == ("MESSAGE", RESPONSES, "default")
    assert json.loads(body)["result"] is True


@pytest.mark.parametrize("headers", [{}, {"reply_to": "elsewhere"}])
def test_answer_without_a_subscription_comes_as_an_error_frame(rig: Any, headers: dict[str, str]) -> None:
    peer = rig.peer()
    ask(peer, call("ping"), **headers)
    command, _, body = peer.frame()
    assert command == "ERROR"
    assert json.loads(body)["result"] is True


def test_connect_is_not_needed(rig: Any) -> None:
    peer = rig.peer()
    peer.stomp("SUBSCRIBE", id="1", destination="q")
    ask(peer, call("ping"), reply_to="q")
    assert json.loads(peer.frame()[2])["result"] is True


@pytest.mark.parametrize("destination", ["jms.topic.vdsm_irs_requests", REQUESTS + ".mine"])
def test_other_request_queues(rig: Any, destination: str) -> None:
    peer = rig.peer()
    peer.stomp("SUBSCRIBE", id="1", destination="q")
    peer.stomp("SEND", json.dumps(call("ping")).encode(), destination=destination, reply_to="q")
    assert json.loads(peer.frame()[2])["result"] is True


def test_flow_id_comes_in_a_header(rig: Any) -> None:
    client = VdsmClient(rig.peer())
    ask(client.peer, call("ping"), reply_to=client.queue, ovirtCorrelationId="flow-9")
    client.answer()
    assert rig.service.seen[-1][2] == "flow-9"


@pytest.mark.parametrize(
    ("versions", "accepted"), [("1.2", True), ("1.1,1.2", True), ("1.0, 1.2", True), ("1.1", False)]
)
@pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
def test_versions(rig: Any, command: str, versions: str, accepted: bool) -> None:
    peer = rig.peer()
    peer.stomp(command, accept_version=versions)
    answer, _, body = peer.frame()
    assert (answer, body) == (("CONNECTED", b"") if accepted else ("ERROR", b"Version unsupported"))
    peer.stomp("CONNECT", accept_version="1.2")  # the connection stays open
    assert peer.frame()[0] == ("ERROR" if accepted else "CONNECTED")


@pytest.mark.parametrize(
    ("asked", "answered"), [("0,0", "0,0"), ("1,20000", "20000,1000"), ("30000,1", "1000,30000"), (None, "0,0")]
)
def test_heart_beat_is_agreed_on(rig: Any, asked: str | None, answered: str) -> None:
    peer = rig.peer()
    peer.stomp("CONNECT", accept_version="1.2", **({"heart_beat": asked} if asked else {}))
    assert peer.frame()[1]["heart-beat"] == answered


@pytest.mark.parametrize("text", ["1", "a,b", "-1,0", "1,2,3", "99999999999,0"])
def test_bad_heart_beat_is_refused(rig: Any, text: str) -> None:
    peer = rig.peer()
    peer.stomp("CONNECT", accept_version="1.2", heart_beat=text)
    assert peer.frame()[0] == "ERROR"


def test_silent_client_is_found_in_time_and_leaves_nothing(serve: Serve) -> None:
    rig = serve(heart_beat_seconds=0.3)
    silent, alive = rig.peer(), rig.peer()
    for peer in (silent, alive):
        peer.stomp("CONNECT", accept_version="1.2", heart_beat="300,0")
        peer.stomp("SUBSCRIBE", id="1", destination=EVENTS)
        assert peer.frame()[0] == "CONNECTED"
    alive.sock.settimeout(0.05)
    started = asyncio.run_coroutine_threadsafe(_now(), rig.loop).result(5)
    while rig.ask(lambda: rig.server.connections) == 2:
        alive.send(b"\n")
    ended = asyncio.run_coroutine_threadsafe(_now(), rig.loop).result(5)
    assert 0.3 < ended - started < 5
    assert silent.is_closed()
    assert rig.ask(lambda: rig.service.bus.subscribers) == 1


async def _now() -> float:
    return asyncio.get_running_loop().time()


def test_server_beats_when_it_has_nothing_to_say(serve: Serve) -> None:
    rig = serve(heart_beat_seconds=0.1)
    peer = rig.peer()
    peer.stomp("CONNECT", accept_version="1.2", heart_beat="0,100")
    peer.frame()
    assert peer.until(lambda data: 3 if len(data) >= 3 else 0) == b"\n\n\n"


@pytest.mark.parametrize(
    ("command", "headers"),
    [
        ("SUBSCRIBE", {"id": "1", "destination": "q"}),
        ("UNSUBSCRIBE", {"id": "0"}),
        ("SEND", {"destination": "own"}),
        ("CONNECT", {"accept_version": "1.2"}),
        ("DISCONNECT", {}),
    ],
)
def test_receipt_is_sent_for_every_frame_that_asks(rig: Any, command: str, headers: dict[str, str]) -> None:
    peer = rig.peer()
    peer.stomp("SUBSCRIBE", id="0", destination="own")
    peer.stomp(command, receipt="r-7", **headers)
    frames = [peer.frame()] + ([peer.frame()] if command in ("SEND", "CONNECT") else [])
    assert ("RECEIPT", {"receipt-id": "r-7"}, b"") in frames
    if command == "DISCONNECT":
        assert peer.is_closed()


def test_error_names_the_receipt_of_its_frame(rig: Any) -> None:
    peer = rig.peer()
    peer.stomp("SUBSCRIBE", id="1", receipt="r-8")
    command, headers, body = peer.frame()
    assert (command, headers["receipt-id"]) == ("ERROR", "r-8")
    assert body == b"Missing destination or subscription id header"


def test_subscription_id_is_used_once(rig: Any) -> None:
    peer = rig.peer()
    peer.stomp("SUBSCRIBE", id="1", destination="a")
    peer.stomp("SUBSCRIBE", id="1", destination="b")
    assert peer.frame()[2] == b"Subscription id already exists"
    peer.stomp("UNSUBSCRIBE", id="1")
    peer.stomp("SUBSCRIBE", id="1", destination="b", receipt="r")
    assert peer.frame()[0] == "RECEIPT"


def test_disconnect_without_receipt_closes(rig: Any) -> None:
    peer = rig.peer()
    peer.stomp("DISCONNECT")
    assert peer.is_closed()


@pytest.mark.parametrize("command", ["BEGIN", "ACK", "NONSENSE"])
def test_unsupported_command_closes_with_an_error(rig: Any, command: str) -> None:
    peer = rig.peer()
    peer.stomp("CONNECT", accept_version="1.2")
    peer.frame()
    peer.stomp(command)
    assert peer.frame()[0] == "ERROR"
    assert peer.is_closed()
    assert rig.still_answers()


def test_events_arrive_as_published(rig: Any) -> None:
    client = VdsmClient(rig.peer())
    client.peer.stomp("SUBSCRIBE", id="events", destination=EVENTS, receipt="r")
    client.peer.frame()
    rig.ask(lambda: rig.service.bus.publish("|virt|VM_status|1", {"1": {"status": "Up"}}))
    command, headers, body = client.peer.frame()
    assert (command, headers["destination"], headers["subscription"]) == ("MESSAGE", EVENTS, "events")
    assert headers["seq"] == "1"
    event = json.loads(body)
    assert event["params"].keys() == {"1", "notify_time"}
    assert (event["method"], "id" in event) == ("|virt|VM_status|1", False)


def test_lost_events_are_told(serve: Serve) -> None:
    rig = serve(write_high_bytes=10_000)
    rig.service.event_limit = 5
    peer = rig.peer()
    peer.stomp("SUBSCRIBE", id="events", destination=EVENTS, receipt="r")
    peer.frame()

    def flood() -> None:
        for _ in range(300):
            rig.service.bus.publish("|a|", {"text": "x" * 100_000})

    rig.ask(flood)
    seen, lost = 0, 0
    while seen + lost < 300:
        body = json.loads(peer.frame()[2])
        if body["method"] == "|ovis|events_lost|no_id":
            lost += body["params"]["count"]
        else:
            seen += 1
    assert lost > 0


def test_relay_reaches_subscribers_of_the_destination_and_its_parents(rig: Any) -> None:
    exact, parent, other, sender = (rig.peer() for _ in range(4))
    for peer, destination in ((exact, "a.b.c"), (parent, "a"), (other, "a.x")):
        peer.stomp("SUBSCRIBE", id="s", destination=destination, receipt="r")
        peer.frame()
    sender.stomp("SEND", b"hello", destination="a.b.c", custom="header", receipt="r")
    assert sender.frame()[0] == "RECEIPT"
    for peer in (exact, parent):
        command, headers, body = peer.frame()
        assert (command, headers["destination"], headers["custom"]) == ("MESSAGE", "a.b.c", "header")
        assert (headers["subscription"], "receipt" in headers, body) == ("s", False, b"hello")
    other.stomp("SEND", b"x", destination="nobody")
    assert other.frame()[2] == b"Subscription not available"


def test_relay_to_a_client_that_does_not_read_is_bounded(serve: Serve) -> None:
    rig = serve(write_high_bytes=10_000)
    deaf, sender = rig.peer(), rig.peer()
    deaf.stomp("SUBSCRIBE", id="s", destination="a", receipt="r")
    deaf.frame()
    for number in range(200):
        sender.stomp("SEND", b"x" * 100_000, destination="a", receipt=str(number))
        command, _, body = sender.frame()
        if command == "ERROR":
            break
    assert b"does not read" in body


def test_relay_needs_more_than_observing(serve: Serve) -> None:
    rig = serve(options={"authorize": lambda _: frozenset({Access.OBSERVE})})
    peer = rig.peer()
    peer.stomp("SUBSCRIBE", id="s", destination="a")
    peer.stomp("SEND", b"x", destination="a")
    assert peer.frame()[0] == "ERROR"


def test_nothing_is_left_of_a_client_that_is_gone(rig: Any) -> None:
    client = VdsmClient(rig.peer())
    client.peer.stomp("SUBSCRIBE", id="events", destination=EVENTS)
    client.call("ping", {})
    client.peer.sock.close()
    rig.eventually(lambda: rig.server.connections == 0 and len(rig.server._hub.relay) == 0)
    rig.eventually(lambda: rig.service.bus.subscribers == 0 and not rig.server._hub.tasks)


def test_independent_client_agrees(rig: Any) -> None:
    """stompman keeps to the specification: version, receipts, heart-beats, message-id."""
    host, port = rig.server.addresses[0]

    async def main() -> None:
        got: asyncio.Queue[stompman.MessageFrame] = asyncio.Queue()

        async def received(frame: stompman.MessageFrame) -> None:
            got.put_nowait(frame)

        server = stompman.ConnectionParameters(host=host, port=port, login="", passcode="")
        async with asyncio.timeout(10), stompman.Client([server], heartbeat=stompman.Heartbeat(1000, 1000)) as client:
            subscription = await client.subscribe("answers", received, ack="auto", on_suppressed_exception=print)
            body = json.dumps(call("echo", params={"a": 1})).encode()
            await client.send(
                body,
                REQUESTS,
                content_type="application/json",
                add_content_length=True,
                headers={"reply-to": "answers"},
            )
            frame = await got.get()
            assert json.loads(frame.body)["result"] == {"a": 1}
            assert frame.headers["message-id"]
            await subscription.unsubscribe()  # leaving the client waits for that

    asyncio.run(main())
