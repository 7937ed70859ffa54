from collections.abc import Callable

import pytest

from ovis.client.types import OSName
from ovis.node.host import release
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.release import Kernel

Tree = Callable[[str], KernelFiles]


@pytest.mark.parametrize(
    ("name", "family", "version"), [("cloud-vm", OSName.DEBIAN, "12"), ("two-sockets", OSName.RHEL, "9.4")]
)
def test_a_distribution_belongs_to_a_family(tree: Tree, name: str, family: OSName, version: str) -> None:
    found = release.distribution(tree(name))
    assert (found.name, found.version) == (family, version)


def test_an_unknown_distribution_says_so(tree: Tree) -> None:
    found = release.distribution(tree("bare"))
    assert (found.name, found.version, found.pretty_name) == (OSName.UNKNOWN, "", None)


def test_kernel_version_and_release_are_told_apart(tree: Tree) -> None:
    assert release.kernel(tree("two-sockets")) == Kernel("5.14.0", "427.el9.x86_64", is_realtime=False)


def test_a_realtime_kernel_is_known_by_its_build(tree: Tree) -> None:
    assert release.kernel(tree("bare")).is_realtime
