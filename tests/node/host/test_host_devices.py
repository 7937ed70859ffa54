"""Descriptions as libvirt 9.0 writes them, for hardware that test machines do not have."""

from collections.abc import Callable

from ovis.client.types import HostDeviceParams, PCIAddress, SCSIAddress, USBAddress
from ovis.node.host.host_devices import host_devices
from ovis.node.host.kernel_files import KernelFiles

Tree = Callable[[str], KernelFiles]


def device(name: str, capability: str, parent: str = "computer", more: str = "") -> str:
    return f"<device><name>{name}</name><parent>{parent}</parent>{more}{capability}</device>"


def pci(slot: int, more: str = "", code: str = "0x020000") -> str:
    place = f"<domain>0</domain><bus>5</bus><slot>{slot}</slot><function>0</function>"
    names = "<product id='0x1521'>I350</product><vendor id='0x8086'>Intel</vendor>"
    return f"<capability type='pci'><class>{code}</class>{place}{names}{more}</capability>"


ORIGIN = "<address domain='0x0000' bus='0x05' slot='0x00' function='0x1'/>"
CARD = "<capability type='virt_functions' maxCount='7'/><iommuGroup number='12'/><numa node='1'/>"
GPU = (
    "<capability type='mdev_types'><type id='nvidia-11'><name>GRID M60-0B</name><deviceAPI>vfio-pci</deviceAPI>"
    "<availableInstances>16</availableInstances></type></capability>"
)
UNIT = "<host>2</host><bus>0</bus><target>1</target><lun>3</lun><type>disk</type>"
ALL = [
    "<device><name>computer</name><capability type='system'/></device>",
    device("pci_0000_05_00_0", pci(0, CARD), more="<driver><name>igb</name></driver>"),
    device("pci_0000_05_10_0", pci(16, f"<capability type='phys_function'>{ORIGIN}</capability>")),
    device("pci_0000_05_1e_0", pci(30, code="0x060400")),
    device("pci_0000_05_02_0", pci(2, GPU), more="<path>/sys/devices/gpu</path>"),
    device("net_eth0", "<capability type='net'><interface>eth0</interface></capability>", "pci_0000_05_00_0"),
    device("usb_1_4", "<capability type='usb_device'><bus>1</bus><device>4</device></capability>"),
    device("scsi_2_0_1_3", f"<capability type='scsi'>{UNIT}</capability>"),
    device(
        "block_sdb",
        "<capability type='storage'><block>/dev/sdb</block><model>Disk</model><vendor>ACME</vendor></capability>",
        "scsi_2_0_1_3",
    ),
    device("sg2", "<capability type='scsi_generic'><char>/dev/sg2</char></capability>", "scsi_2_0_1_3"),
    device("mdev_1_2", "<capability type='mdev'><type id='nvidia-11'/><iommuGroup number='8'/></capability>"),
]


def told(tree: Tree, *kinds: str, name: str = "bare") -> dict[str, HostDeviceParams]:
    return {key: one.params for key, one in host_devices(ALL, tree(name), kinds).items()}


def test_a_card_with_virtual_functions(tree: Tree) -> None:
    assert told(tree)["pci_0000_05_00_0"] == HostDeviceParams(
        capability="pci",
        is_assignable=True,
        address=PCIAddress(domain=0, bus=5, slot=0, function=0),
        driver="igb",
        parent="computer",
        vendor="Intel",
        vendor_id="0x8086",
        product="I350",
        product_id="0x1521",
        iommu_group=12,
        numa_node=1,
        totalvfs=7,
    )


def test_a_virtual_function_names_its_card_and_a_bridge_is_for_no_vm(tree: Tree) -> None:
    found = told(tree)
    assert found["pci_0000_05_10_0"].physfn == "pci_0000_05_00_1"
    assert not found["pci_0000_05_1e_0"].is_assignable


def test_mediated_types_with_what_libvirt_leaves_out(tree: Tree) -> None:
    files = tree("bare")
    kind = files.root / "sys/devices/gpu/mdev_supported_types/nvidia-11"
    kind.mkdir(parents=True)
    (kind / "description").write_text("num_heads=2, max_resolution=2560x1600\n")
    assert host_devices(ALL, files)["pci_0000_05_02_0"].params.mdev == {
        "nvidia-11": {
            "name": "GRID M60-0B",
            "available_instances": "16",
            "description": "num_heads=2, max_resolution=2560x1600",
            "device_api": "vfio-pci",
        }
    }


def test_a_unit_with_the_nodes_below_it(tree: Tree) -> None:
    found = told(tree)["scsi_2_0_1_3"]
    assert (found.address, found.block_path, found.udev_path, found.vendor) == (
        SCSIAddress(host=2, bus=0, target=1, lun=3), "/dev/sdb", "/dev/sg2", "ACME",
    )  # fmt: skip


def test_kinds_choose(tree: Tree) -> None:
    assert told(tree, "usb_device", "net", "mdev").keys() == {"net_eth0", "usb_1_4", "mdev_1_2"}
    found = told(tree, "usb_device", "net")
    assert found["usb_1_4"].address == USBAddress(bus=1, device=4)
    assert (found["net_eth0"].interface, found["net_eth0"].is_assignable) == ("eth0", False)


def test_persistent_memory_comes_from_the_kernel(tree: Tree) -> None:
    files = tree("bare")
    for path, content in {
        "namespace0.0/size": "16909336576",
        "namespace0.0/mode": "memory",
        "namespace0.0/numa_node": "0",
        "namespace1.0/size": "0",
        "pfn0.1/namespace": "namespace0.0",
        "pfn0.1/align": "2097152",
        "pfn0.1/block/pmem0/size": "",
    }.items():
        file = files.root / "sys/bus/nd/devices" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    assert {name: one.params for name, one in host_devices([], files, ["nvdimm"]).items()} == {
        "namespace0.0": HostDeviceParams(
            capability="nvdimm",
            is_assignable=True,
            device_path="/dev/pmem0",
            device_size=16909336576,
            align_size=2 << 20,
            mode="fsdax",
            numa_node=0,
        )
    }
