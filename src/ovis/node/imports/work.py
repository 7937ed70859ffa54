"""The work of an import job, once everything that can be checked beforehand has been checked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.client.types import ExternalVmParams
from ovis.node.hypervisor.external import External, ForeignDomain, Login
from ovis.node.hypervisor.states import DomainState
from ovis.node.imports import convert, disks, foreign, headers, manifest, result, v2v
from ovis.node.imports.description import Description, Disk
from ovis.node.imports.disks import Image
from ovis.node.imports.errors import BadDisk, BadTarget, ConversionFailed
from ovis.node.imports.manifest import Checksum
from ovis.node.imports.ova import Content
from ovis.node.imports.result import ImportedDisk
from ovis.node.imports.settings import ImportSettings
from ovis.node.imports.store import ImportStore
from ovis.node.imports.targets import Target

if TYPE_CHECKING:
    from ovis.node.hypervisor.pools import Pool

DRIVERS = {None, "raw", "qcow2", "vmdk"}
HEADROOM = 64 << 20  # tables of a qcow2 file beside the data
RESERVE = 1 << 30  # stays free in the state folder: records of VMs must always find room there


@dataclass(frozen=True)
class Tools:
    """What the work of all imports shares. `pool`: for calls that block on files. `emulates`: this host has no KVM."""

    external: External
    pool: Pool
    store: ImportStore
    settings: ImportSettings
    emulates: Callable[[], bool]


@dataclass(frozen=True)
class Report:
    """How the work tells where it is: `disk` of `disks` is being copied, from 1 on; the program at work."""

    progress: Callable[[int, int, int], None]
    process: Callable[[int], None]


async def inspect(content: Content, disk: Disk, tools: Tools) -> Image:
    """What the file really holds, compared with what was announced. Raises BadDisk."""
    if disk.driver not in DRIVERS:
        raise BadDisk(content.name, f"the format {disk.driver} is not supported")
    if disk.file_size is not None and disk.file_size != content.size:
        raise BadDisk(content.name, f"announced with {disk.file_size} bytes, it has {content.size}")
    header = await tools.pool.run(
        "look at a disk image",
        lambda: headers.check(content.read, content.name, disk.driver),
        deadline=tools.settings.deadline,
    )
    image = await disks.look(content, header)
    if disk.capacity is not None and image.size > disk.capacity + disk.slack:
        raise BadDisk(content.name, f"announced as a disk of {disk.capacity} bytes, it has {image.size}")
    return image


def check_count(described: Sequence[Disk], targets: Sequence[object]) -> None:
    """Raises BadTarget."""
    if len(described) != len(targets):
        raise BadTarget("list", f"{len(targets)} are given for the {len(described)} disks of the VM")


@dataclass(frozen=True)
class CopyArchive:
    """The disks of an OVA, as they are. `images`: None for a disk that was never written. `checksums`: by file."""

    described: Description
    images: Sequence[Image | None]
    targets: Sequence[Target]
    name: str
    vm_id: str
    origin: str
    checksums: Mapping[str, Checksum] = field(default_factory=dict)

    async def run(self, tools: Tools, report: Report) -> str:
        for image in self.images:
            if image is not None and (wanted := self.checksums.get(image.content.name)) is not None:
                await manifest.check(image.content, wanted, tools.pool)
        for number, (image, target) in enumerate(zip(self.images, self.targets, strict=True), 1):
            if image is not None:
                await _copy(image, target, number, len(self.images), report)
        sizes = [
            image.size if image else disk.capacity or 0
            for image, disk in zip(self.images, self.described.disks, strict=True)
        ]
        return await _finish(self.described, self.targets, sizes, self.name, self.vm_id, self.origin, tools)


@dataclass(frozen=True)
class CopyForeign:
    """The disks of a VM that another libvirt with KVM manages: each is fetched into a file here, looked at, copied."""

    login: Login
    name: str
    targets: Sequence[Target]
    vm_id: str
    folder: Path

    async def run(self, tools: Tools, report: Report) -> str:
        domain = await self._find(tools)
        described = foreign.describe(domain)
        wanted = [disk for disk in described.disks if disk.kind == "disk"]
        check_count(wanted, self.targets)
        sizes = []
        for number, (disk, target) in enumerate(zip(wanted, self.targets, strict=True), 1):
            sizes.append(await self._take(disk, target, number, tools, report))
        origin = f"imported from {self.login.uri}"
        return await _finish(described, self.targets, sizes, domain.name, self.vm_id, origin, tools)

    async def _find(self, tools: Tools) -> ForeignDomain:
        found = await tools.external.domains(self.login, [self.name])
        if len(found) != 1:
            raise ConversionFailed(f"{self.login.uri}: there is no VM {self.name!r}")
        if found[0].state is not DomainState.SHUT_OFF:
            raise ConversionFailed(f"{self.login.uri}: VM {self.name!r} is {found[0].state}; shut it down first")
        return found[0]

    async def _take(self, disk: Disk, target: Target, number: int, tools: Tools, report: Report) -> int:
        if disk.file is None:
            raise ConversionFailed(f"disk {disk.id} of VM {self.name!r} has no file that could be read")
        expected = max(disk.capacity or headers.LARGEST, disk.allocation or 0)
        _check_scratch(self.folder, disk.allocation or 0)
        path = self.folder / f"disk-{number}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            path.unlink()  # only through its descriptor from here on: whatever happens, nothing of it is left

            def on_bytes(done: int) -> None:
                report.progress(number, len(self.targets), min(done * 50 // max(expected, 1), 50))

            size = await tools.external.download(
                self.login, disk.file, descriptor, limit=expected + expected // 64 + HEADROOM, on_bytes=on_bytes
            )
            content = Content(disk.file, descriptor, size, None)
            image = await inspect(content, _announced(disk), tools)
            await _check_room(image.size, disk.file, target, tools)
            await _copy(image, target, number, len(self.targets), report, begins_at=50)
            return image.size
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class Convert:
    """All by virt-v2v. `archive` or `login` says where from."""

    wanted: ExternalVmParams
    vm_id: str
    targets: Sequence[Target]
    folder: Path
    login: Login | None = None
    archive: str | None = None

    async def run(self, tools: Tools, report: Report) -> str:
        storage = tools.settings.storage_root / self.wanted.pool_id / self.wanted.domain_id
        secrets = tools.settings.secrets / self.vm_id
        with v2v.password_file(secrets, self.login.password if self.login else "") as password:
            origin = self._origin(password)
            conversion = v2v.Conversion(origin, self.wanted, self.vm_id, storage, self.folder, tools.emulates())
            ovf = await v2v.convert(
                conversion,
                on_progress=lambda now: report.progress(now.disk, now.disks, now.percent),
                on_start=report.process,
            )
        await _flush(self.targets, tools)
        return ovf

    def _origin(self, password: Path) -> list[str]:
        if self.login is None:
            assert self.archive is not None
            return ["-on", self.wanted.vm_name, "-i", "ova", "--", self.archive]
        words = ["-i", "libvirt", "-ic", self.login.uri]
        if self.login.password:
            words += ["-ip", str(password)]
        return [*words, "--", self.wanted.vm_name]


def _announced(disk: Disk) -> Disk:
    """Without a format libvirt takes a disk for raw, and so did its guest."""
    return Disk(id=disk.id, file=disk.file, capacity=disk.capacity, slack=511, driver=disk.driver or "raw")


async def _copy(image: Image, target: Target, number: int, count: int, report: Report, *, begins_at: int = 0) -> None:
    report.progress(number, count, begins_at)
    share = 100 - begins_at
    await convert.copy(
        image,
        target,
        on_percent=lambda percent: report.progress(number, count, begins_at + percent * share // 100),
        on_start=report.process,
    )


async def _finish(
    described: Description,
    targets: Sequence[Target],
    sizes: Sequence[int],
    name: str,
    vm_id: str,
    origin: str,
    tools: Tools,
) -> str:
    used = await _flush(targets, tools)
    imported = [ImportedDisk(*row) for row in zip(targets, sizes, used, strict=True)]
    return result.write(described, name, vm_id, imported, made=datetime.now(UTC), origin=origin)


async def _flush(targets: Sequence[Target], tools: Tools) -> list[int]:
    """All volumes are on their disks on return; the bytes that each takes there."""

    def flush() -> list[int]:
        for target in targets:
            convert.flush(target)
        return [convert.used(target) for target in targets]

    return await tools.pool.run("flush volumes", flush, deadline=600.0)


async def _check_room(size: int, disk: str, target: Target, tools: Tools) -> None:
    await tools.pool.run(
        "look at a volume", lambda: convert.check_room(size, disk, target), deadline=tools.settings.deadline
    )


def _check_scratch(folder: Path, needed: int) -> None:
    """Raises ConversionFailed. The state folder is on a local disk."""
    status = os.statvfs(folder)
    free = max(status.f_bavail * status.f_frsize - RESERVE, 0)
    if needed > free:
        raise ConversionFailed(f"the disk needs {needed} bytes in {folder.parent} for a while, {free} are free")
