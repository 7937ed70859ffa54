import asyncio
import contextlib
import os
import re
import socket
import ssl
import stat
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ovis.wire import certificates
from ovis.wire.certificates import MadeFiles
from ovis.wire.endpoints import AddressInUse, PlainEndpoint, TlsEndpoint, UnixEndpoint, listening_socket
from ovis.wire.identity import PeerIdentity
from ovis.wire.listener import Server
from ovis.wire.service import Access
from ovis.wire.tls import TlsFiles, UnusableTlsFile, client_context

Serve = Callable[..., Any]


def call(method: str, call_id: object = 1) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": method, "id": call_id}


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00",
        b"HELO there\r\n",
        b"NONSENSEANDMORE",
        b"sEND\n",
        b"CONNECTED\n",
        b"GET/ HTTP/1.1\r\n",
        b" {}",
    ],
)
def test_unknown_protocol_is_closed_and_costs_nobody(rig: Any, garbage: bytes) -> None:
    peer = rig.peer()
    peer.send(garbage)
    assert peer.is_closed()
    assert rig.still_answers()


@pytest.mark.parametrize("start", [b"", b"SEN", b"UNSUBSCRIB", b"P"])
def test_connection_that_does_not_tell_its_protocol_is_closed(serve: Serve, start: bytes) -> None:
    rig = serve(detect_seconds=0.2)
    peer = rig.peer()
    peer.send(start)
    assert peer.is_closed()


def test_connections_of_an_endpoint_are_bounded_the_others_stay_open(serve: Serve) -> None:
    rig = serve(connections=3)
    peers = [rig.peer() for _ in range(3)]
    for peer in peers:
        peer.call("ping")
    assert rig.peer().is_closed()
    assert rig.peer("unix").call("ping")["result"] is True
    peers[0].sock.close()
    rig.eventually(lambda: rig.server.connections == 3)
    assert rig.still_answers()


def tls_socket(rig: Any, context: ssl.SSLContext) -> ssl.SSLSocket:
    sock = socket.create_connection(rig.server.addresses[2], 5)
    return context.wrap_socket(sock, server_hostname="localhost")


def refused(rig: Any, context: ssl.SSLContext) -> bool:
    try:
        with tls_socket(rig, context) as sock:
            sock.sendall(struct.pack(">Q", 2) + b"{}")
            return sock.recv(1) == b""  # TLS 1.3: a server judges the client after the client's handshake is done
    except (ssl.SSLError, ConnectionError):
        return True


def test_no_or_foreign_client_certificate_is_refused(rig: Any, made: MadeFiles, tmp_path: Path) -> None:
    foreign = certificates.ensure(tmp_path / "foreign").admin
    bare = ssl.create_default_context(cafile=made.admin.ca)
    other = client_context(TlsFiles(foreign.key, foreign.certificate, made.admin.ca))
    for context in (bare, other):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context.minimum_version = context.maximum_version = version
            assert refused(rig, context)
    assert rig.peer("tls").call("ping")["result"] is True


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(rig: Any, made: MadeFiles) -> None:
    context = client_context(made.admin)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        tls_socket(rig, context)


def test_client_refuses_a_server_of_another_authority_or_name(rig: Any, made: MadeFiles, tmp_path: Path) -> None:
    foreign = certificates.ensure(tmp_path / "foreign").admin
    with pytest.raises(ssl.SSLCertVerificationError):
        tls_socket(rig, client_context(foreign))
    sock = socket.create_connection(rig.server.addresses[2], 5)
    with sock, pytest.raises(ssl.SSLCertVerificationError):
        client_context(made.admin).wrap_socket(sock, server_hostname="elsewhere")


