"""A server that does nothing but answer: the least that a call costs on this machine, in Python and over TCP.

On virtual machines most of it is the wake-up of the process on the other core.
"""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

from clients import Address

_ANSWER = b'{"jsonrpc":"2.0","id":"4f6a9d6e-1a45-4c9a-b1d2-7c1f0a9d6e11","result":true}'
_START_SECONDS = 10.0


@dataclass(frozen=True)
class Echo:
    pid: int
    address: Address


@contextmanager
def running() -> Iterator[Echo]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        if not ours.poll(_START_SECONDS):
            raise TimeoutError("the echo server does not start")
        assert process.pid is not None
        yield Echo(process.pid, Address("127.0.0.1", ours.recv()))
    finally:
        process.kill()
        process.join()


def _serve(pipe: Pipe) -> None:
    answer = struct.pack(">Q", len(_ANSWER)) + _ANSWER
    selector = selectors.EpollSelector()
    listening = socket.create_server(("127.0.0.1", 0))
    selector.register(listening, selectors.EVENT_READ)
    pipe.send(listening.getsockname()[1])
    while True:
        for key, _ in selector.select():
            if key.fileobj is listening:
                sock, _ = listening.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(sock, selectors.EVENT_READ, sock)
            elif key.data.recv(65536):
                key.data.send(answer)
            else:
                selector.unregister(key.data)
                key.data.close()
