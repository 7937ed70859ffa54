"""The agent is killed while it works on the disks of a real guest, at moments spread over the whole of the work."""

import threading
import uuid
from collections.abc import Callable, Iterator

import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.wire.errors import RpcError, WireError
from tests.real.agent_process import AgentProcess, agent_process
from tests.real.disk_guest import DOMAIN_ID, DiskGuest, boot, digest_of, until

MOMENTS = (0.0, 0.008, 0.02, 0.05)  # seconds; a snapshot takes some 30 ms, and so do the others to begin


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
        found = boot(node, vhost, guest_image, agent.folder, {"vda": "qcow2"}, size=12 << 20)
    found.write("vda", at=1, mib=2)
    yield found
    with agent.client() as node:
        node.vm.destroy(found.id)


def killed_in(agent: AgentProcess, after: float, call: Callable[[Node], object]) -> None:
    """Kill the agent that long after the call was sent, and start it again."""

    def work() -> None:
        try:
            with agent.client() as node:
                sent.set()
                call(node)
        except WireError:
            pass  # its agent is gone, or the answer was one

    sent = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    sent.wait(10)
    threading.Event().wait(after)
    agent.kill()
    thread.join(30)
    agent.start()


def at_rest(node: Node, guest: DiskGuest) -> bool:
    stats = node.vm.get_stats(guest.id)[0]
    assert isinstance(stats, types.RunningVmStats)
    return not stats.vm_jobs and guest.noted_chain("vda") == guest.chain("vda")


def test_chain_and_data_are_whole_whenever_the_agent_is_killed(agent: AgentProcess, guest: DiskGuest) -> None:
    disk = guest.disks["vda"]
    for number, moment in enumerate(MOMENTS):
        guest.write("vda", at=4 + number)
        before, chain = guest.digest("vda"), list(disk.volumes)
        wanted = disk.snapshot()
        killed_in(agent, moment, lambda node, wanted=wanted: node.vm.snapshot(guest.id, [wanted]))  # type: ignore[misc]
        with agent.client() as node:
            if guest.chain("vda") == chain:  # undone: it can be taken again
                until("a snapshot is taken", lambda node=node, wanted=wanted: taken(node, guest, wanted))  # type: ignore[misc]
            assert guest.chain("vda") == disk.volumes
            until("it is written", lambda node=node: at_rest(node, guest))  # type: ignore[misc]
        assert guest.digest("vda") == before
        killed_in(
            agent,
            moment,
            lambda node: node.vm.merge(guest.id, disk.spec(), disk.volumes[0], disk.volumes[-1]),
        )
        with agent.client() as node:
            until("the merge is over", lambda node=node: at_rest(node, guest))  # type: ignore[misc]
            if len(guest.chain("vda")) > 1:
                node.vm.merge(guest.id, disk.spec(), disk.volumes[0], disk.volumes[-1])
                until("the merge is over", lambda: len(guest.chain("vda")) == 1)
                until("it is written", lambda node=node: at_rest(node, guest))  # type: ignore[misc]
        del disk.volumes[1:]
        disk.check()
        assert guest.digest("vda") == before == digest_of(disk.active, "qcow2")


def taken(node: Node, guest: DiskGuest, wanted: types.SnapshotVolumeDriveInfo) -> bool:
    try:
        node.vm.snapshot(guest.id, [wanted])
    except RpcError as error:
        assert "a snapshot is at work" in str(error)  # noqa: PT017 - the former one is being settled
        return False
    return True


def test_backup_can_be_stopped_and_begun_again_whenever_the_agent_is_killed(
    agent: AgentProcess, guest: DiskGuest
) -> None:
    for moment in MOMENTS[1:]:
        config = types.BackupConfig(
            backup_id=str(uuid.uuid4()),
            disks=[
                types.BackupDisk(
                    checkpoint=False,
                    img_id=guest.disks["vda"].image_id,
                    sd_id=DOMAIN_ID,
                    vol_id=guest.chain("vda")[-1],
                )
            ],
        )
        killed_in(agent, moment, lambda node, config=config: node.vm.start_backup(guest.id, config))  # type: ignore[misc]
        with agent.client() as node:
            node.vm.stop_backup(guest.id, config.backup_id)
            again = types.BackupConfig(backup_id=str(uuid.uuid4()), disks=config.disks)
            assert list(node.vm.start_backup(guest.id, again).disks) == [guest.disks["vda"].image_id]
            node.vm.stop_backup(guest.id, again.backup_id)
        assert list((agent.folder / "run" / "backup").iterdir()) == []
        assert list((agent.folder / "state" / "scratch").iterdir()) == []
