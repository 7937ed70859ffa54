"""File domains: what one that hangs costs others, what watching costs, how fast volumes come, go and are listed."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

import machine
import msgspec
from agent import Agent, AgentFailed, Setting, await_answer, await_recovered, prepared, started
from bench import Bench
from calls import Framing, request
from clients import LoadProcess, Work, connect
from rows import Round, load_since, percentile, row

from ovis.node.storage.domains.file_domain import FileDomain, NewFileDomain, create_file_domain
from ovis.node.storage.formats.domain_metadata import StorageType
from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Allocation, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.formats.volume_tags import Removal
from ovis.node.storage.io.process import IoProcess
from ovis.node.storage.leases.local import LocalLocks

GROUP = "file domains, local disk"
HANG = "p99 of ping2 while a domain hangs"
CHECK = "one path check of one domain, CPU of agent and ovis-io"
CHANGE = "volumes made and removed, flushed"
LISTS = {count: f"getVolumes of {count:,} volumes" for count in (1_000, 10_000)}
_TARGET_MS = 20.0
_HANGING = 20
_UP_SECONDS = 30.0


def measure(bench: Bench) -> None:
    if bench.wants_any([HANG, *LISTS.values()]):
        _measure_agent(bench)
    if bench.wants(CHECK):
        bench.add(row(GROUP, CHECK, _alone(_checks, 20 if bench.quick else 1000), "ms"))
    if bench.wants(CHANGE):
        bench.add(row(GROUP, CHANGE, _alone(_changes, 5 if bench.quick else 200), "volumes/s"))


def _measure_agent(bench: Bench) -> None:
    counts = {count: name for count, name in LISTS.items() if bench.wants(name) and not (bench.quick and count > 1000)}
    with prepared(Setting()) as place:
        with (place.folder / "ovisd.toml").open("a") as file:
            file.write(_configuration(place.folder))
        domains = [_made(place.folder, number) for number in range(2)]
        with started(place, obedient=True) as agent:
            await_answer(agent)
            await_recovered(agent)
            for domain in domains:
                _watch(agent, domain)
            for count, name in counts.items():
                _fill(place.folder, domains[1], count)
                rounds = [_list(agent, domains[1], count) for _ in range(1 if bench.quick else 5)]
                bench.add(row(GROUP, name, rounds, "ms"))
            if bench.wants(HANG):
                _measure_hang(bench, agent, domains[0])


def _measure_hang(bench: Bench, agent: Agent, domain: DomainId) -> None:
    with LoadProcess() as load, _hanging(agent, domain):
        rounds = [_ping(agent, load, 0.1 if bench.quick else 2.0) for _ in range(1 if bench.quick else 5)]
    bench.add(row(GROUP, HANG, rounds, "ms", target=_TARGET_MS, note=f"{_HANGING} calls wait for it"))


def _ping(agent: Agent, load: LoadProcess, seconds: float) -> Round:
    ping = (request(Framing.NATIVE, "Host.ping2"),)
    outcome = load.run(Work(agent.address(tls=False), Framing.NATIVE, ping, seconds, agent.pid))
    also = {"max ms": max(outcome.latencies) * 1e3, "calls": outcome.calls}
    return Round(percentile(outcome.latencies, 0.99) * 1e3, outcome.load, also)


@contextmanager
def _hanging(agent: Agent, domain: DomainId) -> Iterator[None]:
    """The domain's process stands still, as on a dead server, and calls wait for it."""
    process = _process_of(agent, domain)
    os.kill(process, signal.SIGSTOP)
    try:
        with ExitStack() as stack:
            sock = stack.enter_context(connect(agent.address(tls=False), Framing.NATIVE))
            for _ in range(_HANGING):
                sock.sendall(request(Framing.NATIVE, "StorageDomain.getInfo", {"storagedomainID": domain}))
            time.sleep(0.2)
            yield
    finally:
        os.kill(process, signal.SIGCONT)


def _process_of(agent: Agent, domain: DomainId) -> int:
    for child in Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split():
        if domain.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise AgentFailed(f"no ovis-io process works for storage domain {domain}")


def _watch(agent: Agent, domain: DomainId) -> None:
    connection = agent.connect()
    try:
        connection.call("Host.startMonitoringDomain", msgspec.json.encode({"sdUUID": domain, "hostID": 1}))
        end = time.monotonic() + _UP_SECONDS
        while not msgspec.json.decode(bytes(connection.call("Host.getStorageRepoStats", None)))[domain]["valid"]:
            if time.monotonic() > end:
                raise AgentFailed(f"storage domain {domain} does not become valid")
            time.sleep(0.05)
    finally:
        connection.close()


