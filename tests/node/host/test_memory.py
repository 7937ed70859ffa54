from collections.abc import Callable

import pytest

from ovis.node.host import memory
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.memory import PageMergingReader

Tree = Callable[[str], KernelFiles]
MIB = 1 << 20


def test_memory_and_swap_are_in_bytes(tree: Tree) -> None:
    found = memory.read(tree("two-sockets").text("proc/meminfo") or "")
    assert (found.total, found.available) == (64 << 30, 32 << 30)
    assert (found.swap_total, found.swap_free) == (8 << 30, 4 << 30)
    assert found.anonymous_huge_pages == 2 << 30
    assert found.used_percent == 50


def test_no_swap(tree: Tree) -> None:
    assert memory.read(tree("cloud-vm").text("proc/meminfo") or "").swap_total == 0


def test_old_kernels_do_not_tell_what_is_available(tree: Tree) -> None:
    found = memory.read(tree("bare").text("proc/meminfo") or "")
    assert found.available == (262144 + 10000 + 20000) * 1024


def test_nothing_known_is_not_a_division_by_zero() -> None:
    assert memory.read("").used_percent == 0


def test_page_merging(tree: Tree) -> None:
    found = PageMergingReader(tree("two-sockets")).read()
    assert found is not None
    assert (found.running, found.pages_to_scan, found.shared, found.across_nodes) == (True, 64, 4 * MIB, False)


def test_unmerging_is_not_running(tree: Tree) -> None:
    files = tree("two-sockets")
    (files.root / "sys/kernel/mm/ksm/run").write_text("2\n")
    found = PageMergingReader(files).read()
    assert found is not None
    assert not found.running


def test_a_kernel_without_page_merging(tree: Tree) -> None:
    assert PageMergingReader(tree("bare")).read() is None


@pytest.mark.parametrize(
    ("text", "policy"), [("always [madvise] never\n", "madvise"), ("[always] madvise never", "always"), (None, None)]
)
def test_the_policy_in_brackets_is_in_force(text: str | None, policy: str | None) -> None:
    assert memory.huge_page_policy(text) == policy
