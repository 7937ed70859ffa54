"""connectStorageServer through the real agent and its real helper, which are killed and started again."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovis.client.types import ConnectionRefParameters, StorageDomainTypeId
from tests.real.agent_process import AgentProcess
from tests.real.migration_pair import until

ONE = "11111111-1111-1111-1111-111111111111"
LOCAL, POSIX = StorageDomainTypeId.LOCALFS, StorageDomainTypeId.POSIXFS


@pytest.fixture
def agent() -> Iterator[AgentProcess]:
    """In a mount namespace of its own; the folder can be entered by everybody."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    folder = Path(tempfile.mkdtemp(prefix="ovis-connections-", dir="/var/tmp"))
    folder.chmod(0o755)
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
run_folder = "{folder}/links"
retry_seconds = 1
locks = "local"
""")
    prefix = ("unshare", "--mount", "--propagation", "private")
    agent = AgentProcess(folder, configuration, prefix=prefix)
    agent.start()
    yield agent
    if agent.process is not None and agent.process.poll() is None:
        agent.stop()
    shutil.rmtree(folder)


def connect(agent: AgentProcess, kind: StorageDomainTypeId, **given: str) -> int:
    with agent.client() as node:
        server = ConnectionRefParameters(id=ONE, **given)
        (status,) = node.storage_pool.connect_storage_server(domain_type=kind, connection_params=[server])
    assert status.id == ONE
    return status.status


def disconnect(agent: AgentProcess, kind: StorageDomainTypeId, **given: str) -> int:
    with agent.client() as node:
        server = ConnectionRefParameters(id=ONE, **given)
        (status,) = node.storage_pool.disconnect_storage_server(domain_type=kind, connection_params=[server])
    return status.status


def helper_of(agent: AgentProcess) -> int:
    assert agent.process is not None
    children = Path(f"/proc/{agent.process.pid}/task/{agent.process.pid}/children").read_text().split()
    return next(int(child) for child in children if b"privileged" in Path(f"/proc/{child}/cmdline").read_bytes())


def kill_and_wait(child: int) -> None:
    """Returns when the agent has taken note of its end; a call that is on its way in that moment fails."""
    os.kill(child, signal.SIGKILL)
    until("the agent has reaped it", lambda: not Path(f"/proc/{child}").exists())


def mounts(agent: AgentProcess) -> int:
    assert agent.process is not None
    table = Path(f"/proc/{agent.process.pid}/mountinfo").read_text()
    return sum(f"{agent.folder}/repository" in line for line in table.splitlines())


def test_each_kind_of_failure_has_its_number(agent: AgentProcess) -> None:
    images = agent.folder / "images"
    images.mkdir()
    assert connect(agent, LOCAL, connection=str(images)) == 469
    os.chown(images, 36, 36)
    assert connect(agent, LOCAL, connection=str(images)) == 0
    assert connect(agent, LOCAL, connection="relative") == 453
    assert connect(agent, POSIX, connection="/dev/nothing", vfs_type="ext4") == 477
    assert connect(agent, POSIX, connection="/dev/nothing", vfs_type="gfs2") == 470
    assert disconnect(agent, LOCAL, connection=str(images)) == 0


def test_connections_outlive_agent_and_helper(agent: AgentProcess) -> None:
    memory = {"connection": "scratch", "vfs_type": "tmpfs", "mnt_options": "uid=36,gid=36,size=1m"}
    assert connect(agent, POSIX, **memory) == 0
    assert mounts(agent) == 1
    kill_and_wait(helper_of(agent))
    assert connect(agent, POSIX, **memory) == 0
    assert mounts(agent) == 1
    agent.kill()  # and the namespace with it, as if the host had been switched off
    agent.start()
    until("it is mounted again", lambda: mounts(agent))
    assert disconnect(agent, POSIX, **memory) == 0
    assert mounts(agent) == 0


def test_an_agent_that_stops_takes_its_helper_along(agent: AgentProcess) -> None:
    connect(agent, LOCAL, connection="/nothing")
    helper = helper_of(agent)
    assert agent.stop() < 6
    assert not Path(f"/proc/{helper}").exists()
