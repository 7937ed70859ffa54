from collections.abc import Callable

from ovis.client.types import FcHba, HbaInventory, IscsiHba
from ovis.node.host import storage_adapters
from ovis.node.host.kernel_files import KernelFiles

Tree = Callable[[str], KernelFiles]


def test_adapters_and_initiator(tree: Tree) -> None:
    assert storage_adapters.read(tree("two-sockets")) == HbaInventory(
        fc=[FcHba(model="QLE2562 - 8Gb FC adapter", wwnn="2000000e1e2b3c4d", wwpn="2100000e1e2b3c4d")],
        i_scsi=[IscsiHba(initiator_name="iqn.2001-04.org.example:host1")],
    )


def test_none_of_them(tree: Tree) -> None:
    assert storage_adapters.read(tree("bare")) == HbaInventory(fc=[], i_scsi=[])
