"""What one ping costs the server: `python tests/bench/wire.py [--seconds 1] [--rounds 5] [--loop asyncio]`.

The server runs in a process of its own and reports its CPU time; clients are plain sockets in this process that send a
request, wait for the answer and send the next. A call which the service answers at once (`now`) is compared with one
that takes a task (`task`).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import multiprocessing
import os
import selectors
import socket
import ssl
import statistics
import tempfile
import time
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from ovis.wire import certificates
from ovis.wire.endpoints import PlainEndpoint, TlsEndpoint
from ovis.wire.events import Bus, Subscription
from ovis.wire.framing import frame
from ovis.wire.listener import Server
from ovis.wire.stomp import encode
from ovis.wire.tls import TlsFiles, client_context

NATIVE = frame(b'{"jsonrpc":"2.0","method":"Host.%b","params":{},"id":"4f6a9d6e-1a45-4c9a-b1d2-7c1f0a9d6e11"}')
BODY = b'[{"jsonrpc":"2.0","method":"Host.%b","params":{},"id":"4f6a9d6e-1a45-4c9a-b1d2-7c1f0a9d6e11"}]'
SUBSCRIBE = b"CONNECT\naccept-version:1.2\nheart-beat:0,24000\n\n\0SUBSCRIBE\nid:1\nack:auto\ndestination:answers\n\n\0"


class Service:
    bus = Bus()

    def call_now(self, method: str, params: object, caller: object, *, flow: str) -> bytes | None:
        return b"true" if method == "Host.ping2" else None

    async def call(self, method: str, params: object, caller: object, *, flow: str) -> bytes:
        return b"true"

    def subscribe(self, pattern: str, caller: object) -> Subscription:
        return self.bus.subscribe(pattern)


def serve(pipe: Pipe, files: TlsFiles, loop: str) -> None:
    async def main() -> None:
        async with Server(Service(), [PlainEndpoint(), TlsEndpoint(files, "127.0.0.1", 0)]) as server:
            pipe.send(server.addresses)
            stop = asyncio.Event()

            def asked() -> None:
                pipe.send(time.process_time()) if pipe.recv() else stop.set()

            asyncio.get_running_loop().add_reader(pipe.fileno(), asked)
            await stop.wait()

    if loop == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())


def request(framing: str, method: bytes) -> bytes:
    if framing == "native":
        message = NATIVE[8:] % method
        return frame(message)
    headers = {
        "destination": "jms.topic.vdsm_requests",
        "reply-to": "answers",
        "content-type": "application/json",
    }
    return encode("SEND", headers, BODY % method)


def connect(address: tuple[str, int], framing: str, context: ssl.SSLContext | None) -> socket.socket:
    sock = socket.create_connection(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if context is not None:
        sock = context.wrap_socket(sock, server_hostname="localhost")
    if framing == "stomp":
        sock.sendall(SUBSCRIBE)
        sock.recv(4096)
    return sock


def measure(pipe: Pipe, socks: list[socket.socket], message: bytes, seconds: float) -> tuple[float, float]:
    """Calls per second and microseconds of server CPU per call."""
    selector = selectors.DefaultSelector()
    for sock in socks:
        selector.register(sock, selectors.EVENT_READ)
        sock.sendall(message)
    pipe.send(True)
    cpu = pipe.recv()
    calls = 0
    start = time.perf_counter()
    while (now := time.perf_counter()) - start < seconds:
        for key, _ in selector.select(1):
            key.fileobj.recv(65536)
            key.fileobj.sendall(message)
            calls += 1
    pipe.send(True)
    cpu = pipe.recv() - cpu
    for sock in socks:
        sock.close()
    return calls / (now - start), cpu / calls * 1e6


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loop", default="uvloop", choices=["uvloop", "asyncio"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = certificates.ensure(Path(folder))
        ours, theirs = multiprocessing.Pipe()
        server = multiprocessing.get_context("fork").Process(target=serve, args=(theirs, made.node, options.loop))
        server.start()
        plain, tls = ours.recv()
        context = client_context(made.admin)
        addresses = {"no": (plain, None), "yes": (tls, context)}
        found: dict[tuple[str, str, int, str], list[tuple[float, float]]] = {}
        for _ in range(options.rounds):  # round by round, so that a busy moment of the machine hits every row
            for framing, secure, clients, (kind, method) in itertools.product(
                ("native", "stomp"), addresses, (1, 16), (("now", b"ping2"), ("task", b"ping"))
            ):
                socks = [connect(addresses[secure][0], framing, addresses[secure][1]) for _ in range(clients)]
                row = measure(ours, socks, request(framing, method), options.seconds)
                found.setdefault((framing, secure, clients, kind), []).append(row)
        print(f"load {os.getloadavg()[0]:.1f}, {options.loop}, medians of {options.rounds} (least)")
        print("framing  tls  clients  kind   calls/s  server CPU us/call")
        for (framing, secure, clients, kind), rows in found.items():
            rate = statistics.median(row[0] for row in rows)
            cpu = [row[1] for row in rows]
            cost = f"{statistics.median(cpu):8.1f} ({min(cpu):.1f})"
            print(f"{framing:8} {secure:4} {clients:7}  {kind:5} {rate:8.0f}  {cost}")
        ours.send(False)
        server.join(5)


if __name__ == "__main__":
    main()
