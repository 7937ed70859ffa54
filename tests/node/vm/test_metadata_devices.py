"""Groups of the metadata that belong to devices."""

import pytest
from lxml import etree

from ovis.node.vm import metadata_devices
from ovis.node.vm.devices.description import Device
from ovis.node.vm.devices.disk import Disk
from ovis.node.vm.devices.interface import Interface
from ovis.node.vm.devices.memory import Memory
from ovis.node.vm.errors import BadMetadata
from ovis.node.vm.metadata_devices import DeviceNote

HOLDER = """<ovirt-vm:vm xmlns:ovirt-vm="http://ovirt.org/vm/1.0">
  <ovirt-vm:device devtype="disk" name="vda">
    <ovirt-vm:imageID>image</ovirt-vm:imageID>
    <ovirt-vm:shared type="bool">true</ovirt-vm:shared>
    <ovirt-vm:volumeChain><ovirt-vm:volumeChainNode><ovirt-vm:leaseOffset type="int">0</ovirt-vm:leaseOffset>
    </ovirt-vm:volumeChainNode></ovirt-vm:volumeChain>
    <ovirt-vm:specParams><ovirt-vm:pinToIoThread type="int">1</ovirt-vm:pinToIoThread></ovirt-vm:specParams>
  </ovirt-vm:device>
  <device devtype="disk" name="sdc"><payload><volId>config-2</volId><file path="a/b">eA==</file></payload></device>
  <device mac_address="52:54:00:AA:00:01"><network>n</network><portMirroring><network>m</network></portMirroring>
  </device>
  <device/>
</ovirt-vm:vm>"""


def holder() -> etree._Element:
    return etree.fromstring(HOLDER)


def note(device: Device) -> DeviceNote:
    found = metadata_devices.find(holder(), device)
    assert found is not None
    return found


def test_a_group_is_found_by_what_its_device_has() -> None:
    disk = note(Disk(target="vda"))
    assert disk.text("imageID") == "image"
    assert disk.truth("shared") is True
    assert disk.rows("volumeChain") == [{"leaseOffset": 0}]
    assert disk.group("specParams") == {"pinToIoThread": 1}
    assert note(Disk(target="sdc")).group("payload") == {"volId": "config-2", "file": {"a/b": "eA=="}}
    assert note(Interface(kind="bridge", mac="52:54:00:aa:00:01")).rows("portMirroring") == ["m"]
    assert metadata_devices.find(holder(), Disk(target="vdb")) is None
    assert metadata_devices.find(holder(), Memory(size=1)) is None


def test_a_missing_or_wrong_value_names_device_and_key() -> None:
    disk = note(Disk(target="vda"))
    with pytest.raises(BadMetadata, match="device devtype=disk,name=vda: poolID: is missing"):
        disk.text("poolID")
    for read, key in ((disk.whole, "imageID"), (disk.text, "shared"), (disk.truth, "imageID"), (disk.rows, "imageID")):
        with pytest.raises(BadMetadata, match=key):
            read(key)
    with pytest.raises(BadMetadata, match="imageID: is not a group"):
        disk.group("imageID")


@pytest.mark.parametrize("namespaced", [True, False])
def test_what_is_put_is_found_again_and_the_rest_survives(namespaced: bool) -> None:
    place = holder() if namespaced else etree.fromstring("<vm><x>kept</x></vm>")
    data: dict[str, metadata_devices.Data] = {
        "a": "b", "n": 3, "hosts": [{"name": "h"}], "payload": {"file": {"p": "q"}, "volId": "l"}
    }  # fmt: skip
    key = {"devtype": "disk", "name": "vdz"}
    for _ in range(2):
        metadata_devices.put(place, DeviceNote(key, data))
        again = etree.fromstring(etree.tostring(place))
        assert [n for n in metadata_devices.notes(again) if n.key == key] == [DeviceNote(key, data)]
    before = len(list(metadata_devices.notes(place)))
    for _ in range(2):
        metadata_devices.drop(place, {**key, "alias": "virtio-disk9"})
    assert len(list(metadata_devices.notes(place))) == before - 1
