"""The loop of an ovis-io process: requests from the agent's socket, a few threads that do them, answers back.

The agent sends no more than `THREADS` at once. When the agent is gone, for whatever reason, the socket ends and so does
the process, in the middle of everything: that, and not PR_SET_PDEATHSIG, which fires when the *thread* that started a
process ends.
"""

from __future__ import annotations

import _thread
import errno
import os
import sys
from _queue import SimpleQueue

from ovis.node.storage.io import messages
from ovis.node.storage.io.messages import Request
from ovis.node.storage.io.operations import Operations
from ovis.node.storage.io.paths import Roots

THREADS = 10
STACK = 256 << 10


def main(arguments: list[str]) -> None:
    """SOCKET [FOLDER | --devices FOLDER | --owner UID:GID]..."""
    _take_name()
    os.umask(0)  # modes are as asked for
    os.chdir("/")  # nothing keeps a file system mounted
    folders: list[bytes] = []
    devices: list[bytes] = []
    rest = iter(arguments[1:])
    for argument in rest:
        if argument == "--devices":
            devices.append(os.fsencode(next(rest)))
        elif argument == "--owner":
            _become(*map(int, next(rest).split(":")))
        else:
            folders.append(os.fsencode(argument))
    _Server(int(arguments[0]), Operations(Roots(folders, devices))).run()


def _take_name() -> None:
    with open("/proc/self/comm", "w") as comm:
        comm.write("ovis-io")


def _become(user: int, group: int) -> None:
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)


class _Server:
    def __init__(self, socket: int, operations: Operations) -> None:
        self._socket, self._operations = socket, operations
        self._waiting: SimpleQueue[Request] = SimpleQueue()
        self._sending = _thread.allocate_lock()
        self._threads = 0
        self._idle = 0
        self._counting = _thread.allocate_lock()

    def run(self) -> None:
        _thread.stack_size(STACK)
        while True:
            (length,) = messages.LENGTH.unpack(self._receive(messages.LENGTH.size))
            self._give(messages.unpack_request(self._receive(length)))

    def _give(self, request: Request) -> None:
        with self._counting:
            is_needed = self._idle <= 0 and self._threads < THREADS
            if is_needed:
                self._threads += 1
            else:
                self._idle -= 1
        self._waiting.put(request)
        if is_needed:
            _thread.start_new_thread(self._work, ())

    def _work(self) -> None:
        while True:
            request = self._waiting.get()
            code, body = self._do(request)
            with self._counting:
                self._idle += 1
            self._send(messages.pack_answer(request.call, code, body))
            del request, body  # megabytes, which an idle thread would keep

    def _do(self, request: Request) -> tuple[int, bytes]:
        try:
            return 0, self._operations.do(request)
        except OSError as error:
            path = error.filename if isinstance(error.filename, bytes) else request.path
            return error.errno or errno.EIO, path
        except Exception as error:  # noqa: BLE001  # a fault of ours must be told, or the call would wait for nothing
            sys.stderr.write(f"ovis-io: {messages.OPERATIONS[request.operation]} failed: {error!r}\n")
            return errno.EINVAL, request.path

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = os.read(self._socket, size - len(data))
            if not more:
                os._exit(0)
            data += more
        return data

    def _send(self, data: bytes) -> None:
        with self._sending, memoryview(data) as view:
            done = 0
            while done < len(data):
                try:
                    done += os.write(self._socket, view[done:])
                except OSError:
                    os._exit(0)
