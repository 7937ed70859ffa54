"""Two agents on one domain at the same time: the SPM's work on one, jobs under leases of volumes on both. Afterwards
what lies there is what was done: nothing lost, nothing twice. The answer is read past the agents."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from deploy.bed import project
from deploy.bed.hosts import Hosts
from tests.bed.parts.block_hosts import BlockHost, block_hosts, block_pool, logical
from tests.bed.parts.storage_hosts import EXPORT, POOL, StorageHost, storage_hosts

pytestmark = pytest.mark.timeout(900)
GIB, MIB = 1 << 30, 1 << 20
NOTHING = "00000000-0000-0000-0000-000000000000"
SECONDS = 25.0
LOOK = project.ROOT / "tests/bed/parts/plain_look.py"
COW, SPARSE, LEAF = 4, 2, 8
GENERATION_MISMATCH, LEASE_HELD = 911, 651


@dataclass
class Row:
    """One volume as it should be."""

    image: str
    parent: str
    capacity: int
    generation: int = 0


@dataclass
class Domain:
    """`look`: what is there, past the agents. `rows`: what should be."""

    hosts: list[Any]
    id: str
    look: Callable[[], dict[str, Any]]
    rows: dict[str, Row] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def spm(self) -> StorageHost:
        return self.hosts[0]

    def note(self, what: str, volume: str, row: Row | None) -> None:
        with self.lock:
            self.done.append(what)
            if row is None:
                del self.rows[volume]
            else:
                self.rows[volume] = row

    def create(self, *, on: str | None = None) -> str:
        """A thin disk, or a snapshot of the one whose newest volume is `on`. The new volume."""
        volume = str(uuid.uuid4())
        below = self.rows[on] if on else None
        image = below.image if below else str(uuid.uuid4())
        capacity = below.capacity if below else GIB
        more = {"srcImgUUID": image, "srcVolUUID": on} if on else {}
        self.spm.done(
            "Volume.create", storagedomainID=self.id, imageID=image, volumeID=volume, size=str(capacity),
            volFormat=COW, preallocate=SPARSE, initialSize=str(MIB), **more,
        )  # fmt: skip
        self.note("snapshot" if on else "create", volume, Row(image, on or NOTHING, capacity))
        return volume

    def extend(self, volume: str) -> None:
        row = self.rows[volume]
        size = row.capacity + GIB
        self.spm.done("Volume.extendSize", **self.ids(volume), newSize=str(size))
        self.note("extend", volume, Row(row.image, row.parent, size, row.generation))

    def copy(self, volume: str) -> str:
        new, image = str(uuid.uuid4()), str(uuid.uuid4())
        self.spm.done(
            "Volume.copy", **self.ids(volume), dstImgUUID=image, dstVolUUID=new,
            volType=LEAF, volFormat=COW, preallocate=SPARSE,
        )  # fmt: skip
        self.note("copy", new, Row(image, NOTHING, self.rows[volume].capacity))
        return new

    def delete(self, volume: str) -> None:
        """The whole disk."""
        image = self.rows[volume].image
        self.spm.done("Image.delete", storagedomainID=self.id, imageID=image)
        for gone in [name for name, row in self.rows.items() if row.image == image]:
            self.note("delete", gone, None)

    def ids(self, volume: str) -> dict[str, str]:
        return {"storagedomainID": self.id, "imageID": self.rows[volume].image, "volumeID": volume}

    def end(self, volume: str, generation: int | None = None) -> dict[str, Any]:
        guard = {} if generation is None else {"generation": generation}
        return {
            "sd_id": self.id, "img_id": self.rows[volume].image, "vol_id": volume, "endpoint_type": "div", **guard,
        }  # fmt: skip

    def assert_as_noted(self) -> None:
        expected = {volume: [r.image, r.parent, r.capacity, r.generation] for volume, r in self.rows.items()}
        assert self.look() == expected
        for host in self.hosts:
            found = host.call("StorageDomain.getVolumes", storagedomainID=self.id, storagepoolID=POOL)
            assert sorted(found) == sorted(expected)


def spm_work(domain: Domain, until: float) -> None:
    """Disks are made, snapshotted, grown, copied and deleted."""
    kept: list[str] = []
    while time.monotonic() < until:
        disk = domain.create()
        leaf = domain.create(on=disk)
        domain.extend(leaf)
        kept += [disk, domain.copy(leaf)]
        if len(kept) > 1:
            domain.delete(kept.pop(0))


def jobs(domain: Domain, host: StorageHost, source: str, target: str, contested: str, until: float) -> None:
    """Data are copied into the host's own disk; the description of a disk of both is written, if it is as it was."""
    while time.monotonic() < until:
        row = domain.rows[target]
        ends = {"source": domain.end(source), "destination": domain.end(target, row.generation)}
        assert host.job_ended("SDM.copy_data", **ends) == ("done", None)
        domain.note(f"copy data on {host.bed.name}", target, Row(row.image, NOTHING, row.capacity, row.generation + 1))
        told = host.call("Volume.getInfo", storagepoolID=POOL, **domain.ids(contested))
        wanted = {"vol_info": domain.end(contested, told["generation"]), "vol_attr": {"description": host.bed.name}}
        status, error = host.job_ended("SDM.update_volume", **wanted)
        with domain.lock:
            domain.done.append(f"update on {host.bed.name}: {status}")
            if status == "done":
                domain.rows[contested].generation += 1
            else:
                assert error["code"] in (GENERATION_MISMATCH, LEASE_HELD), error


