"""`ovis-privileged`: do as root what the agent may not, and nothing else.

    ovis-privileged --inherited FD   for the process that started it, over a socket that it handed down
    ovis-privileged --socket PATH    for root and the agent's user, as a service

Exit codes: 0 the agent has gone or a signal asked for it, 1 failed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Coroutine, Sequence
from pathlib import Path, PurePosixPath

from ovis.node import logs, systemd
from ovis.node.privileged.rules import Rules
from ovis.node.privileged.server import peer, serve

log = logging.getLogger(__name__)

NAME = "ovis-privileged"
"""In lists of processes. The holder of a lease knows by it who only hands the lease on (storage/leases/holder.py)."""
SANLOCK_FOLDER = "SANLOCK_RUN_DIR"
"""Read by libsanlock."""
NICE = -10
"""Its commands are short, and guests wait for some of them, on a host whose CPUs guests may fill."""
LONGEST_GRACE = 15.0
"""For commands that end with the helper: more than any of them is given to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logs.configure(options.log_level, "text", for_journal=systemd.runs_under_systemd())
    rules = Rules(
        repository=PurePosixPath(options.repository),
        user=options.user,
        group=options.group,
        file_systems=frozenset(options.file_system),
        loop_folder=PurePosixPath(options.loop_folder),
        adapters=PurePosixPath(options.adapters),
        hooks=PurePosixPath(options.hooks),
        network_state=PurePosixPath(options.network_state),
        resolver=PurePosixPath(options.resolver),
        swtpm=PurePosixPath(options.swtpm_folder),
        nvram=PurePosixPath(options.nvram_folder),
    )
    if options.sanlock_folder is not None:
        os.environ[SANLOCK_FOLDER] = options.sanlock_folder
    os.umask(0o022)
    with contextlib.suppress(OSError):  # a container may forbid it
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    Path("/proc/self/comm").write_text(NAME, encoding="ascii")
    try:
        asyncio.run(_run(options, rules))
    except OSError as error:
        log.error("cannot serve: %s", error)  # noqa: TRY400  # the text says it all
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ovis-privileged", description="The root helper of the Ovis node agent.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--inherited", type=int, metavar="FD", help="serve the socket that was handed down")
    where.add_argument("--socket", type=Path, metavar="PATH", help="listen on a Unix socket")
    parser.add_argument("--repository", default="/rhev/data-center", help="file systems are mounted below it only")
    parser.add_argument("--user", type=int, default=36, help="number of the agent's user (default 36)")
    parser.add_argument("--group", type=int, default=36, help="number of the agent's group (default 36)")
    parser.add_argument(
        "--file-system", action="append", default=[], help="a type that may be mounted beside the usual"
    )
    parser.add_argument("--loop-folder", default=Rules.loop_folder, help="files of managed volumes for labs")
    parser.add_argument("--adapters", default=Rules.adapters, help="helper programs for managed volumes of vendors")
    parser.add_argument("--hooks", default=Rules.hooks, help="folder of hook scripts")
    parser.add_argument("--network-state", default=Rules.network_state, help="folder of configurations of networks")
    parser.add_argument("--resolver", default=Rules.resolver, help="the file with the DNS servers of the host")
    parser.add_argument("--sanlock-folder", help="where the socket of sanlock is (default: its usual place)")
    parser.add_argument("--swtpm-folder", default=Rules.swtpm, help="where libvirt has the contents of TPMs")
    parser.add_argument("--nvram-folder", default=Rules.nvram, help="where libvirt has UEFI variables")
    parser.add_argument("--log-level", default="INFO", choices=("INFO", "WARNING", "ERROR"))
    return parser


async def _run(options: argparse.Namespace, rules: Rules) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    records = asyncio.Lock()
    if options.inherited is not None:
        await _serve_inherited(options.inherited, rules, records, stop)
    else:
        await _listen(options.socket, rules, records, stop)


async def _serve_inherited(descriptor: int, rules: Rules, records: asyncio.Lock, stop: asyncio.Event) -> None:
    os.set_inheritable(descriptor, False)
    reader, writer = await asyncio.open_unix_connection(sock=socket.socket(fileno=descriptor))
    await _until(stop, serve(reader, writer, rules, records))


async def _listen(path: Path, rules: Rules, records: asyncio.Lock, stop: asyncio.Event) -> None:
    """Anybody may connect; who is neither root nor the agent is turned away by the kernel's word about the peer."""
    served: set[asyncio.Task[None]] = set()

    def admit(reader: StreamReader, writer: StreamWriter) -> None:
        user = peer(writer).user
        if user not in (0, rules.user):
            log.warning("user %d was turned away", user)
            writer.close()
            return
        task = asyncio.create_task(serve(reader, writer, rules, records))
        served.add(task)
        task.add_done_callback(served.discard)

    listener = _bound(path)
    server = await asyncio.start_unix_server(admit, sock=listener)
    try:
        await stop.wait()
    finally:
        server.close()
        for task in served:
            task.cancel()
        if served:
            await asyncio.wait(served, timeout=LONGEST_GRACE)


def _bound(path: Path) -> socket.socket:
    """The file stays when the helper ends: its folder is the service's, and the next one takes its place."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o666)
    return listener


async def _until(stop: asyncio.Event, serving: Coroutine[None, None, None]) -> None:
    tasks = {asyncio.create_task(serving), asyncio.create_task(stop.wait())}
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_GRACE):
            await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    sys.exit(main())
