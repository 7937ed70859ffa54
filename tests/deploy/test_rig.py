import os
import subprocess
from pathlib import Path

import pytest

from deploy.rig import network
from deploy.rig.cgroups import hierarchies
from deploy.rig.processes import Process, process


def test_hierarchies_of_both_kinds_are_found_once(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "tmpfs /sys/fs/cgroup tmpfs rw,mode=755 0 0\n"
        "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu,cpuacct 0 0\n"
        "cgroup /other/cpu cgroup rw,relatime,cpu,cpuacct 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nsdelegate 0 0\n"
    )
    found = [(str(h.folder), h.kind, h.options) for h in hierarchies(mounts)]
    assert found == [
        ("/sys/fs/cgroup/cpu", "cgroup", ("cpu", "cpuacct")),
        ("/sys/fs/cgroup/unified", "cgroup2", ()),
    ]


def test_process_number_used_again_is_another_process() -> None:
    here = process(os.getpid())
    assert here.is_alive
    assert not Process(here.pid, here.started + 1).is_alive


def test_killed_process_is_not_alive_though_nobody_has_reaped_it() -> None:
    child = subprocess.Popen(["sleep", "600"])
    try:
        named = process(child.pid)
        named.kill(deadline=10)
        assert not named.is_alive
    finally:
        child.kill()
        child.wait()
    with pytest.raises(ProcessLookupError):
        process(child.pid)


def test_networks_of_hosts_do_not_overlap() -> None:
    networks = [network.guest_network(index) for index in network.HOST_INDEXES]
    assert len(set(networks)) == len(networks)
    assert network.guest_gateway(3) in network.guest_network(3)
