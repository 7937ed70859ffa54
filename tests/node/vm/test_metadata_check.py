import pytest
from lxml import etree

from ovis.node.vm.errors import BadMetadata
from ovis.node.vm.metadata_check import KNOWN, check

FINE = """<clusterVersion>4.7</clusterVersion><launchPaused>false</launchPaused><unknown type='int'>5</unknown>
  <minGuaranteedMemoryMb type='int'>5</minGuaranteedMemoryMb><startTime type='float'>1.5</startTime><pauseTime/>
  <device devtype='disk' name='vda'><shared type='bool'>true</shared><x><y type='float'>1</y></x></device>"""
WRONG = [
    ("<startTime>soon</startTime>", "metadata of the VM: startTime: 'soon' is not a number"),
    ("<resumeBehavior>maybe</resumeBehavior>", "resumeBehavior"),
    ("<unknown type='int'>x</unknown>", "metadata of the VM: unknown"),
    ("<custom><a type='bool'>x</a></custom>", "metadata of the VM: a"),
    ("<device devtype='disk' name='vda'><x><y type='float'>z</y></x></device>", "device devtype=disk,name=vda: y"),
]


def domain(inner: str) -> etree._Element:
    return etree.fromstring(f"<domain><metadata><vm xmlns='http://ovirt.org/vm/1.0'>{inner}</vm></metadata></domain>")


def test_what_engines_write_is_fine() -> None:
    check(domain(FINE))
    check(etree.fromstring("<domain/>"))


@pytest.mark.parametrize(("inner", "problem"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_value_is_named(inner: str, problem: str) -> None:
    with pytest.raises(BadMetadata, match=problem):
        check(domain(inner))


@pytest.mark.parametrize("key", KNOWN)
def test_no_known_value_takes_anything(key: str) -> None:
    with pytest.raises(BadMetadata, match=key):
        check(domain(f"<{key}>?</{key}>"))


def test_the_nested_form_is_looked_at_too() -> None:
    text = "<i:instance xmlns:i='http://ovirt.org/vm/instance/1.0'><i:value type='int'>x</i:value></i:instance>"
    with pytest.raises(BadMetadata, match="instance"):
        check(etree.fromstring(f"<domain><metadata>{text}</metadata></domain>"))
