"""Changes are tied to all leases that allow them; looks to none."""

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ovis.node.privileged.client import Tie
from ovis.node.privileged.devices import ReadDmsetup, ZeroDevice
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.formats.sanlock_areas import Geometry
from ovis.node.storage.leases.held import while_trusted
from ovis.node.storage.leases.interface import Lockspace
from ovis.node.storage.leases.local import LocalLocks
from ovis.node.storage.leases.tied_root import TiedRoot
from ovis.node.storage.volumes.store import LeasePlace


class Root:
    def __init__(self) -> None:
        self.ties: list[tuple[Tie, ...]] = []

    async def call(self, request: Any, *, ties: Sequence[Tie] = (), **_: Any) -> Any:
        self.ties.append(tuple(ties))


def test_the_operation_and_the_role_count(tmp_path: Path) -> None:
    async def main() -> None:
        locks, root = LocalLocks(), Root()
        spaces = []
        for name in ("old", "new"):
            (tmp_path / name).touch()
            spaces.append(Lockspace(DomainId(name), LeasePlace(PurePosixPath(tmp_path / name)), Geometry()))
            await locks.join(spaces[-1], 1)
        old, new = (locks.tie(space) for space in spaces)
        assert old
        assert new
        role = [old]
        tied = TiedRoot(root, lambda: role)
        async with while_trusted(locks, spaces[0], "a task of the SPM"):
            await tied.call(ZeroDevice(path="/dev/x"))
            role[:] = [new]  # the master has changed
            await tied.call(ZeroDevice(path="/dev/x"))
            await tied.call(ReadDmsetup())
        await tied.call(ZeroDevice(path="/dev/x"))
        assert root.ties == [(old,), (old, new), (), (new,)]
        await locks.close()

    asyncio.run(main())
