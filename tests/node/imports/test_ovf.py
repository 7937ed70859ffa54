import pytest
from archives import OvfDisk, ovf

from ovis.node.imports import ovf as reader
from ovis.node.imports.errors import BadArchive

GIB = 1 << 30

OVIRT = """<ovf:Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1/" ovf:version="4.4.0.0"
 xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
 xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<References><File ovf:href="f1" ovf:id="f1" ovf:size="196624"/></References>
<DiskSection><Info/><Disk ovf:diskId="d1" ovf:size="1" ovf:actual_size="1" ovf:fileRef="f1" ovf:volume-format="COW"
  ovf:format="http://www.vmware.com/specifications/vmdk.html#sparse" ovf:parentRef=""/></DiskSection>
<VirtualSystem ovf:id="x"><Name>from ovirt</Name><VirtualHardwareSection><Info/>
<System><vssd:VirtualSystemType>ENGINE 4.4.0.0</vssd:VirtualSystemType></System>
<Item><rasd:ResourceType>3</rasd:ResourceType><rasd:num_of_sockets>2</rasd:num_of_sockets>
  <rasd:cpu_per_socket>3</rasd:cpu_per_socket><rasd:threads_per_cpu>2</rasd:threads_per_cpu></Item>
<Item><rasd:ResourceType>4</rasd:ResourceType><rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits>
  <rasd:VirtualQuantity>1024</rasd:VirtualQuantity></Item>
<Item><rasd:ResourceType>10</rasd:ResourceType><rasd:ResourceSubType>3</rasd:ResourceSubType><rasd:Name>nic1</rasd:Name>
  <rasd:Connection>ovirtmgmt</rasd:Connection><rasd:MACAddress>56:6f:00:00:00:01</rasd:MACAddress></Item>
</VirtualHardwareSection></VirtualSystem></ovf:Envelope>"""


def test_ovirts_dialect_is_read() -> None:
    found = reader.read(OVIRT, "a.ova")
    assert (found.name, found.cpus, found.memory, found.is_foreign) == ("from ovirt", 12, GIB, False)
    (disk,) = found.disks
    assert (disk.file, disk.driver, disk.capacity, disk.slack) == ("f1", "qcow2", GIB, GIB)
    (card,) = found.cards
    assert (card.model, card.network, card.mac) == ("virtio", "ovirtmgmt", "56:6f:00:00:00:01")


def test_vmwares_dialect_is_read() -> None:
    found = reader.read(ovf(OvfDisk("a.vmdk", 10, 5)), "a.ova")
    assert (found.name, found.cpus, found.memory, found.is_foreign) == ("guest", 2, 512 << 20, True)
    assert [(d.file, d.file_size, d.capacity, d.driver) for d in found.disks] == [("a.vmdk", 10, 5, "vmdk")]


@pytest.mark.parametrize(
    ("unit", "size"),
    [("byte", 1), ("byte * 2^30", GIB), ("byte*2^10", 1024), ("MegaBytes", 1 << 20), ("GB", GIB)],
)
def test_units_are_understood(unit: str, size: int) -> None:
    text = ovf(OvfDisk("a", 1, 7)).replace('ovf:capacity="7"', f'ovf:capacity="7" ovf:capacityAllocationUnits="{unit}"')
    assert reader.read(text, "a").disks[0].capacity == 7 * size


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Envelope", "Letter", "its root is Letter"),
        ('ovf:capacity="7"', 'ovf:capacity="${size}"', "no whole number"),
        ('ovf:capacity="7"', 'ovf:capacity="-7"', "no whole number"),
        ('ovf:capacity="7"', 'ovf:capacity="9999999999999999999"', "cannot have 9999999999999999999 bytes"),
        ("<rasd:VirtualQuantity>512<", "<rasd:VirtualQuantity>9999999999999999<", "memory: it cannot have"),
        ('ovf:capacity="7"', 'ovf:capacity="9" ovf:capacityAllocationUnits="furlong"', "not known"),
        ('ovf:capacity="7"', 'ovf:capacity="9" ovf:capacityAllocationUnits="byte * 2^99"', "not known"),
        ('ovf:fileRef="f0"', 'ovf:fileRef="f9"', "not listed"),
        ('ovf:fileRef="f0"', 'ovf:fileRef="f0" ovf:parentRef="d1"', "builds on another"),
        ('ovf:size="1"', 'ovf:size="1" ovf:compression="gzip"', "compressed"),
        ("<Name>guest</Name>", f"<Name>{'x' * 300}</Name>", "no usable name"),
        ("<rasd:ResourceType>3<", "<rasd:ResourceType>99<", "CPUs are not described"),
        ("<rasd:VirtualQuantity>2<", "<rasd:VirtualQuantity>0<", "cannot have 0 CPUs"),
        ("<rasd:ResourceType>4<", "<rasd:ResourceType>99<", "memory are not described"),
        ("</VirtualSystem>", "</VirtualSystem><VirtualSystem/>", "describes 2 VMs"),
    ],
)
def test_descriptions_that_cannot_be_meant_are_refused(old: str, new: str, said: str) -> None:
    text = ovf(OvfDisk("a", 1, 7))
    assert old in text
    with pytest.raises(BadArchive, match=said.replace("$", r"\$")):
        reader.read(text.replace(old, new), "a")


def test_numbers_of_disks_and_cards_are_bounded() -> None:
    with pytest.raises(BadArchive, match="65 disks"):
        reader.read(ovf(*(OvfDisk(f"d{n}", 1, 1) for n in range(65))), "a")
    card = "<Item><rasd:ResourceType>10</rasd:ResourceType></Item>"
    with pytest.raises(BadArchive, match="network cards"):
        reader.read(ovf(more=card * 64), "a")