@pytest.mark.parametrize("start", [b"", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_half_open_handshake_ends_and_delays_nobody(serve: Serve, start: bytes) -> None:
    rig = serve(detect_seconds=1)
    sockets = [socket.create_connection(rig.server.addresses[2], 5) for _ in range(20)]
    for sock in sockets:
        sock.sendall(start)
    assert rig.peer("tls").call("ping")["result"] is True
    for sock in sockets:
        sock.settimeout(5)
        try:
            while sock.recv(100):
                pass
        except ConnectionError:
            pass
        sock.close()
    rig.eventually(lambda: not rig.server._hub.tasks and len(rig.server._listening[2].connections) == 1)


def test_stop_ends_half_open_handshakes(rig: Any) -> None:
    with socket.create_connection(rig.server.addresses[2], 5) as sock:
        rig.eventually(lambda: len(rig.server._hub.tasks) == 1)
        started = time.monotonic()
        rig.run(rig.server.stop(grace=1))
        assert time.monotonic() - started < 5
        sock.settimeout(5)
        with contextlib.suppress(ConnectionError):
            assert sock.recv(1) == b""


def test_garbage_instead_of_tls_costs_nobody(rig: Any) -> None:
    sock = socket.create_connection(rig.server.addresses[2], 5)
    sock.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
    sock.settimeout(5)
    try:
        while sock.recv(1000):
            pass
    except ConnectionError:
        pass
    sock.close()
    assert rig.peer("tls").call("ping")["result"] is True


def test_changed_certificates_are_used_for_new_connections(serve: Serve, tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path / "own")
    rig = serve()
    changing = TlsFiles(*(str(tmp_path / name) for name in ("key", "cert", "ca")))

    def use(files: TlsFiles) -> None:
        for source, target in zip(
            (files.key, files.certificate, files.ca), (changing.key, changing.certificate, changing.ca), strict=True
        ):
            Path(target).write_bytes(Path(source).read_bytes())

    use(rig.made.node)

    async def start() -> Server:
        return await Server(rig.service, [TlsEndpoint(changing, "127.0.0.1", 0)], rig.limits).__aenter__()

    server = rig.run(start())

    def connects(files: TlsFiles) -> bool:
        try:
            sock = socket.create_connection(server.addresses[0], 5)
            with client_context(files).wrap_socket(sock, server_hostname="localhost") as secure:
                secure.sendall(struct.pack(">Q", 0))
                return secure.recv(1) == b"\0"
        except (ssl.SSLError, ConnectionError):
            return False

    assert connects(rig.made.admin)
    Path(changing.certificate).write_bytes(b"half written")
    assert connects(rig.made.admin)
    use(made.node)
    assert connects(made.admin)
    assert not connects(rig.made.admin)
    rig.run(server.stop())


def test_rights_come_from_what_the_transport_proves(serve: Serve) -> None:
    asked: list[PeerIdentity] = []

    def authorize(identity: PeerIdentity) -> frozenset[Access]:
        asked.append(identity)
        return frozenset({Access.OPERATE})

    rig = serve(options={"authorize": authorize})
    assert rig.peer("unix").call("whoami")["result"][2] == ["operate"]
    rig.peer("tls").call("ping")
    unix, tls = asked
    assert (unix.uid, unix.pid, unix.name) == (os.getuid(), os.getpid(), f"uid:{os.getuid()}")
    assert (tls.name, tls.uris) == ("administrator", ("urn:ovis:access:administer",))


def test_fault_while_admitting_closes_the_connection(serve: Serve) -> None:
    def authorize(_: PeerIdentity) -> frozenset[Access]:
        raise LookupError("no such user")

    rig = serve(options={"authorize": authorize})
    assert rig.peer().is_closed()
    assert [type(fault["exception"]) for fault in rig.faults] == [LookupError]
    rig.faults.clear()


def test_unix_socket_has_its_mode_and_goes_with_the_server(rig: Any) -> None:
    assert stat.S_IMODE(os.stat(rig.path).st_mode) == 0o660
    rig.run(rig.server.stop())
    assert not os.path.exists(rig.path)


def test_stale_socket_is_replaced_a_live_one_and_a_file_are_not(rig: Any, tmp_path: Path) -> None:
    async def start(path: str) -> None:
        async with Server(rig.service, [UnixEndpoint(path)], rig.limits):
            pass

    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale))
    rig.run(start(str(stale)))
    file = tmp_path / "file"
    file.write_text("precious")
    for path in (rig.path, str(file)):
        with pytest.raises(AddressInUse):
            rig.run(start(path))
    assert file.read_text() == "precious"
    assert rig.peer("unix").call("ping")["result"] is True


