from lxml import etree

from ovis.node.vm import metadata

DOMAIN = """<domain><metadata>
  <other:x xmlns:other="urn:other">kept</other:x>
  <ovirt-vm:vm xmlns:ovirt-vm="http://ovirt.org/vm/1.0">
    <ovirt-vm:clusterVersion>4.7</ovirt-vm:clusterVersion>
    <startTime type="float">1.5</startTime>
    <ovirt-vm:destroy_on_reboot type="bool">False</ovirt-vm:destroy_on_reboot>
    <ovirt-vm:balloonTarget type="int">many</ovirt-vm:balloonTarget>
    <ovirt-vm:custom><ovirt-vm:a>1</ovirt-vm:a><b>2</b></ovirt-vm:custom>
    <ovirt-vm:device devtype="disk" name="vda"><ovirt-vm:imageID>x</ovirt-vm:imageID></ovirt-vm:device>
    <ovirt-vm:device/>
  </ovirt-vm:vm></metadata></domain>"""


def domain() -> etree._Element:
    return etree.fromstring(DOMAIN)


def test_values_have_their_types_with_and_without_a_namespace() -> None:
    assert metadata.read(domain()) == {
        "clusterVersion": "4.7",
        "startTime": 1.5,
        "destroy_on_reboot": False,
        "balloonTarget": "many",
    }


def test_custom_properties_are_read() -> None:
    assert metadata.custom(domain()) == {"a": "1", "b": "2"}


def test_a_truth_value_may_lack_its_type() -> None:
    values: dict[str, metadata.Value] = {"a": True, "b": "true", "c": "False", "d": False}
    assert [metadata.is_true(values, name) for name in "abcde"] == [True, True, False, False, False]


def test_what_is_written_is_read_again_and_the_rest_survives() -> None:
    root = domain()
    values: dict[str, metadata.Value | None] = {
        "startTime": 2.25,
        "x": True,
        "y": 7,
        "z": "text",
        "balloonTarget": None,
    }
    metadata.write(root, values)
    found = metadata.read(etree.fromstring(etree.tostring(root)))
    assert found == {
        "clusterVersion": "4.7",
        "destroy_on_reboot": False,
        "startTime": 2.25,
        "x": True,
        "y": 7,
        "z": "text",
    }
    text = etree.tostring(root, encoding="unicode")
    assert text.count("startTime") == 2
    assert "<ovirt-vm:imageID>x</ovirt-vm:imageID>" in text
    assert "kept" in text


def test_a_description_without_metadata_gets_some() -> None:
    root = etree.fromstring("<domain/>")
    assert metadata.read(root) == {}
    assert metadata.element(root) is None
    metadata.write(root, {"a": 1})
    metadata.write_custom(root, {"k": "v"})
    assert (metadata.read(root), metadata.custom(root)) == ({"a": 1}, {"k": "v"})