def _list(agent: Agent, domain: DomainId, count: int) -> Round:
    connection = agent.connect()
    before, begin = machine.cpu_times(), time.perf_counter()
    try:
        params = msgspec.json.encode({"storagedomainID": domain, "storagepoolID": domain})
        answer = msgspec.json.decode(bytes(connection.call("StorageDomain.getVolumes", params, timeout=60)))
    finally:
        connection.close()
    seconds = time.perf_counter() - begin
    if len(answer) != count:
        raise AgentFailed(f"{len(answer)} volumes are told, not {count}")
    return Round(seconds * 1e3, load_since(before))


def _configuration(folder: Path) -> str:
    return f"""[storage]
root = "{folder}/rhev"
run_folder = "{folder}/run/storage"
user = {os.getuid()}
group = {os.getgid()}
locks = "local"
check_seconds = 1
"""


def _made(folder: Path, number: int) -> DomainId:
    """A domain in a folder of its own among the mounts, whose name holds its id."""
    domain = DomainId(str(uuid.uuid4()))
    mount = folder / f"rhev/mnt/{number}-{domain}"
    mount.mkdir(parents=True)

    async def make() -> None:
        io = IoProcess([PurePosixPath(mount)])
        new = NewFileDomain(domain, 5, StorageType.LOCAL, str(mount))
        await create_file_domain(io, PurePosixPath(mount), new, LocalLocks())
        await io.close()

    asyncio.run(make())
    return domain


def _fill(folder: Path, domain: DomainId, count: int) -> None:
    """Let the domain have so many volumes, each in an image of its own."""
    (images,) = (folder / "rhev/mnt").glob(f"*/{domain}/images")
    text = b"CAP=1\nEOF\n"  # listing does not read it
    for _ in range(count - len(list(images.iterdir()))):
        image, volume = images / str(uuid.uuid4()), uuid.uuid4()
        image.mkdir()
        for suffix in ("", ".lease", ".meta"):
            (image / f"{volume}{suffix}").write_bytes(text if suffix == ".meta" else b"")


Measured = Callable[[FileDomain, IoProcess, int], Awaitable[Round]]


def _alone(work: Measured, count: int) -> list[Round]:
    """On a domain of this process, without an agent."""

    async def main(folder: Path) -> list[Round]:
        io = IoProcess([PurePosixPath(folder)])
        try:
            new = NewFileDomain(DomainId(str(uuid.uuid4())), 5, StorageType.LOCAL, str(folder))
            domain = await create_file_domain(io, PurePosixPath(folder), new, LocalLocks())
            return [await work(domain, io, count) for _ in range(3)]
        finally:
            await io.close()

    with prepared(Setting()) as place:
        mount = place.folder / "mount"
        mount.mkdir()
        return asyncio.run(main(mount))


async def _checks(domain: FileDomain, io: IoProcess, count: int) -> Round:
    assert io.pid is not None
    before, ours, its = machine.cpu_times(), time.process_time(), machine.cpu_seconds(io.pid)
    delays = [await domain.check_path() for _ in range(count)]
    cpu = time.process_time() - ours + machine.cpu_seconds(io.pid) - its
    return Round(cpu / count * 1e3, load_since(before), {"read ms": percentile(delays, 0.5) * 1e3})


async def _changes(domain: FileDomain, io: IoProcess, count: int) -> Round:
    before, begin = machine.cpu_times(), time.perf_counter()
    await asyncio.gather(*(_change(domain, count // 5) for _ in range(5)))
    return Round(count / (time.perf_counter() - begin), load_since(before))


async def _change(domain: FileDomain, count: int) -> None:
    for _ in range(count):
        image, volume = ImageId(str(uuid.uuid4())), VolumeId(str(uuid.uuid4()))
        metadata = VolumeMetadata(
            domain=domain.id, image=image, parent=None, capacity=1 << 30, format=VolumeFormat.RAW,
            allocation=Allocation.SPARSE, role=VolumeRole.LEAF, created=1,
        )  # fmt: skip
        await domain.store.begin(image, volume, metadata, size=1 << 30, allocate=False)
        await domain.store.publish(image, volume)
        await domain.store.mark_removed(image, [volume], Removal.DELETE)
        await domain.store.purge(image, [volume])
