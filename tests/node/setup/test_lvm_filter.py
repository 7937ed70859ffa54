import json
import shutil
import subprocess
from pathlib import Path

import pytest
from setup_tree import Tree

from ovis.node.setup.changing import Change
from ovis.node.setup.declared import declared
from ovis.node.setup.errors import SetupError
from ovis.node.setup.lvm_filter import lvm_settings

OURS, THEIRS = "abcdef-0123-4567-89ab-cdef-0123-456789", "zzzzzz-0123-4567-89ab-cdef-0123-456789"


class Live(Tree):
    is_live = True


def live(root: Path, said: str) -> Live:
    program = root / "usr/sbin/pvs"
    program.parent.mkdir(parents=True)
    program.write_text("")
    program.chmod(0o755)
    return Live(root, run=lambda _: said, can_own=False)


def test_disks_of_the_hosts_own_groups_are_seen_whatever_they_are(root: Path) -> None:
    rows = [
        {"pv_uuid": OURS, "vg_name": "system"},
        {"pv_uuid": THEIRS, "vg_name": "3a2e5c1e-0000-4000-8000-000000000001"},
        {"pv_uuid": THEIRS, "vg_name": ""},
    ]
    text = lvm_settings(live(root, json.dumps({"report": [{"pv": rows}]})))
    assert f'"a|^/dev/disk/by-id/lvm-pv-uuid-{OURS}$|", "r|^/dev/disk/by-id/dm-uuid-mpath-|"' in text
    assert THEIRS not in text


def test_an_answer_that_is_not_understood_changes_nothing(root: Path) -> None:
    with pytest.raises(SetupError, match="not understood"):
        lvm_settings(live(root, "{}"))


def test_a_devices_file_makes_it_needless(tree: Tree) -> None:
    path = tree.path("/etc/lvm/devices/system.devices")
    path.parent.mkdir()
    path.write_text("")
    assert lvm_settings(tree) == ""


@pytest.mark.skipif(shutil.which("lvmconfig") is None, reason="lvm2 is not installed")
def test_lvm_reads_it(tree: Tree) -> None:
    Change(tree, lambda _: None).apply([step for step in declared() if step.name == "lvm"])
    folder = tree.path("/etc/lvm")
    (folder / "lvm.conf").write_text("devices {\n scan_lvs = 0\n}\n")
    line = ["lvmconfig", "devices/filter", "devices/scan_lvs"]
    done = subprocess.run(
        line, env={"PATH": "/usr/sbin:/usr/bin", "LVM_SYSTEM_DIR": str(folder)}, capture_output=True, text=True
    )
    assert 'filter="r|^/dev/disk/by-id/dm-uuid-mpath-|"' in done.stdout, done.stderr
    assert "scan_lvs=0" in done.stdout
