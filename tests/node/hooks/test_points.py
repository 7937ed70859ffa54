from pathlib import Path

from ovis.node.hooks.points import POINTS, Payload


def test_there_are_58_points() -> None:
    assert len(POINTS) == 58
    assert sum(name.startswith("before_") for name in POINTS) == 26


def test_what_comes_before_refuses_and_what_comes_after_does_not() -> None:
    exceptions = {"before_vm_destroy", "before_vm_set_ticket", "before_vdsm_start"}
    exceptions |= {"after_disk_prepare", "after_vm_hibernate"}
    for name, point in POINTS.items():
        assert point.refuses is (name.startswith("before_") is (name not in exceptions)), name


def test_payloads_are_named_by_their_variable() -> None:
    assert POINTS["before_vm_start"].payload.variable == "_hook_domxml"
    assert POINTS["after_get_caps"].payload.variable == "_hook_json"
    assert POINTS["before_vdsm_start"].payload is Payload.NOTHING


def test_each_stands_in_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs/host/hooks.md").read_text()
    assert [name for name in POINTS if f"`{name}`" not in text] == []
