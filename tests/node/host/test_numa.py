from collections.abc import Callable

from ovis.node.host import numa
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.memory import Memory
from ovis.node.host.numa import HugePages, Node, NodeMemory, NodeMemoryReader

Tree = Callable[[str], KernelFiles]
GIB = 1 << 30
HOST = Memory(total=8 * GIB, free=2 * GIB, available=4 * GIB, swap_total=0, swap_free=0, anonymous_huge_pages=0)


def test_each_node_has_its_cpus_memory_and_distances(tree: Tree) -> None:
    first, second = numa.read(tree("two-sockets"), online=range(8))
    assert first == Node(0, (0, 1, 4, 5), 32 * GIB, (HugePages(2048, 512),), (10, 21))
    assert (second.cpus, second.distances) == ((2, 3, 6, 7), (21, 10))


def test_the_only_node_has_the_memory_of_the_host(tree: Tree) -> None:
    (only,) = numa.read(tree("cloud-vm"), online=range(2))
    assert only.memory == 24684096 * 1024  # its own file says 5.7 GB: the rest has not been touched yet


def test_a_kernel_without_numa_has_one_node_that_holds_everything(tree: Tree) -> None:
    assert numa.read(tree("bare"), online=[0]) == [Node(0, (0,), 512 << 20, (), ())]


def test_free_memory_of_each_node(tree: Tree) -> None:
    assert NodeMemoryReader(tree("two-sockets")).read(HOST) == {
        0: NodeMemory(32 * GIB, 8 * GIB, {2048: 500}),
        1: NodeMemory(32 * GIB, 16 * GIB, {2048: 0}),
    }


def test_free_memory_of_the_only_node_is_that_of_the_host(tree: Tree) -> None:
    assert NodeMemoryReader(tree("bare")).read(HOST) == {0: NodeMemory(8 * GIB, 2 * GIB, {})}
