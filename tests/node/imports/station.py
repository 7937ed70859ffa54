"""A place where imports are tried: jobs, volumes and a state folder, with another libvirt in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from archives import DOMAIN, POOL, image_id, volume_id

from ovis.client.types import ExternalDiskParams, ExternalVmParams, VolumeFormat
from ovis.node.hypervisor.simulated.external import SimulatedExternal
from ovis.node.imports.imports import Imports
from ovis.node.imports.settings import ImportSettings
from ovis.node.jobs import Job, Jobs, Phase
from ovis.wire.events import Bus

JOB = "dddddddd-0000-4000-8000-000000000001"
SECONDS = 60.0


@dataclass
class Station:
    folder: Path
    jobs: Jobs
    external: SimulatedExternal
    imports: Imports
    settings: ImportSettings

    async def ended(self, job_id: str = JOB) -> Job:
        job = self.jobs.find(job_id)
        if job.task is not None:
            await asyncio.wait([job.task], timeout=SECONDS)
        assert not job.is_active
        return job

    def left(self) -> list[str]:
        """What lies in the state folder."""
        state = self.folder / "state" / "imports"
        return sorted(path.name for path in state.iterdir()) if state.is_dir() else []


@asynccontextmanager
async def station(folder: Path, **changes: object) -> AsyncIterator[Station]:
    settings = ImportSettings(
        state=folder / "state",
        secrets=folder / "secrets",
        storage_root=folder / "storage",
        allowed_paths=(folder / "storage",),
        **changes,  # type: ignore[arg-type]
    )
    jobs, external = Jobs(Bus()), SimulatedExternal()
    imports = Imports(jobs, external, settings, emulates=lambda: True)
    try:
        await imports.recover()
        yield Station(folder, jobs, external, imports, settings)
    finally:
        await jobs.close()
        imports.close()


def wanted(count: int, *, format: VolumeFormat | None = None, name: str = "guest") -> ExternalVmParams:
    return ExternalVmParams(
        vm_name=name,
        pool_id=POOL,
        domain_id=DOMAIN,
        disks=[ExternalDiskParams(image_id=image_id(n), volume_id=volume_id(n)) for n in range(count)],
        format=format,
    )


__all__ = ["JOB", "Phase", "Station", "station", "wanted"]
