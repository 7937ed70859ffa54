"""Leases of VMs on a real file domain, under a real sanlock; read back by sanlock's own tool and a plain reader."""

import asyncio
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.rig import sanlock
from ovis.node.storage.domains.interface import Domain
from ovis.node.storage.formats.identifiers import LeaseId
from ovis.node.storage.formats.sanlock_areas import MIB
from ovis.node.storage.leases.errors import IndexUnusable, NoSuchLease
from ovis.node.storage.leases.external import ExternalLeases
from ovis.node.storage.leases.interface import Locks
from tests.independent_reader import plain_reader
from tests.node.storage.storage_host import Cluster, make_domain
from tests.real.remote_locks import remote_locks

LIMIT = 200.0
VM, OTHER, JOB = (LeaseId(str(uuid.UUID(int=number))) for number in (1, 2, 3))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if reason := sanlock.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("daemon")
    with sanlock.sanlock(folder, "one"):
        yield folder


@asynccontextmanager
async def a_domain(daemon: Path, folder: Path) -> AsyncIterator[Domain]:
    cluster = Cluster(folder)
    async with remote_locks(daemon) as (locks, _):
        cluster.locks = lambda name: locks  # type: ignore[assignment, method-assign, return-value]
        async with asyncio.timeout(LIMIT), cluster.host() as storage:
            domain = await storage.domain(await make_domain(cluster, storage))
            await domain.locks.join(domain.lockspace, 1)
            yield domain
            await domain.locks.leave(domain.lockspace, 1)


def dumped(path: Path) -> dict[str, int]:
    """{lease: offset} as sanlock's own tool reads them."""
    escaped = str(path).replace(":", "\\:")
    area = f"{escaped}:0:{path.stat().st_size}"
    command = ["sanlock", "direct", "dump", area]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    rows = [line.split() for line in output.splitlines()[1:]]
    return {row[2]: int(row[0]) for row in rows}


def test_sanlock_and_the_index_agree(daemon: Path, tmp_path: Path) -> None:
    async def main() -> None:
        async with a_domain(daemon, tmp_path) as domain:
            leases = ExternalLeases(domain)
            xleases = Path(domain.special("xleases").path)
            for lease in (VM, OTHER, JOB):
                await leases.make(await leases.reserve(lease), lease)
            await leases.remove(await leases.number(OTHER), OTHER)
            wanted = {VM: 3 * MIB, JOB: 5 * MIB}
            assert dumped(xleases) == wanted
            assert plain(xleases) == wanted
            damage(xleases)
            with pytest.raises(IndexUnusable):
                await leases.find(VM)
            await leases.rebuild(1_700_000_000)
            assert (await leases.find(JOB)).place.offset == 5 * MIB
            with pytest.raises(NoSuchLease):
                await leases.find(OTHER)
            await notes(domain.locks, leases)

    asyncio.run(main())


async def notes(locks: Locks, leases: ExternalLeases) -> None:
    """A note is where everybody looks for it once its writer has let go."""
    job = await leases.find(JOB)
    assert await leases.read_note(job) == b""
    await locks.acquire(job, 1)
    await locks.write_note(job, b"{}")
    await locks.release(job)
    assert await leases.read_note(job) == b"{}"
    assert await leases.read_note(await leases.find(VM)) == b""


def plain(xleases: Path) -> dict[str, int]:
    """{lease: offset} as the index says, to somebody else."""
    with xleases.open("rb") as file:
        read = plain_reader.lease_index(file, MIB)
    assert not read["updating"]
    return {name: offset for name, (offset, updating) in read["leases"].items() if not updating}


def damage(xleases: Path) -> None:
    with xleases.open("r+b") as file:
        file.seek(MIB)
        file.write(bytes(8192))
