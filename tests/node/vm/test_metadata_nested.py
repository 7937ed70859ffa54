"""The nested form of the metadata: round trips of any value, wrong input, and neighbours that stay as they are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ovis.node.vm import metadata_nested
from ovis.node.vm.errors import BadMetadata
from ovis.node.vm.metadata_nested import Nested

TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
LEAVES = st.one_of(TEXTS, st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_every_value_is_read_as_it_was_written(value: Nested) -> None:
    root = etree.fromstring("<domain/>")
    metadata_nested.write(root, value)
    assert metadata_nested.read(etree.fromstring(etree.tostring(root))) == value


def test_the_proposal_s_example_is_understood() -> None:
    root = etree.fromstring(
        """<domain><metadata xmlns:ovirt-instance="http://ovirt.org/vm/instance/1.0"><ovirt-instance:instance>
        <ovirt-instance:value type="dict"><ovirt-instance:item key="devices" type="list">
          <ovirt-instance:item index="1" type="dict"/>
          <ovirt-instance:item index="0" type="dict">
            <ovirt-instance:item key="device" type="str">vnc</ovirt-instance:item>
            <ovirt-instance:item key="leaseOffset" type="int">0</ovirt-instance:item>
            <ovirt-instance:item key="share" type="str">\\\\host\\u0041</ovirt-instance:item>
          </ovirt-instance:item></ovirt-instance:item></ovirt-instance:value>
        </ovirt-instance:instance></metadata></domain>"""
    )
    first = {"device": "vnc", "leaseOffset": 0, "share": r"\\host\u0041"}
    assert metadata_nested.read(root) == {"devices": [first, {}]}


def test_what_is_not_ours_survives_a_change() -> None:
    root = etree.fromstring(
        """<domain><metadata><other:x xmlns:other="urn:o"><y>kept</y></other:x><i:instance
        xmlns:i="http://ovirt.org/vm/instance/1.0"><i:mine>too</i:mine><i:value type="int">1</i:value></i:instance>
        </metadata></domain>"""
    )
    metadata_nested.write(root, {"a": 2})
    text = etree.tostring(root, encoding="unicode")
    assert "<y>kept</y>" in text
    assert "<i:mine>too</i:mine>" in text
    assert metadata_nested.read(root) == {"a": 2}


WRONG = [
    ('<i:value type="int">x</i:value>', "instance: value: 'x' is not of type int"),
    ('<i:value type="dict"><i:item key="a" type="bool">maybe</i:item></i:value>', r"instance\.a: value"),
    ('<i:value type="dict"><i:item type="str">x</i:item></i:value>', "has no key"),
    ('<i:value type="dict"><i:item key="a"/><i:item key="a"/></i:value>', "a: is there twice"),
    ('<i:value type="list"><i:item index="1"/></i:value>', "other positions"),
    ('<i:value type="list"><i:item index="x"/></i:value>', "not a position"),
    ('<i:value type="pickle"/>', "'pickle' is not a type"),
    ("<i:value type='list'>" + "<i:item index='0' type='list'>" * 60 + "</i:item>" * 60 + "</i:value>", "deeper"),
]


@pytest.mark.parametrize(("value", "problem"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_value_is_named_with_its_path(value: str, problem: str) -> None:
    text = f'<domain><metadata><i:instance xmlns:i="{metadata_nested.URI}">{value}</i:instance></metadata></domain>'
    with pytest.raises(BadMetadata, match=problem):
        metadata_nested.read(etree.fromstring(text))
