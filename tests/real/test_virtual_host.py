"""Virtual hosts themselves: apart from each other and the machine, and gone without a trace."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.rig import virtual_host as rigs
from deploy.rig.virtual_host import RigError, VirtualHost, virtual_host

ROOT = Path(__file__).parents[2]


@pytest.fixture
def rig(vhost: VirtualHost) -> Iterator[Path]:
    """A rig of its own; `vhost` is asked for because it knows when there can be none."""
    folder = Path(f"/tmp/ovis-rig-test-{os.getpid()}")
    yield folder
    for host in rigs.hosts(rig=folder):
        rigs.down(host.name, rig=folder)
    (folder / ".lock").unlink(missing_ok=True)
    folder.rmdir()


def traces(rig: Path) -> list[str]:
    """What is left of any host of the rig: files, network namespaces, cgroups, mounts, processes."""
    files = [path.name for path in rig.iterdir() if path.name != ".lock"]
    mark = rigs._switch(rig).namespace
    networks = [line for line in subprocess.check_output(["ip", "netns"], text=True).splitlines() if mark in line]
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{mark}")]
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(rig) in line]
    return [*files, *networks, *groups, *mounts]


def test_host_has_no_kvm_and_its_own_name(vhost: VirtualHost) -> None:
    seen = vhost.exec(["sh", "-c", "hostname; ls /dev/kvm 2>&1 || true"]).stdout
    assert seen.splitlines()[0] == vhost.name
    assert "No such file" in seen


def test_command_inside_reports_its_failure(vhost: VirtualHost) -> None:
    assert vhost.exec(["sh", "-c", "exit 7"], check=False).returncode == 7


def test_libvirtd_can_be_killed_and_started_again(rig: Path) -> None:
    with virtual_host("restart", rig=rig) as host:
        (daemon,) = host.processes("libvirtd")
        os.kill(daemon, signal.SIGKILL)
        host.start_libvirtd()
        assert host.processes("libvirtd") not in ([], [daemon])


def test_hosts_of_a_rig_reach_each_other(rig: Path) -> None:
    with virtual_host("one", rig=rig) as one, virtual_host("two", rig=rig) as two:
        assert one.uuid != two.uuid
        remote = f"qemu+tcp://{two.address}/system"
        assert one.exec(["virsh", "--connect", remote, "hostname"]).stdout.strip() == two.name


def test_down_leaves_nothing_and_may_be_repeated(rig: Path) -> None:
    host = rigs.up("passing", rig=rig)
    assert traces(rig)
    assert host.first_process
    rigs.down("passing", rig=rig)
    rigs.down("passing", rig=rig)
    assert traces(rig) == []
    assert not host.first_process.is_alive


def test_name_is_taken_once(rig: Path) -> None:
    rigs.up("only", rig=rig)
    with pytest.raises(RigError, match="there already"):
        rigs.up("only", rig=rig)


def test_host_ends_with_its_killed_owner_and_the_next_up_clears_it_away(rig: Path) -> None:
    code = f"""
import time
from pathlib import Path
from deploy.rig.virtual_host import virtual_host
with virtual_host("orphan", rig=Path({str(rig)!r})) as host:
    print(host.name, flush=True)
    time.sleep(600)
"""
    owner = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    name = owner.stdout.readline().strip()
    orphan = rigs.find(name, rig=rig)
    owner.kill()
    owner.communicate()
    until = time.monotonic() + 60
    while orphan.is_up:
        assert time.monotonic() < until
        time.sleep(0.05)
    rigs.up("next", rig=rig)
    assert [host.name for host in rigs.hosts(rig=rig)] == ["next"]


@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.5])
def test_killed_up_is_cleared_away_by_down(rig: Path, seconds: float) -> None:
    command = [str(ROOT / "deploy/rig/vhost"), "up", "unlucky"]
    starting = subprocess.Popen(command, env={**os.environ, "OVIS_RIG_DIR": str(rig)}, stdout=subprocess.DEVNULL)
    try:
        starting.wait(seconds)  # somewhere on the way, a different place each time
    except subprocess.TimeoutExpired:
        starting.kill()
        starting.wait()
    rig.mkdir(exist_ok=True)
    rigs.down("unlucky", rig=rig)
    assert traces(rig) == []
