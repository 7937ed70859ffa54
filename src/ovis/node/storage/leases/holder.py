"""The process that holds the leases of one lockspace for the agent, and stops what works under them.

    agent ──starts──> holder ──registers──> sanlock
      ^                 │
      └── the registered connection, over a Unix socket (SCM_RIGHTS); writers inherit it from the agent

Sanlock takes a lease away from its holder by ending it (SIGTERM, later SIGKILL), and believes the holder dead when the
last copy of its connection is closed. So a writer that inherited the connection keeps the lease held until it is dead:
there is no moment in which another host has the lease and it still writes. This process makes that moment short: when
it is told to end, when the agent is gone, or when sanlock is, it kills whoever has the connection open, the living
agent apart (which hears of it by the end of the socket and stops its own work), and ends. The root helper only hands
the connection on: its commands are killed, and when it has closed its copy is waited for. Where the agent is not root,
this process cannot see the helper's commands; the helper kills them when this process has ended.

What cannot be killed (a process that waits for a dead NFS server) keeps the lease held; then the watchdog resets the
host, before another one gets the lease.

Run as a file, with -I and -S: it starts quickly, is small and imports nothing of Ovis.
"""

import array
import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
import time

LIBRARIES = ("libsanlock_client.so.1", "libsanlock.so.1")
KILL_SECONDS = 20.0  # to see those end that were killed; sanlock's next signal comes after 40 s
HELPER = "ovis-privileged"  # node/privileged/main.py
ERROR_BYTES = 4
PR_SET_NAME = 15


class ToldToEnd(Exception):
    pass


def main(control: int, agent: int) -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"ovis-lease")
    channel = socket.socket(fileno=control)
    connection = register()
    answer = connection.to_bytes(ERROR_BYTES, "big", signed=True)
    if connection < 0:
        channel.sendmsg([answer])
        return
    spared = {os.getpid()}
    try:
        channel.sendmsg([answer], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [connection]))])
        agent_is_gone = wait(control, connection)
        if not agent_is_gone:
            spared.add(agent)
    except (ToldToEnd, ConnectionError):
        spared.add(agent)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is being done
    end_writers(connection, spared)


def _end(number: int, frame: object) -> None:
    raise ToldToEnd


def register() -> int:
    """The connection; negative: what sanlock or the kernel says."""
    for name in LIBRARIES:
        with contextlib.suppress(OSError):
            return int(ctypes.CDLL(name).sanlock_register())
    return -2


def wait(control: int, connection: int) -> bool:
    """Until the agent or sanlock has gone; whether it was the agent."""
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(connection, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == control and not os.read(control, 16):
                return True
            if descriptor == connection:
                return False


def end_writers(connection: int, spared: set[int]) -> None:
    """Kill everybody who has the connection open, and wait for their end."""
    until = time.monotonic() + KILL_SECONDS
    link = f"socket:[{os.fstat(connection).st_ino}]"
    while (found := holders(link) - spared) and time.monotonic() < until:
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                if not hands_on(pid):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def hands_on(pid: int) -> bool:
    """Whether it is the root helper itself."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip() == HELPER
    except OSError:
        return False


def holders(link: str) -> set[int]:
    """Processes of this user with that socket open."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        folder = f"/proc/{name}/fd"
        with contextlib.suppress(OSError):  # it ended, or is somebody else's
            for number in os.listdir(folder):
                if os.readlink(f"{folder}/{number}") == link:
                    found.add(int(name))
                    break
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
