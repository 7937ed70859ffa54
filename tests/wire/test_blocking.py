import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ovis.wire.blocking import BlockingConnection
from ovis.wire.errors import CallTimeout, ConnectionLost, RpcError
from ovis.wire.events import BadPattern, Event, Lost
from ovis.wire.target import TcpTarget, UnixTarget

Serve = Callable[..., Any]


def open_(rig: Any, kind: str = "unix") -> BlockingConnection:
    plain, path, (_, tls_port) = rig.server.addresses
    targets = {
        "unix": UnixTarget(path),
        "plain": TcpTarget(*plain),
        "tls": TcpTarget("localhost", tls_port, rig.made.admin),
    }
    return BlockingConnection.open(targets[kind])


@pytest.mark.parametrize("kind", ["plain", "unix", "tls"])
def test_call(rig: Any, kind: str) -> None:
    with open_(rig, kind) as connection:
        assert connection.call("ping", None) == b"true"
        text = ('["é' + "x" * 300_000 + '"]').encode()
        assert connection.call("echo", text, flow='a "flow"') == text
        assert connection.call("ping", b"{}", flow="flow") == b"true"
        assert [seen[2] for seen in rig.service.seen] == ["", 'a "flow"', "flow"]


def test_errors_are_told_apart(rig: Any) -> None:
    with open_(rig) as connection:
        with pytest.raises(RpcError) as error:
            connection.call("nothing", None)
        assert (error.value.code, error.value.message) == (-32601, "No method nothing")
        with pytest.raises(CallTimeout):
            connection.call("block", None, timeout=0.05)
        with pytest.raises(ConnectionLost):
            connection.call("ping", None)
    with open_(rig) as connection:
        rig.run(rig.server.stop(grace=0))
        with pytest.raises(ConnectionLost):
            connection.call("ping", None)


@pytest.mark.parametrize("where", [UnixTarget("/nonexistent/socket"), TcpTarget("127.0.0.1", 1)])
def test_connecting_to_nothing_is_a_clear_error(where: UnixTarget | TcpTarget) -> None:
    with pytest.raises(ConnectionLost, match=str(where)):
        BlockingConnection.open(where)


def test_wrong_server_certificate_is_refused(rig: Any) -> None:
    _, port = rig.server.addresses[2]
    with pytest.raises(ConnectionLost):
        BlockingConnection.open(TcpTarget("127.0.0.1", port, rig.made.admin, server_name="elsewhere"))
    anyway = TcpTarget("127.0.0.1", port, rig.made.admin, server_name="elsewhere", check_hostname=False)
    BlockingConnection.open(anyway).close()


def test_events(rig: Any) -> None:
    rig.service.event_limit = 3
    with open_(rig) as connection:
        events = connection.subscribe("|virt|*")

        def burst() -> None:
            for _ in range(5):
                rig.service.bus.publish("|virt|a", {})

        rig.ask(burst)
        assert next(events) == Lost(2, 1, 2)
        seqs = [item.seq for item in (next(events), next(events), next(events)) if isinstance(item, Event)]
        assert seqs == [3, 4, 5]
        assert connection.call("ping", None) == b"true"
        rig.ask(burst)
        assert next(events) is not None
    with open_(rig) as connection, pytest.raises(BadPattern):
        connection.subscribe("")


def test_answer_in_small_pieces() -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        peer, _ = server.accept()
        with peer:
            peer.recv(1000)
            text = b'{"result": [1], "id": 1, "jsonrpc": "2.0"}'
            for byte in len(text).to_bytes(8, "big") + text:
                peer.send(bytes([byte]))

    thread = threading.Thread(target=answer)
    thread.start()
    with server, BlockingConnection.open(TcpTarget(*server.getsockname())) as connection:
        assert connection.call("ping", None) == b"[1]"
    thread.join(5)


def test_a_process_that_calls_once_loads_little(rig: Any) -> None:
    script = f"""
import sys
from ovis.wire.blocking import BlockingConnection, UnixTarget
with BlockingConnection.open(UnixTarget({rig.path!r})) as connection:
    assert connection.call("ping", None) == b"true"
heavy = {{"asyncio", "ssl", "msgspec", "typing", "dataclasses", "json", "logging", "re"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {script}"], check=True)
