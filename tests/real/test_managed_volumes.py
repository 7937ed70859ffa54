"""Managed volumes through the real agent and its real helper, on loop devices; killed at each step.

`killed_attach.py` is an agent that dies within attach.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovis.client.types import ManagedVolumeConnection
from ovis.wire.errors import RpcError
from tests.real.agent_process import AgentProcess

SIZE = 8 << 20
DOMAIN = str(uuid.uuid4())


@pytest.fixture
def agent() -> Iterator[AgentProcess]:
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        pytest.skip("needs root and loop devices")
    folder = Path(tempfile.mkdtemp(prefix="ovis-managed-", dir="/var/tmp"))
    (folder / "files").mkdir()
    configuration = folder / "ovisd.toml"
    configuration.write_text(f"""\
run_folder = "{folder}/run"
state_folder = "{folder}/state"
[listen]
address = ""
[hypervisor]
uri = "simulated:"
[storage]
root = "{folder}/repository"
run_folder = "{folder}/links/storage"
managed_files = "{folder}/files"
locks = "local"
""")
    agent = AgentProcess(folder, configuration)
    agent.start()
    yield agent
    with agent.client() as node:
        for info in node.managed_volume.volumes_info():
            node.managed_volume.detach_volume(vol_id=info.vol_id)
    agent.stop()
    shutil.rmtree(folder)


def file_of(agent: AgentProcess, name: str = "one") -> Path:
    file = agent.folder / "files" / name
    with file.open("ab") as made:
        made.truncate(SIZE)
    return file


def connection(file: Path, **more: object) -> ManagedVolumeConnection:
    return ManagedVolumeConnection(driver_volume_type="local", data={"device_path": str(file), **more})


def backing(file: Path) -> list[str]:
    """Loop devices over the file."""
    found = Path("/sys/block").glob("loop*/loop/backing_file")
    return [f"/dev/{one.parts[3]}" for one in found if one.read_text().strip() == str(file)]


def test_a_volume_is_attached_written_and_detached(agent: AgentProcess) -> None:
    volume, file = str(uuid.uuid4()), file_of(agent)
    with agent.client() as node:
        info = node.managed_volume.attach_volume(vol_id=volume, connection_info=connection(file), sd_id=DOMAIN)
        link = agent.folder / "links/managedvolumes" / f"{DOMAIN}_{volume}"
        assert (info.managed_path, info.path) == (str(link), str(link.readlink()))
        assert [info.path] == backing(file)
        facts = link.stat()
        assert (facts.st_uid, facts.st_mode & 0o777) == (36, 0o660)
        with link.open("r+b") as device:
            assert device.seek(0, os.SEEK_END) == SIZE
            device.seek(4096)
            device.write(b"written by a guest")
            os.fsync(device)
        (known,) = node.managed_volume.volumes_info(vol_ids=[volume])
        assert known.exists
        node.managed_volume.detach_volume(vol_id=volume)
        assert node.managed_volume.volumes_info() == []
    assert file.read_bytes()[4096:4114] == b"written by a guest"
    assert backing(file) == []
    assert not link.is_symlink()


def test_a_killed_agent_knows_its_volumes_again(agent: AgentProcess) -> None:
    volume, file = str(uuid.uuid4()), file_of(agent)
    with agent.client() as node:
        before = node.managed_volume.attach_volume(vol_id=volume, connection_info=connection(file), sd_id=DOMAIN)
    agent.kill()
    agent.start()
    with agent.client() as node:
        (known,) = node.managed_volume.volumes_info()
        assert (known.path, known.managed_path, known.exists) == (before.path, before.managed_path, True)
        for given, code in ((connection(file), 927), (connection(file, access_mode="ro"), 929)):
            with pytest.raises(RpcError) as refused:
                node.managed_volume.attach_volume(vol_id=volume, connection_info=given, sd_id=DOMAIN)
            assert refused.value.code == code


@pytest.mark.parametrize("step", ["record", "device", "link"])
@pytest.mark.parametrize("then", ["attach", "detach"])
def test_what_a_killed_attach_leaves_is_finished_or_cleaned(agent: AgentProcess, step: str, then: str) -> None:
    volume, file = str(uuid.uuid4()), file_of(agent)
    agent.kill()
    program = [sys.executable, str(Path(__file__).with_name("killed_attach.py"))]
    ended = subprocess.run([*program, str(agent.folder), step, volume, DOMAIN, str(file)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    agent.start()
    assert len(backing(file)) == (step != "record")
    with agent.client() as node:
        (left,) = node.managed_volume.volumes_info()
        assert (left.vol_id, left.attachment, left.exists) == (volume, None, False)
        if then == "attach":
            node.managed_volume.attach_volume(vol_id=volume, connection_info=connection(file), sd_id=DOMAIN)
            assert len(backing(file)) == 1
        node.managed_volume.detach_volume(vol_id=volume)
        assert node.managed_volume.volumes_info() == []
    assert backing(file) == []
    assert list((agent.folder / "links/managedvolumes").glob("*")) == []


def test_a_device_that_is_open_stays_remembered(agent: AgentProcess) -> None:
    volume, file = str(uuid.uuid4()), file_of(agent)
    with agent.client() as node:
        info = node.managed_volume.attach_volume(vol_id=volume, connection_info=connection(file))
        assert info.managed_path is None
        assert info.path is not None
        with open(info.path, "rb"):
            with pytest.raises(RpcError) as refused:
                node.managed_volume.detach_volume(vol_id=volume)
            assert refused.value.code == 926
            assert len(node.managed_volume.volumes_info()) == 1
        node.managed_volume.detach_volume(vol_id=volume)
    assert backing(file) == []


def test_the_number_of_a_detached_device_is_no_longer_the_agents(agent: AgentProcess) -> None:
    volume, file = str(uuid.uuid4()), file_of(agent)
    with agent.client() as node:
        path = node.managed_volume.attach_volume(vol_id=volume, connection_info=connection(file)).path
        assert path is not None
        descriptor = os.open(path, os.O_PATH)
        node.managed_volume.detach_volume(vol_id=volume)
        facts = os.fstat(descriptor)
        os.close(descriptor)
    assert (facts.st_uid, facts.st_mode & 0o777) == (0, 0o600)


def test_files_outside_of_the_folder_and_other_names_of_them_are_refused(agent: AgentProcess) -> None:
    outside = agent.folder / "outside"
    outside.write_bytes(bytes(4096))
    (agent.folder / "files/link").symlink_to(outside)
    os.link(outside, agent.folder / "files/second")
    os.mkfifo(agent.folder / "files/pipe")
    places = [outside, agent.folder / "files/../outside", *(agent.folder / "files" / n for n in ("link", "second"))]
    with agent.client() as node:
        for place in [*places, agent.folder / "files/pipe", agent.folder / "files/missing", Path("/etc/shadow")]:
            with pytest.raises(RpcError) as refused:
                node.managed_volume.attach_volume(vol_id=str(uuid.uuid4()), connection_info=connection(place))
            assert refused.value.code == 926
        assert node.managed_volume.volumes_info() == []
    assert backing(outside) == []


def test_a_loop_device_of_somebody_else_is_left_alone(agent: AgentProcess) -> None:
    theirs, file, volume = file_of(agent, "theirs"), file_of(agent), str(uuid.uuid4())
    made = subprocess.run(["losetup", "--find", "--show", theirs], capture_output=True, text=True, check=True)
    try:
        with agent.client() as node:
            info = node.managed_volume.attach_volume(vol_id=volume, connection_info=connection(file))
            assert info.path != made.stdout.strip()
            node.managed_volume.detach_volume(vol_id=volume)
        assert backing(theirs) == [made.stdout.strip()]
    finally:
        subprocess.run(["losetup", "--detach", made.stdout.strip()], check=True)


def test_ceph_is_refused_where_rbd_is_not_installed(agent: AgentProcess) -> None:
    if shutil.which("rbd"):
        pytest.skip("rbd is installed")
    data = {"name": "pool/volume", "hosts": ["127.0.0.1"], "ports": ["6789"], "keyring": "QUJD"}
    given = ManagedVolumeConnection(driver_volume_type="rbd", data=data)
    with agent.client() as node:
        with pytest.raises(RpcError) as refused:
            node.managed_volume.attach_volume(vol_id=str(uuid.uuid4()), connection_info=given)
        assert refused.value.code == 925
        assert node.managed_volume.volumes_info() == []