def work(domain: Domain) -> None:
    source, contested, *targets = [domain.create() for _ in range(4)]
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(spm_work, domain, until) for _ in range(2)]
        running += [
            threads.submit(jobs, domain, host, source, target, contested, until)
            for host, target in zip(domain.hosts, targets, strict=True)
        ]
        for one in running:
            one.result()
    counted = {what: domain.done.count(what) for what in sorted(set(domain.done))}
    print(", ".join(f"{what} {count}" for what, count in counted.items()))
    domain.assert_as_noted()


@contextmanager
def ended(beds: Hosts) -> Iterator[None]:
    """No bed runs afterwards: the next test takes the same names."""
    try:
        yield
    finally:
        for bed in beds.beds.values():
            bed.stop()


def test_two_hosts_work_on_one_export(beds: Hosts) -> None:
    with ended(beds), storage_hosts(beds) as hosts:
        for host in hosts:
            host.connect_server()
        domain_id = hosts[0].make_domain()
        hosts[0].make_pool(domain_id)
        for host in hosts:
            host.join(domain_id)
        hosts[0].lead()

        def look() -> dict[str, Any]:
            words = [project.PYTHON, LOOK, "files", f"{EXPORT}/{domain_id}"]
            return dict(json.loads(beds.beds["server"].run(words).out))

        work(Domain(hosts, domain_id, look))


def test_two_hosts_work_on_one_volume_group(beds: Hosts) -> None:
    with ended(beds), block_hosts(beds, size=60 * GIB) as hosts:
        domain_id = block_pool(hosts)

        def look() -> dict[str, Any]:
            rows = json.dumps(logical(hosts[1].bed, domain_id)).encode()
            return dict(json.loads(hosts[1].bed.run([project.PYTHON, LOOK, "group", domain_id], given=rows).out))

        domain = Domain(hosts, domain_id, look)
        work(domain)
        for host in hosts:
            assert_none_active(host, domain)


def assert_none_active(host: BlockHost, domain: Domain) -> None:
    names = host.active()
    assert not [volume for volume in domain.rows if f"{domain.id}-{volume}".replace("-", "--") in names]
    own = {"metadata", "ids", "leases", "xleases", "inbox", "outbox", "master"}
    group = domain.id.replace("-", "--") + "-"
    assert {name.removeprefix(group) for name in names if name.startswith(group)} <= own
