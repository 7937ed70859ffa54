"""Programs for tests: the helper finds them instead of the real ones, and everything else of it is real."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from ovis.node.privileged import commands
from ovis.node.privileged.client import Helper, Privileged, child
from ovis.node.privileged.rules import Rules
from ovis.node.privileged.server import serve


def put(folder: Path, name: str, script: str) -> None:
    """A shell script under the name of a program."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def use(folder: Path) -> None:
    """From here on, in this process."""
    commands.ENVIRONMENT["PATH"] = f"{folder}:{commands.ENVIRONMENT['PATH']}"


def child_with(folder: Path, repository: Path) -> Privileged:
    """A helper in a process of its own, as the agent starts it."""
    program = (sys.executable, "-P", __file__, str(folder))
    return Privileged(child(repository=PurePosixPath(repository), user=0, group=0, program=program))


@contextlib.asynccontextmanager
async def inside(rules: Rules) -> AsyncIterator[Privileged]:
    """A helper within this process."""
    serving: list[asyncio.Task[None]] = []

    async def start() -> Helper:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_unix_connection(sock=theirs)
        serving.append(asyncio.create_task(serve(reader, writer, rules, asyncio.Lock())))
        return Helper(*await asyncio.open_unix_connection(sock=ours), None)

    privileged = Privileged(start)
    try:
        yield privileged
    finally:
        await privileged.close()
        await asyncio.gather(*serving)


if __name__ == "__main__":
    from ovis.node.privileged.main import main

    use(Path(sys.argv.pop(1)))
    sys.exit(main())
