from collections.abc import Callable

from ovis.client.types import HardwareInformation
from ovis.node.host import hardware
from ovis.node.host.kernel_files import KernelFiles

Tree = Callable[[str], KernelFiles]


def test_fields_that_the_maker_left_unfilled_are_absent(tree: Tree) -> None:
    assert hardware.read(tree("two-sockets")) == HardwareInformation(
        system_manufacturer="Example Computers",
        system_product_name="Big Server",
        system_serial_number="XYZ123",
        system_uuid="4c4c4544-0042-3510-8053-b4c04f4a3232",
    )


def test_a_machine_without_firmware_tables(tree: Tree) -> None:
    assert hardware.read(tree("cloud-vm")) == HardwareInformation()


def test_a_device_tree_names_the_model(tree: Tree) -> None:
    files = tree("bare")
    (files.root / "proc/device-tree").mkdir(parents=True)
    (files.root / "proc/device-tree/model").write_text("Small Board 4\0")
    assert hardware.read(files).system_product_name == "Small Board 4"
