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


class Live(Tree):
    is_live = True


def live(root: Path, said: str) -> Live:
    program = root / "usr/sbin/pvs"
    program.parent.mkdir(parents=True)
    program.write_text("")
    program.chmod(0o755)
    return Live(root, run=lambda _: said, can_own=False)


def device(root: Path, number: int, identifier: str) -> str:
    folder = root / f"sys/class/block/dm-{number}/dm"
    folder.mkdir(parents=True)
    (folder / "uuid").write_text(identifier + "\n")
    return f"/dev/dm-{number}"


def test_luns_of_the_hosts_own_groups_are_seen(root: Path) -> None:
    rows = [
        {"pv_name": device(root, 0, "mpath-3600a"), "vg_name": "system"},
        {"pv_name": device(root, 1, "mpath-3600b"), "vg_name": "3a2e5c1e-0000-4000-8000-000000000001"},
        {"pv_name": device(root, 2, "mpath-3600c"), "vg_name": ""},
        {"pv_name": device(root, 3, "part1-mpath-3600d"), "vg_name": "system"},
        {"pv_name": "/dev/sda2", "vg_name": "system"},
    ]
    text = lvm_settings(live(root, json.dumps({"report": [{"pv": rows}]})))
    assert 'filter = [ "a|^/dev/disk/by-id/dm-uuid-mpath-3600a$|", "r|^/dev/disk/by-id/dm-uuid-mpath-|" ]' in text


def test_a_lun_that_cannot_be_named_stops_it(root: Path) -> None:
    rows = [{"pv_name": device(root, 0, "mpath-a|b"), "vg_name": "system"}]
    with pytest.raises(SetupError, match="cannot name"):
        lvm_settings(live(root, json.dumps({"report": [{"pv": rows}]})))


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
