"""Every verb is in the table and says what it takes and gives."""

import msgspec
import pytest

from ovis.node.privileged import (
    access,
    adapters,
    devices,
    guest_state,
    hook_scripts,
    host_facts,
    iscsi,
    lldp,
    loops,
    lvm,
    memory,
    mirrors,
    mounts,
    multipath,
    network,
    page_merging,
    rbd,
)
from ovis.node.privileged.protocol import Request, TiedRequest, encode
from ovis.node.privileged.table import VERBS, decode_request

FAMILIES = (
    access,
    adapters,
    devices,
    guest_state,
    hook_scripts,
    host_facts,
    iscsi,
    lldp,
    loops,
    lvm,
    memory,
    mirrors,
    mounts,
    multipath,
    network,
    page_merging,
    rbd,
)


def test_no_request_is_forgotten() -> None:
    declared = {
        kind
        for family in FAMILIES
        for kind in vars(family).values()
        if isinstance(kind, type) and issubclass(kind, Request) and kind not in (Request, TiedRequest)
    }
    assert declared == VERBS.keys()


@pytest.mark.parametrize("kind", VERBS, ids=lambda kind: kind.__name__)
def test_its_answer_is_what_it_is_declared_with(kind: type[Request[object]]) -> None:
    declared = kind.__orig_bases__[0].__args__[0]  # type: ignore[attr-defined]
    assert kind.answer is (declared or type(None))
    assert 0 < kind.seconds <= 86_400


def test_unknown_verbs_and_fields_are_refused() -> None:
    for text in ({"verb": "Shell", "command": "x"}, {"verb": "ResizeMap", "name": "x", "force": True}):
        with pytest.raises(msgspec.ValidationError):
            decode_request(msgspec.Raw(encode(text)))
