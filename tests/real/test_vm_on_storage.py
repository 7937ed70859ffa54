"""VMs whose disks are volumes of a storage domain, named by their ids: started, snapshotted, merged, let go."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.shell.storage import images, repository
from ovis.shell.storage.images import Volume
from ovis.shell.storage.node import finish
from ovis.shell.storage.repository import Row, Server
from ovis.wire.errors import RpcError
from tests.real.agent_process import AgentProcess, agent_process
from tests.real.disk_guest import DOMAIN, MIB, DiskGuest, until

SIZE = 32 * MIB


@pytest.fixture(scope="module")
def agent(
    tmp_path_factory: pytest.TempPathFactory, vhost: VirtualHost, guest_image: TinyGuest
) -> Iterator[AgentProcess]:
    folder = tmp_path_factory.mktemp("agent")
    with agent_process(folder, vhost, guest_image) as process:
        settings = f'[storage]\nroot = "{folder}/dc"\nrun_folder = "{folder}/use"\nuser = 0\ngroup = 0\n'
        process.configuration.write_text(process.configuration.read_text() + settings)
        process.start()
        yield process


@pytest.fixture(scope="module")
def row(agent: AgentProcess) -> Row:
    (agent.folder / "disks").mkdir()
    with agent.client() as node:
        repository.create(node, Server("local", str(agent.folder / "disks")), "store", version=5)
        return repository.only_domain(node)


@pytest.fixture
def node(agent: AgentProcess, row: Row) -> Iterator[Node]:
    with agent.client() as client:
        yield client


class Machine:
    """A VM with one disk that is a volume, and the calls of an engine about it."""

    def __init__(self, node: Node, host: VirtualHost, guest: TinyGuest, volume: Volume) -> None:
        self.node = node
        self.volumes = [volume]
        self.guest = DiskGuest(str(uuid.uuid4()), host, {})
        self._host, self._image = host, guest

    @property
    def id(self) -> str:
        return self.guest.id

    @property
    def active(self) -> Volume:
        return self.volumes[-1]

    def start(self, *, shared: str = "") -> None:
        ids = {"poolID": "pool", "domainID": "domain", "imageID": "image", "volumeID": "volume"}
        members = "".join(
            f"<ovirt-vm:{name}>{getattr(self.active, field)}</ovirt-vm:{name}>" for name, field in ids.items()
        )
        members += f"<ovirt-vm:shared>{shared}</ovirt-vm:shared>" if shared else ""
        xml = DOMAIN.format(
            name=f"vm-{self.id[:8]}", uuid=self.id, kernel=self._image.kernel, initrd=self._image.initrd,
            mac="52:54:00:11:22:33", bridge=self._host.bridge,
        )  # fmt: skip
        disk = (
            "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/unknown/to/engines'/>"
            f"<target dev='vda' bus='virtio'/><serial>{self.active.image}</serial></disk>"
        )
        note = f"<ovirt-vm:device devtype='disk' name='vda'>{members}</ovirt-vm:device>"
        holder = f"<metadata><ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'>{note}</ovirt-vm:vm></metadata>"
        xml = xml.replace("<devices>", f"<devices>{disk}").replace("<memory", f"{holder}<memory", 1)
        self.node.vm.create(self.id, types.VmParameters(vm_id=self.id, xml=xml))
        until("the guest agent answers", self._answers)

    def snapshot(self) -> None:
        """As an engine does: a volume on top by the SPM, then the VM changes over."""
        old = self.active
        new = Volume(old.domain, old.pool, old.image, str(uuid.uuid4()), old.size, is_qcow2=True)
        task = self.node.volume.create(
            new.volume, old.pool, old.domain, old.image, old.size, types.VolumeFormatId.COW,
            types.VolumeAllocationId.SPARSE, src_img_uuid=old.image, src_vol_uuid=old.volume,
        )  # fmt: skip
        finish(self.node, task, "the volume")
        drive = types.SnapshotVolumeDriveInfo(
            base_volume_id=old.volume, domain_id=old.domain, image_id=old.image, volume_id=new.volume
        )
        self.node.vm.snapshot(self.id, [drive])
        self.volumes.append(new)

    def merge(self, *, base: int, top: int) -> None:
        active = self.active
        drive = types.DriveSpecVolume(
            pool_id=active.pool, domain_id=active.domain, image_id=active.image, volume_id=active.volume
        )
        job = str(uuid.uuid4())
        self.node.vm.merge(self.id, drive, self.volumes[base].volume, self.volumes[top].volume, job_uuid=job)
        until("the merge is over", lambda: not self._jobs())
        gone = self.volumes[base + 1 : top + 1]
        del self.volumes[base + 1 : top + 1]
        task = self.node.image.delete_volumes(
            active.image, active.pool, active.domain, [volume.volume for volume in gone]
        )
        finish(self.node, task, "deleting what was merged")

    def stored(self) -> set[str]:
        volume = self.active
        return set(self.node.storage_domain.get_volumes(volume.domain, volume.pool, volume.image))

    def _jobs(self) -> object:
        stats = self.node.vm.get_stats(self.id)[0]
        return isinstance(stats, types.RunningVmStats) and stats.vm_jobs

    def _answers(self) -> bool:
        import libvirt

        try:
            self.guest.agent("guest-ping")
        except libvirt.libvirtError:
            return False
        return True


def held(agent: AgentProcess) -> list[str]:
    """Who has volumes prepared on this host."""
    return sorted(path.name for path in (agent.folder / "run/storage/prepared").glob("*/*"))


@pytest.fixture
def machine(agent: AgentProcess, node: Node, row: Row, vhost: VirtualHost, guest_image: TinyGuest) -> Iterator[Machine]:
    volume = images.new_volume(node, row, SIZE, is_qcow2=True, is_preallocated=False, description="a disk")
    made = Machine(node, vhost, guest_image, volume)
    made.start()
    yield made
    with agent.client() as client:  # the agent may be another one now
        if made.id in client.host.get_vm_list():
            client.vm.destroy(made.id)


def test_vm_uses_snapshots_and_merges_volumes_and_lets_go_of_them(agent: AgentProcess, machine: Machine) -> None:
    base = machine.active
    path = Path(agent.folder / "dc")
    (full,) = machine.node.host.get_vm_full_list([machine.id])
    (disk,) = [
        device for device in full.devices or [] if isinstance(device, types.VmDiskDevice) and device.name == "vda"
    ]
    assert disk.path is not None
    assert disk.path.startswith(str(path))
    assert [entry.volume_id for entry in disk.volume_chain or []] == [base.volume]
    assert held(agent) == [f"vm-{machine.id}-{base.volume}"]
    machine.guest.write("vda", at=1, mib=2)
    for at in (4, 6):
        machine.snapshot()
        machine.guest.write("vda", at=at)
    content = machine.guest.digest("vda")
    assert machine.stored() == {volume.volume for volume in machine.volumes}
    assert machine.guest.chain("vda") == [volume.volume for volume in machine.volumes]
    machine.merge(base=0, top=1)
    machine.merge(base=0, top=1)
    assert machine.guest.digest("vda") == content
    assert machine.stored() == {base.volume}
    assert held(agent) == [f"vm-{machine.id}-{base.volume}"]
    machine.node.vm.destroy(machine.id)
    assert held(agent) == []
    images.remove(machine.node, base)


def test_what_is_written_to_a_transient_disk_goes_with_its_vm(
    agent: AgentProcess, node: Node, row: Row, vhost: VirtualHost, guest_image: TinyGuest
) -> None:
    volume = images.new_volume(node, row, SIZE, is_qcow2=True, is_preallocated=False, description="a disk")
    path = agent.folder / "disks" / row.domain / "images" / volume.image / volume.volume
    before = path.read_bytes()
    machine = Machine(node, vhost, guest_image, volume)
    machine.start(shared="transient")
    try:
        (layer,) = (agent.folder / "state/storage/transient").iterdir()
        empty = layer.stat().st_blocks
        machine.guest.write("vda", at=1, mib=8)
        machine.guest.shell("sync")
        assert layer.stat().st_blocks > empty
        with pytest.raises(RpcError, match="transient"):
            node.vm.hibernate(machine.id, str(agent.folder / "saved"))
        with pytest.raises(RpcError):
            machine.snapshot()
    finally:
        node.vm.destroy(machine.id)
    assert not layer.exists()
    assert held(agent) == []
    assert path.read_bytes() == before
    images.remove(node, volume)


def test_image_in_use_is_not_removed_nor_started_twice(node: Node, machine: Machine) -> None:
    with pytest.raises(RpcError):
        images.remove(node, machine.active)
    assert machine.stored() == {machine.active.volume}
    other = Machine(node, machine._host, machine._image, machine.active)
    with pytest.raises(RpcError, match="open for writing"):
        other.start()
    machine.guest.write("vda", at=1)
    node.vm.destroy(machine.id)
    images.remove(node, machine.active)


def test_killed_agent_finds_vm_and_volumes_and_gives_back_what_ended_without_it(
    agent: AgentProcess, machine: Machine, row: Row
) -> None:
    machine.guest.write("vda", at=1)
    agent.kill()
    agent.start()
    with agent.client() as node:
        until("the pool is joined again", lambda: node.host.get_connected_storage_pools() == [row.pool])
        assert held(agent) == [f"vm-{machine.id}-{machine.active.volume}"]
        agent.kill()
    with machine.guest.domain() as domain:
        domain.destroy()
    agent.start()
    with agent.client() as node:
        until("the volumes are given back", lambda: held(agent) == [])
        machine.node = node
        node.vm.destroy(machine.id)
        repository.open_existing(node, Server("local", str(agent.folder / "disks")))
        images.remove(node, machine.active)
