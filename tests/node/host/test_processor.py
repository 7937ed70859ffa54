from collections.abc import Callable

from ovis.node.host import processor
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.processor import Cpu

Tree = Callable[[str], KernelFiles]


def test_sockets_cores_and_threads_nest(tree: Tree) -> None:
    found = processor.read(tree("two-sockets"))
    assert (found.sockets, found.cores, found.threads) == (2, 4, 8)
    assert found.cpus[3] == Cpu(number=3, socket=1, die=0, core=1, node=1)
    assert found.cpus[4] == Cpu(number=4, socket=0, die=0, core=0, node=0)


def test_the_first_processor_speaks_for_all(tree: Tree) -> None:
    found = processor.read(tree("two-sockets"))
    assert found.model == "Intel(R) Xeon(R) Gold 6226R CPU @ 2.90GHz"
    assert found.flags == ("fpu", "vmx", "sse2", "aes")
    assert found.mhz == 2900.001


def test_cores_without_threads(tree: Tree) -> None:
    found = processor.read(tree("cloud-vm"))
    assert (found.sockets, found.cores, found.threads) == (1, 2, 2)
    assert found.model == "AMD EPYC"


def test_a_cpu_that_is_off_is_not_counted(tree: Tree) -> None:
    files = tree("two-sockets")
    (files.root / "sys/devices/system/cpu/online").write_text("0-3\n")
    found = processor.read(files)
    assert (found.sockets, found.cores, found.threads) == (2, 4, 4)


def test_a_kernel_without_topology_has_one_core(tree: Tree) -> None:
    found = processor.read(tree("bare"))
    assert found.cpus == (Cpu(number=0, socket=0, die=0, core=0, node=0),)
    assert (found.model, found.flags, found.mhz) == ("UML", (), 0)