def test_taken_port_is_an_error_and_leaves_nothing(rig: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "first")
    taken = PlainEndpoint(*rig.server.addresses[0])

    async def start() -> None:
        async with Server(rig.service, [UnixEndpoint(path), taken], rig.limits):
            pass

    with pytest.raises(AddressInUse):
        rig.run(start())
    assert not os.path.exists(path)


def test_listens_for_both_ip_versions(rig: Any) -> None:
    async def start() -> Server:
        return await Server(rig.service, [TlsEndpoint(rig.made.node, "::", 0)], rig.limits).__aenter__()

    server = rig.run(start())
    _, port = server.addresses[0]
    for host in ["127.0.0.1"] + (["::1"] if socket.has_dualstack_ipv6() else []):
        sock = socket.create_connection((host, port), 5)
        client_context(rig.made.admin).wrap_socket(sock, server_hostname=host).close()
    rig.run(server.stop())


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_stop_answers_what_ends_in_time_and_refuses_the_rest(rig: Any, kind: str) -> None:
    peer, late = rig.peer(kind), rig.peer(kind)
    late.call("ping")
    peer.send_json(call("block", 1))
    rig.eventually(lambda: rig.service.blocked == 1)
    stopping = threading.Thread(target=lambda: rig.run(rig.server.stop(grace=5)))
    stopping.start()
    rig.eventually(lambda: rig.server._hub.calls.stopping)
    assert late.call("ping", call_id=2)["error"]["code"] == 3001
    rig.ask(rig.service.release.set)
    assert peer.receive()["result"] == "released"
    assert peer.is_closed()
    stopping.join(5)


@pytest.mark.parametrize("kind", ["plain", "unix", "tls"])
def test_stop_does_not_wait_for_calls_or_clients(rig: Any, kind: str) -> None:
    peer = rig.peer(kind)
    peer.send_json(call("block", 7))
    deaf = rig.peer(kind)
    deaf.send_json({**call("big"), "params": [5_000_000]})
    rig.peer(kind).call("rpc.subscribe", {"pattern": "*"})
    rig.eventually(lambda: rig.service.blocked == 1)
    started = time.monotonic()
    rig.run(rig.server.stop(grace=0.2))
    assert time.monotonic() - started < 2
    answer = peer.receive()
    assert (answer["id"], answer["error"]["code"]) == (7, 3001)
    assert peer.is_closed()
    assert rig.ask(lambda: (rig.server.connections, rig.server.running, len(rig.server._hub.tasks))) == (0, 0, 0)
    with pytest.raises(OSError):  # noqa: PT011 - refused or no such file
        rig.peer(kind)


def test_a_socket_path_that_no_system_can_take_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / ("s" * 120))
    with pytest.raises(OSError, match=re.escape(path)):
        listening_socket(UnixEndpoint(path))


def test_server_with_an_unusable_certificate_does_not_start(tmp_path: Path, made: MadeFiles) -> None:
    files = TlsFiles(made.admin.key, made.node.certificate, made.node.ca)

    async def main() -> None:
        async with Server(None, [UnixEndpoint(str(tmp_path / "s")), TlsEndpoint(files, "127.0.0.1", 0)]):  # type: ignore[arg-type]
            pass

    with pytest.raises(UnusableTlsFile, match=re.escape(made.admin.key)):
        asyncio.run(main())
    assert not (tmp_path / "s").exists()
