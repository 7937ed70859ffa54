"""A helper that runs as a service, and connections made by a user who may do nothing: run in a mount namespace.

    unshare --mount --propagation private python unprivileged_agent.py FOLDER

Prints what was seen, a line each.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  # the interpreter may lie where that user cannot read
import os
import signal
import sys
import time
from pathlib import Path, PurePosixPath

from ovis.client.types import ConnectionRefParameters, StorageDomainTypeId
from ovis.node.privileged import main as helper
from ovis.node.privileged.client import Privileged, at
from ovis.node.storage.connections.connections import Connections
from ovis.node.storage.connections.interface import Tools
from ovis.node.storage.formats.repository import Repository

AGENT = 36


async def use(folder: Path) -> None:
    repository = Repository(root=PurePosixPath(folder / "repository"))
    root = Privileged(at(folder / "socket"))
    connections = Connections(Tools(root, repository), folder / "state/connections.json")
    server = ConnectionRefParameters(connection="scratch", vfs_type="tmpfs", mnt_options="uid=36,gid=36,size=1m")
    (outcome,) = await connections.connect(StorageDomainTypeId.POSIXFS, [server])
    print("connected:", outcome.problem)
    (folder / "repository/mnt/scratch/file").write_text("written by the agent")
    facts = (folder / "repository/mnt/scratch/file").stat()
    print("owner:", facts.st_uid)
    (outcome,) = await connections.disconnect(StorageDomainTypeId.POSIXFS, [server])
    print("disconnected:", outcome.problem)
    await connections.close()
    await root.close()


def main(folder: Path) -> None:
    for name in ("repository", "state"):
        (folder / name).mkdir()
        os.chown(folder / name, AGENT, AGENT)
    service = os.fork()
    if service == 0:
        os._exit(helper.main(["--socket", str(folder / "socket"), "--repository", str(folder / "repository")]))
    while not (folder / "socket").is_socket():
        time.sleep(0.02)
    agent = os.fork()
    if agent == 0:
        os.setgroups([])
        os.setgid(AGENT)
        os.setuid(AGENT)
        asyncio.run(use(folder))
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(agent, 0)
    os.kill(service, signal.SIGTERM)
    print("helper ended with", os.waitstatus_to_exitcode(os.waitpid(service, 0)[1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
