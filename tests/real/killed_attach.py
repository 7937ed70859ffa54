"""An agent's storage that attaches a volume and is killed right after one step of it.

python killed_attach.py FOLDER record|device|link VOLUME DOMAIN FILE
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path, PurePosixPath
from typing import Any

from ovis.node.privileged.client import Privileged, child
from ovis.node.storage.managed.driver import Attachment, Connection
from ovis.node.storage.managed.local import LocalDriver
from ovis.node.storage.managed.records import Record, Records
from ovis.node.storage.managed.volumes import ManagedVolumes


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MortalRecords(Records):
    step = ""

    def write(self, record: Record) -> None:
        if self.step == "link" and record.attachment is not None:
            die()
        super().write(record)
        if self.step == "record":
            die()


class MortalDriver(LocalDriver):
    step = ""

    async def attach(self, *given: Any) -> Attachment:
        done = await super().attach(*given)
        if self.step == "device":
            die()
        return done


async def main(folder: Path, step: str, volume: str, domain: str, file: str) -> None:
    MortalRecords.step = MortalDriver.step = step
    options = ("--loop-folder", str(folder / "files"))
    root = Privileged(child(repository=PurePosixPath(folder / "repository"), user=36, group=36, options=options))
    records = MortalRecords(folder / "state/storage/managed")
    nothing: Any = None
    managed = ManagedVolumes(records, folder / "links/managedvolumes", root, nothing, find=lambda _: MortalDriver())
    await managed.attach(volume, domain, Connection("local", {"device_path": file}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5]))
