"""Backups of the disks of a real guest, restored bit by bit."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import libvirt
import msgspec
import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.wire.errors import RpcError
from tests.real.agent_process import AgentProcess, agent_process
from tests.real.disk_guest import DOMAIN_ID, DiskGuest, boot, digest_of, image_tool, until


@pytest.fixture(scope="module")
def agent(
    tmp_path_factory: pytest.TempPathFactory, vhost: VirtualHost, guest_image: TinyGuest
) -> Iterator[AgentProcess]:
    with agent_process(tmp_path_factory.mktemp("agent"), vhost, guest_image) as process:
        process.start()
        yield process


@pytest.fixture(scope="module")
def guest(agent: AgentProcess, vhost: VirtualHost, guest_image: TinyGuest) -> Iterator[DiskGuest]:
    with agent.client() as node:
        found = boot(node, vhost, guest_image, agent.folder, {"vda": "qcow2", "vdb": "raw"})
    found.write("vda", at=1, mib=3)
    found.write("vdb", at=2)
    yield found
    with agent.client() as node:
        node.vm.destroy(found.id)


@pytest.fixture
def node(agent: AgentProcess) -> Iterator[Node]:
    with agent.client() as client:
        yield client


def config(
    guest: DiskGuest, *targets: str, since: str | None = None, checkpoint: str | None = None
) -> types.BackupConfig:
    return types.BackupConfig(
        backup_id=str(uuid.uuid4()),
        disks=[
            types.BackupDisk(
                checkpoint=guest.disks[target].format == "qcow2",
                img_id=guest.disks[target].image_id,
                sd_id=DOMAIN_ID,
                vol_id=guest.chain(target)[-1],
            )
            for target in targets
        ],
        from_checkpoint_id=since,
        to_checkpoint_id=checkpoint,
    )


def pull(address: str, into: Path) -> None:
    """All that is offered."""
    image_tool("convert", "-f", "raw", "-O", "raw", address, into)


def pull_changes(address: str, into: Path) -> int:
    """Only what the backup calls changed; how many bytes that was."""
    _, _, rest = address.partition("nbd:unix:")
    socket, _, name = rest.partition(":exportname=")
    options = f"driver=nbd,server.type=unix,server.path={socket},export={name}"
    bitmap = f"x-dirty-bitmap=qemu:dirty-bitmap:backup-{name}"
    extents = json.loads(image_tool("map", "--output=json", "--image-opts", f"{options},{bitmap}"))
    whole = into.with_suffix(".now")
    pull(address, whole)
    changed = 0
    with whole.open("rb") as source, into.open("r+b") as target:
        for extent in extents:
            if not extent["data"]:  # so qemu-img shows a set bit
                source.seek(extent["start"])
                target.seek(extent["start"])
                target.write(source.read(extent["length"]))
                changed += extent["length"]
    whole.unlink()
    return changed


def test_full_backup_is_of_one_moment_while_the_guest_writes_on(
    node: Node, guest: DiskGuest, agent: AgentProcess, tmp_path: Path
) -> None:
    before = {target: guest.digest(target) for target in ("vda", "vdb")}
    wanted = config(guest, "vda", "vdb")
    found = node.vm.start_backup(guest.id, wanted)
    for target in before:
        guest.write(target, at=2)
    for target, digest in before.items():
        copy = tmp_path / target
        pull(found.disks[guest.disks[target].image_id], copy)
        assert digest_of(copy, "raw") == digest
        assert guest.digest(target) != digest
    node.vm.stop_backup(guest.id, wanted.backup_id)
    node.vm.stop_backup(guest.id, wanted.backup_id)
    assert list((agent.folder / "run" / "backup").iterdir()) == []
    assert list((agent.folder / "state" / "scratch").iterdir()) == []
    with pytest.raises(RpcError, match="no backup"):
        node.vm.backup_info(guest.id, wanted.backup_id)


def test_chain_of_incremental_backups_is_restored_bit_by_bit(node: Node, guest: DiskGuest, tmp_path: Path) -> None:
    image, copy = guest.disks["vda"].image_id, tmp_path / "vda"
    names = [str(uuid.uuid4()) for _ in range(3)]
    for number, name in enumerate(names):
        wanted = config(guest, "vda", since=names[number - 1] if number else None, checkpoint=name)
        before = guest.digest("vda")
        found = node.vm.start_backup(guest.id, wanted)
        assert found.checkpoint is not None
        assert name in found.checkpoint
        guest.write("vda", at=12 + 4 * number, mib=2)  # not in this backup, but in the next
        if number:
            assert 2 << 20 <= pull_changes(found.disks[image], copy) <= 4 << 20
        else:
            pull(found.disks[image], copy)
        node.vm.stop_backup(guest.id, wanted.backup_id)
        assert digest_of(copy, "raw") == before
    assert node.vm.list_checkpoints(guest.id) == names


def test_checkpoints_are_defined_again_and_deleted(node: Node, guest: DiskGuest) -> None:
    names = node.vm.list_checkpoints(guest.id)
    texts = [node.vm.dump_checkpoint(guest.id, name).checkpoint for name in names]
    forget_checkpoints(guest)
    assert node.vm.list_checkpoints(guest.id) == []
    data = config(guest, "vda", checkpoint=names[1])
    data = msgspec.structs.replace(data, parent_checkpoint_id=names[0], creation_time=1_700_000_000)
    wanted = [
        types.Checkpoint(id=names[0], xml=texts[0]),
        types.Checkpoint(id=names[1], config=data),
        types.Checkpoint(id=names[2], xml=texts[2]),
    ]
    for _ in range(2):
        assert node.vm.redefine_checkpoints(guest.id, wanted).checkpoint_ids == names
        assert node.vm.list_checkpoints(guest.id) == names
    gone = node.vm.delete_checkpoints(guest.id, [names[0], str(uuid.uuid4())])
    assert gone.error is None
    assert len(gone.checkpoint_ids) == 2
    assert node.vm.list_checkpoints(guest.id) == names[1:]
    with pytest.raises(RpcError, match="no checkpoint"):
        node.vm.dump_checkpoint(guest.id, names[0])


def test_checkpoint_without_its_bitmap_ends_the_work(node: Node, guest: DiskGuest) -> None:
    names = node.vm.list_checkpoints(guest.id)
    lost = str(uuid.uuid4())
    text = node.vm.dump_checkpoint(guest.id, names[-1]).checkpoint.replace(names[-1], lost)
    found = node.vm.redefine_checkpoints(guest.id, [types.Checkpoint(id=lost, xml=text)])
    assert found.checkpoint_ids == []
    assert found.error is not None
    assert found.error.code == 1612
    assert node.vm.list_checkpoints(guest.id) == names


def forget_checkpoints(guest: DiskGuest) -> None:
    """As when the VM was off meanwhile: libvirt knows nothing, the bitmaps are in the disks."""
    with guest.domain() as domain:
        for checkpoint in reversed(domain.listAllCheckpoints(libvirt.VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL)):
            checkpoint.delete(libvirt.VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY)


def test_backup_outlives_the_agent_and_keeps_others_off_the_disks(
    agent: AgentProcess, node: Node, guest: DiskGuest, tmp_path: Path
) -> None:
    before = guest.digest("vda")
    wanted = config(guest, "vda")
    found = node.vm.start_backup(guest.id, wanted)
    agent.kill()
    agent.start()
    with agent.client() as after:
        assert after.vm.backup_info(guest.id, wanted.backup_id).disks == found.disks
        with pytest.raises(RpcError, match=f"backup {wanted.backup_id} is at work"):
            after.vm.snapshot(guest.id, [guest.disks["vda"].snapshot()])
        guest.disks["vda"].volumes.pop()
        pull(found.disks[guest.disks["vda"].image_id], tmp_path / "vda")
        assert digest_of(tmp_path / "vda", "raw") == before
        after.vm.stop_backup(guest.id, wanted.backup_id)


def test_incremental_backup_after_a_snapshot_and_a_merge(node: Node, guest: DiskGuest, tmp_path: Path) -> None:
    """The bitmaps follow the guest's writes into new layers and back down again."""
    disk, copy = guest.disks["vda"], tmp_path / "vda"
    first = config(guest, "vda", checkpoint=str(uuid.uuid4()))
    pull(node.vm.start_backup(guest.id, first).disks[disk.image_id], copy)
    node.vm.stop_backup(guest.id, first.backup_id)
    node.vm.snapshot(guest.id, [disk.snapshot()])
    guest.write("vda", at=25)
    node.vm.merge(guest.id, disk.spec(), disk.volumes[0], disk.volumes[-1])
    until("the merge is over", lambda: len(guest.chain("vda")) == 1)
    guest.write("vda", at=28)
    before = guest.digest("vda")
    second = config(guest, "vda", since=first.to_checkpoint_id)
    pull_changes(node.vm.start_backup(guest.id, second).disks[disk.image_id], copy)
    node.vm.stop_backup(guest.id, second.backup_id)
    assert digest_of(copy, "raw") == before


