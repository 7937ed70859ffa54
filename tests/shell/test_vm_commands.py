from __future__ import annotations

import json
from typing import Any

VM = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0001"
CHANGES = [
    {"kind": "changed", "path": "domain/@type", "before": "kvm", "after": "qemu"},
    {"kind": "removed", "path": "domain/features/kvm", "before": "<kvm/>"},
    {"kind": "added", "path": "domain/devices/graphics/listen", "after": "<listen \x1b[31m/>"},
]


def test_changes_of_a_description_are_a_line_each(ovis: Any) -> None:
    ovis.agent.answers["VM.getXmlDifference"] = CHANGES
    ended = ovis("node", "vm", "diff", VM, "-o", "table")
    assert ended.out.splitlines() == [
        "~ domain/@type: kvm -> qemu",
        "- domain/features/kvm: <kvm/>",
        "+ domain/devices/graphics/listen: <listen \N{REPLACEMENT CHARACTER}[31m/>",
    ]
    assert json.loads(ovis("node", "vm", "diff", VM, "-o", "json").out) == CHANGES


def test_a_vm_may_be_named(ovis: Any) -> None:
    ovis.agent.answers |= {"VM.getXmlDifference": [], "Host.getVMFullList": [{"vmId": VM, "vmName": "web"}]}
    assert ovis("node", "vm", "diff", "web", "-o", "table").out == "Nothing was changed\n"
    assert ovis.agent.calls[-1][:2] == ("VM.getXmlDifference", {"vmID": VM})


def test_they_stand_in_the_help_of_the_class(ovis: Any) -> None:
    text = ovis("node", "vm", "--help").out
    assert "Show what the host changed" in text
    assert "getXmlDifference" in text
    assert "serial console" in ovis("node", "vm", "console", "--help").out
