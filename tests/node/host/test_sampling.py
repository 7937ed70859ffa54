from collections.abc import Callable

import pytest

from ovis.client.types import NetworkInterfaceState
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.numa import NodeMemory
from ovis.node.host.sampling import AgentTimes, Clocks, HostSampler

Tree = Callable[[str], KernelFiles]


class Time:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clocks(self) -> Clocks:
        return Clocks(monotonic=lambda: self.now, wall=lambda: self.now + 1_700_000_000)


def sampler(files: KernelFiles, time: Time) -> HostSampler:
    return HostSampler(files, time.clocks(), agent_times=lambda: AgentTimes(2.0, 1.0))


def test_a_reading_holds_totals(tree: Tree) -> None:
    time = Time()
    taking = sampler(tree("two-sockets"), time)
    time.now += 7
    reading = taking.take()
    assert (reading.at, reading.time, reading.agent_age) == (1007.0, 1_700_001_007.0, 7.0)
    assert (reading.boot_time, reading.up_for, reading.load) == (1_700_000_000, 90.0, 1.25)
    assert (reading.all_cpus.user, reading.all_cpus.system, reading.all_cpus.idle) == (80.0, 40.0, 600.0)
    assert len(reading.cpus) == 8
    assert reading.cpu_nodes[6] == 1
    assert reading.merger_time == 9.0
    assert reading.huge_page_policy == "madvise"


def test_the_agents_time_counts_from_when_it_began_to_count(tree: Tree) -> None:
    assert sampler(tree("bare"), Time()).take().agent == AgentTimes(0.0, 0.0)


def test_interfaces_of_vms_are_left_out(tree: Tree) -> None:
    interfaces = sampler(tree("two-sockets"), Time()).take().interfaces
    assert list(interfaces) == ["lo", "eth0", "eth1", "eth2", "bond0", "bond0.100", "br100"]
    eth0 = interfaces["eth0"]
    assert (eth0.rx, eth0.rx_errors, eth0.rx_dropped) == (1000, 1, 3)
    assert (eth0.tx, eth0.tx_errors, eth0.tx_dropped) == (2000, 2, 4)


def test_the_state_of_links(tree: Tree) -> None:
    interfaces = sampler(tree("two-sockets"), Time()).take().interfaces
    assert interfaces["eth0"].state is NetworkInterfaceState.UP
    assert interfaces["eth1"].state is NetworkInterfaceState.DOWN
    assert interfaces["lo"].state is NetworkInterfaceState.UP


def test_speed_is_asked_again_when_the_link_changes_and_after_a_minute(tree: Tree) -> None:
    files, time = tree("two-sockets"), Time()
    taking = sampler(files, time)
    assert taking.take().interfaces["eth0"].speed_mbits_per_second == 10000
    (files.root / "sys/class/net/eth0/speed").write_text("1000\n")
    time.now += 15
    assert taking.take().interfaces["eth0"].speed_mbits_per_second == 10000
    time.now += 50
    assert taking.take().interfaces["eth0"].speed_mbits_per_second == 1000
    (files.root / "sys/class/net/eth0/speed").write_text("-1\n")
    (files.root / "sys/class/net/eth0/operstate").write_text("down\n")
    assert taking.take().interfaces["eth0"].speed_mbits_per_second == 0


def test_a_cpu_that_comes_later_is_found_on_its_node(tree: Tree) -> None:
    files = tree("two-sockets")
    stat = files.root / "proc/stat"
    everything = stat.read_text()
    stat.write_text("\n".join(line for line in everything.splitlines() if not line.startswith("cpu6")))
    taking = sampler(files, Time())
    assert 6 not in taking.take().cpus
    stat.write_text(everything)
    assert taking.take().cpu_nodes[6] == 1


def test_a_kernel_that_has_next_to_nothing(tree: Tree) -> None:
    reading = sampler(tree("bare"), Time()).take()
    assert reading.merging is None
    assert reading.merger_time is None
    assert reading.huge_page_policy is None
    assert reading.interfaces == {}
    assert reading.nodes == {0: NodeMemory(512 << 20, 256 << 20, {})}


def test_a_kernel_without_cpus_is_refused(tree: Tree) -> None:
    files = tree("bare")
    (files.root / "proc/stat").write_text("intr 1\n")
    with pytest.raises(ValueError, match="names no CPU"):
        sampler(files, Time()).take()