def test_prepared_scratch_disk_is_used_and_left_alone(node: Node, guest: DiskGuest, agent: AgentProcess) -> None:
    scratch = agent.folder / "prepared-scratch"
    image_tool("create", "-q", "-f", "qcow2", scratch, 32 << 20)
    wanted = config(guest, "vda")
    disk = types.BackupDisk(
        checkpoint=False,
        img_id=wanted.disks[0].img_id,
        sd_id=wanted.disks[0].sd_id,
        vol_id=wanted.disks[0].vol_id,
        scratch_disk=types.FileScratchDisk(path=str(scratch), type="file"),
    )
    node.vm.start_backup(guest.id, types.BackupConfig(backup_id=wanted.backup_id, disks=[disk]))
    guest.write("vda", at=2)
    node.vm.stop_backup(guest.id, wanted.backup_id)
    assert scratch.stat().st_blocks * 512 > 1 << 20


def test_raw_disk_cannot_track_changes(node: Node, guest: DiskGuest) -> None:
    wanted = config(guest, "vdb", checkpoint=str(uuid.uuid4()))
    disk = types.BackupDisk(
        checkpoint=True,
        img_id=wanted.disks[0].img_id,
        sd_id=wanted.disks[0].sd_id,
        vol_id=wanted.disks[0].vol_id,
    )
    with pytest.raises(RpcError, match="only qcow2 disks"):
        node.vm.start_backup(
            guest.id,
            types.BackupConfig(backup_id=wanted.backup_id, disks=[disk], to_checkpoint_id=wanted.to_checkpoint_id),
        )
