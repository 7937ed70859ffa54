"""The agent's state on a small file system of its own, which is filled up. The hypervisor is simulated."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovis.client import types
from ovis.client.node import Node
from ovis.wire.errors import RpcError
from tests.real.agent_process import AgentProcess
from tests.real.migration_pair import until

SIZE = 1 << 20


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    if os.geteuid():
        pytest.skip("only root can mount a small file system")
    state = tmp_path / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", state], check=True, timeout=10)
    configuration = tmp_path / "ovisd.toml"
    configuration.write_text(f"""\
run_folder = "{tmp_path}/run"
state_folder = "{state}"
[listen]
address = ""
[hypervisor]
uri = "simulated:"
""")
    agent = AgentProcess(tmp_path, configuration)
    try:
        yield agent
    finally:
        if agent.process is not None and agent.process.poll() is None:
            agent.kill()
        subprocess.run(["umount", state], check=True, timeout=10)


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for _ in range(SIZE // 4096 + 1):
            try:
                file.write(bytes(4096))
            except OSError:
                break
    return filler


def create(node: Node) -> str:
    """Returns when it runs: until then its record is written again, and what the old one held comes free."""
    vm_id = str(uuid.uuid4())
    node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, vm_name=vm_id, mem_size=64 << 20))
    until("it runs", lambda: types.VmStatus(node.vm.get_stats(vm_id)[0].status) is types.VmStatus.UP)
    return vm_id


def test_creation_on_a_full_disk_is_refused_and_what_was_there_goes_on(agent: AgentProcess, tmp_path: Path) -> None:
    agent.start()
    with agent.client() as node:
        first = create(node)
        records = tmp_path / "state" / "vms"
        filler = fill(tmp_path / "state")
        with pytest.raises(RpcError, match="No space left"):
            create(node)
        assert [file.name for file in records.iterdir()] == [f"{first}.json"]
        assert node.host.get_vm_list(only_uuid=True) == [first]
        node.vm.destroy(first)
        assert list(records.iterdir()) == []
        filler.unlink()
        create(node)


def test_an_agent_killed_on_a_full_disk_starts_again_and_knows_its_vms(agent: AgentProcess, tmp_path: Path) -> None:
    agent.start()
    with agent.client() as node:
        vm_id = create(node)
    fill(tmp_path / "state")
    agent.kill()
    agent.start()
    with agent.client() as node:
        assert node.host.get_vm_list(only_uuid=True) == [vm_id]
    assert "nothing new can be kept" in (tmp_path / "ovisd.log").read_text()
