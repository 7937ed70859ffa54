"""What every hypervisor must do with the disks of a domain: layers, block jobs, backups and checkpoints."""

import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from lxml import etree

from ovis.node.hypervisor.block_jobs import NewLayer
from ovis.node.hypervisor.errors import (
    CheckpointBroken,
    HypervisorError,
    OperationFailed,
    OperationRefused,
)
from ovis.node.hypervisor.interface import BlockJob, Hypervisor, Subscription
from ovis.node.vm.backup import description
from ovis.node.vm.backup.description import BackupDisk
from ovis.node.vm.disks import drives
from ovis.node.vm.disks.drives import Drive
from tests.node.hypervisor.contract import Contract, domain_xml, heard

MIB = 1 << 20
SIZE = 8 * MIB


class DiskContract:
    """`folder` holds real images: libvirt opens them, the simulated hypervisor does not mind."""

    folder: Path
    run = Contract.run

    def hypervisor(self) -> AbstractAsyncContextManager[Hypervisor]:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def image(self, name: str, backing: str | None = None) -> Path:
        path = self.folder / name
        below = ["-b", str(self.folder / backing), "-F", "qcow2"] if backing else []
        size = [] if backing else [str(SIZE)]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *below, str(path), *size], check=True)
        return path

    def with_disk(self, body: Callable[[Hypervisor, str], Awaitable[None]], *, layers: str = "a") -> None:
        """A domain whose vda has these layers, from the base to the one in use."""
        for number, name in enumerate(layers):
            self.image(name, layers[number - 1] if number else None)
        disk = (
            f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
            f"<source file='{self.folder / layers[-1]}'/>"
            f"{self._below(layers[:-1])}<target dev='vda' bus='virtio'/></disk>"
        )

        async def whole(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me, devices=disk), paused=True)
            await body(host, me)

        self.run(whole)

    def _below(self, layers: str) -> str:
        text = "<backingStore/>"
        for name in layers:
            source = f"<format type='qcow2'/><source file='{self.folder / name}'/>"
            text = f"<backingStore type='file'>{source}{text}</backingStore>"
        return text

    async def drive(self, host: Hypervisor, me: str) -> Drive:
        (found,) = drives.read(etree.fromstring(await host.xml(me)))
        return found

    async def chain(self, host: Hypervisor, me: str) -> str:
        """Names from the base to the layer in use."""
        return "".join(Path(path).name for path in reversed((await self.drive(host, me)).paths))

    async def commit(self, host: Hypervisor, me: str, base: str, top: str, *, bandwidth: int = 0) -> None:
        drive = await self.drive(host, me)
        index = {Path(layer.path).name: layer.index or 0 for layer in drive.layers}
        await host.block_jobs.commit(
            me,
            "vda",
            base=index[base],
            top=index[top],
            is_active=Path(drive.active.path).name == top,
            bandwidth=bandwidth,
        )

    def test_new_layer_is_used_and_every_layer_has_an_index(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            path = self.image("b", "a")
            await host.block_jobs.snapshot(me, [NewLayer("vda", str(path))])
            assert await self.chain(host, me) == "ab"
            indexes = [layer.index for layer in (await self.drive(host, me)).layers]
            assert None not in indexes
            assert len(set(indexes)) == 2

        self.with_disk(body)

    def test_plain_commit_ends_by_itself(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            async with host.events() as events:
                await self.commit(host, me, "a", "b")
                assert (await completed(events, me)).kind == "commit"
            assert await self.chain(host, me) == "ac"
            assert await host.block_jobs.job(me, "vda") is None

        self.with_disk(body, layers="abc")

    def test_commit_of_the_layer_in_use_waits_for_its_pivot(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            async with host.events() as events:
                await self.commit(host, me, "a", "c")
                assert (await heard(events, BlockJob, me)).status == "ready"
                drive = await self.drive(host, me)
                assert drive.mirror == drives.Mirror("active-commit", str(self.folder / "a"), is_ready=True)
                job = await host.block_jobs.job(me, "vda")
                assert job is not None
                assert (job.kind, job.cur) == ("active_commit", job.end)
                with pytest.raises(OperationFailed):
                    await self.commit(host, me, "a", "b")
                await host.block_jobs.pivot(me, "vda")
            assert await self.chain(host, me) == "a"
            assert (await self.drive(host, me)).mirror is None
            assert await host.block_jobs.job(me, "vda") is None

        self.with_disk(body, layers="abc")

    def test_cancelled_commit_leaves_the_chain(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            async with host.events() as events:
                await self.commit(host, me, "a", "b")
                assert (await heard(events, BlockJob, me)).status == "ready"
                for _ in range(2):
                    await host.block_jobs.cancel(me, "vda")
            assert await self.chain(host, me) == "ab"
            with pytest.raises(HypervisorError):
                await host.block_jobs.pivot(me, "vda")

        self.with_disk(body, layers="ab")

    def test_impossible_commits_are_refused(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            with pytest.raises(OperationRefused):
                await self.commit(host, me, "b", "a")
            with pytest.raises(OperationRefused):
                await host.block_jobs.commit(me, "vda", base=99, top=1, is_active=True)
            with pytest.raises(OperationRefused):
                await host.block_jobs.job(me, "vdz")
            assert await self.chain(host, me) == "ab"

        self.with_disk(body, layers="ab")

    def test_mirror_is_ready_and_then_changed_over_to(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            copy = self.image("copy")
            async with host.events() as events:
                await host.block_jobs.copy(me, "vda", NewLayer("vda", str(copy)), is_shallow=False)
                assert (await heard(events, BlockJob, me)).status == "ready"
            drive = await self.drive(host, me)
            assert drive.mirror == drives.Mirror("copy", str(copy), is_ready=True)
            await host.block_jobs.pivot(me, "vda")
            assert await self.chain(host, me) == "copy"

        self.with_disk(body)

    def test_disk_grows(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.block_jobs.resize(me, "vda", 2 * SIZE)
            assert (await host.block_jobs.size(me, "vda")).capacity == 2 * SIZE

        self.with_disk(body)

    def test_base_grows_with_a_disk_that_grew_above_it(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.block_jobs.resize(me, "vda", 2 * SIZE)
            async with host.events() as events:
                await self.commit(host, me, "a", "b")
                assert (await heard(events, BlockJob, me)).status == "ready"
            await host.block_jobs.pivot(me, "vda")
            assert (await host.block_jobs.size(me, "vda")).capacity == 2 * SIZE
            assert await self.chain(host, me) == "a"

        self.with_disk(body, layers="ab")

    def test_backup_runs_until_it_is_ended(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            assert await host.backups.running(me) is None
            await host.backups.begin(me, self.backup(), description.checkpoint("one", ["vda"], []))
            assert 'exportname="vda"' in (await host.backups.running(me) or "").replace("'", '"')
            for _ in range(2):
                await host.backups.end(me)
            assert await host.backups.running(me) is None
            await host.backups.begin(me, self.backup(since="one"), description.checkpoint("two", ["vda"], []))
            await host.backups.end(me)
            assert await host.backups.checkpoints(me) == ["one", "two"]

        self.with_disk(body)

    def test_checkpoints_are_forgotten_defined_again_and_deleted(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            assert await host.backups.checkpoint(me, "one") is None
            await host.backups.begin(me, self.backup(), description.checkpoint("one", ["vda"], []))
            await host.backups.end(me)
            text = await host.backups.checkpoint(me, "one")
            assert text is not None
            assert description.tracked(text) == {"vda"}
            await host.backups.delete(me, "one", keeps_bitmaps=True)
            assert await host.backups.checkpoints(me) == []
            for _ in range(2):
                await host.backups.redefine(me, text)
            for _ in range(2):
                await host.backups.delete(me, "one")
            with pytest.raises(CheckpointBroken):
                await host.backups.redefine(me, text)
            assert await host.backups.checkpoints(me) == []

        self.with_disk(body)

    def backup(self, *, since: str | None = None) -> str:
        disk = BackupDisk("vda", str(self.folder / "scratch"), since=since)
        return description.backup([disk], [], str(self.folder / "s"))


async def completed(events: Subscription, me: str) -> BlockJob:
    while True:
        event = await heard(events, BlockJob, me)
        if event.status == "completed":
            return event
