"""Copies between a volume and a file outside, which has a lease of its own."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from engine import MIB, Engine, engine, volume
from volume_station import qemu_img, qemu_io

from ovis.node.errors import BadParameter
from ovis.node.storage.formats.identifiers import DomainId, LeaseId
from ovis.node.storage.jobs import external_end
from ovis.node.storage.jobs.external_end import ExternalEnd
from ovis.node.storage.leases import job_notes, steps
from ovis.node.storage.leases.external import ExternalLeases
from ovis.node.storage.leases.held import held

LEASE = "77777777-0000-4000-8000-000000000001"
FIRST_JOB = "33333333-0000-4000-8000-000000000000"


async def leased(at: Engine, url: str, **more: Any) -> dict[str, Any]:
    """An end with a lease for the first job."""
    note = f'{{"type":"JOB","generation":4,"job_id":"{FIRST_JOB}","job_status":"PENDING"}}'
    task = await at.storage.tasks.start("lease", [steps.Make(at.domain, LeaseId(LEASE), note)], tag="spm")
    await at.storage.tasks.wait(task)
    lease = {"sd_id": at.domain, "lease_id": LEASE}
    return {"endpoint_type": "external", "url": url, "lease": lease, "generation": 4, "format": "raw"} | more


async def note(at: Engine) -> tuple[str, int]:
    """Simulated leases keep their notes in memory."""
    domain = await at.storage.domain(at.domain)
    resource = await ExternalLeases(domain).find(LeaseId(LEASE))
    async with held(domain.locks, resource, 1):
        found = job_notes.read(resource, await domain.locks.read_note(resource))
    assert found is not None
    return found.job_status.value, found.generation


def test_a_volume_goes_out_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine(tmp_path) as at:
            await at.create(1, size=str(MIB))
            qemu_io(await at.path(1), "qcow2", "write -P 7 0 64k")
            outside = tmp_path / "outside"
            end = await leased(at, str(outside))
            job = await at.job("SDM.copy_data", source=at.endpoint(1), destination=end)
            assert job["status"] == "done", job
            qemu_io(outside, "raw", "read -P 7 0 64k", "read -P 0 64k 64k")
            assert await note(at) == ("SUCCEEDED", 5)
            job = await at.job("SDM.copy_data", source=at.endpoint(1), destination=end)
            assert job["error"].code == 912

    asyncio.run(main())


def test_a_file_comes_in(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine(tmp_path) as at:
            await at.create(1, size=str(MIB))
            outside = tmp_path / "outside"
            qemu_img("create", "-q", "-f", "raw", str(outside), str(MIB))
            qemu_io(outside, "raw", "write -P 7 0 64k")
            job = await at.job("SDM.copy_data", source=await leased(at, str(outside)), destination=at.endpoint(1))
            assert job["status"] == "done", job
            assert await note(at) == ("SUCCEEDED", 5)
            qemu_io(await at.path(1), "qcow2", "read -P 7 0 64k")

    asyncio.run(main())


def test_a_failure_is_noted(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine(tmp_path) as at:
            await at.create(1, size=str(MIB))
            end = await leased(at, str(tmp_path / "nothing"))
            job = await at.job("SDM.copy_data", source=end, destination=at.endpoint(1))
            assert job["status"] == "failed"
            assert await note(at) == ("FAILED", 5)
            assert (await at.call("Volume.getInfo", volumeID=volume(1)))["legality"] == "ILLEGAL"

    asyncio.run(main())


@pytest.mark.parametrize(
    "url", ["json:{}", "relative", "file:/etc/passwd", "/a/../b", "fat:/etc", "nbd:unix:/x y", "/x\n", "ssh://x"]
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(BadParameter):
        external_end.check("source", ExternalEnd(url, "raw", DomainId(LEASE), LeaseId(LEASE), 0))


@pytest.mark.parametrize(
    "url", ["/dev/mapper/x", "nbd:unix:/run/x.sock", "nbd:10.0.0.1:10809", "nbd://host/x", "rbd:a/b"]
)
def test_addresses_that_are_taken(url: str) -> None:
    external_end.check("source", ExternalEnd(url, "raw", DomainId(LEASE), LeaseId(LEASE), 0))
