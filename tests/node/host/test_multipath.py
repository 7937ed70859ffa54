from pathlib import Path

from ovis.client.types import MultipathStatus
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.multipath import unhealthy

WWID = "360000000000000000e00000000010001"


def host(root: Path, *, kind: str, **states: str | None) -> KernelFiles:
    folder = root / "sys/class/block"
    (folder / "dm-3/dm").mkdir(parents=True)
    (folder / "dm-3/dm/uuid").write_text(f"{kind}\n")
    (folder / "dm-3/slaves").mkdir()
    (folder / "sda").mkdir()
    for name, state in states.items():
        (folder / "dm-3/slaves" / name).symlink_to(f"../../{name}")
        (folder / name / "device").mkdir(parents=True)
        if state:
            (folder / name / "device/state").write_text(f"{state}\n")
    return KernelFiles(root)


def test_failed_paths_are_named_and_the_others_counted(tmp_path: Path) -> None:
    files = host(tmp_path, kind=f"mpath-{WWID}", sdb="running", sdc="offline", sdd="transport-offline")
    assert unhealthy(files) == {WWID: MultipathStatus(failed_paths=["sdc", "sdd"], valid_paths=1)}


def test_device_without_paths_is_unreachable(tmp_path: Path) -> None:
    assert unhealthy(host(tmp_path, kind=f"mpath-{WWID}")) == {WWID: MultipathStatus(failed_paths=[], valid_paths=0)}


def test_good_health_and_other_kinds_are_left_out(tmp_path: Path) -> None:
    assert not unhealthy(host(tmp_path / "good", kind=f"mpath-{WWID}", sdb="running", nvme0n1=None))
    assert not unhealthy(host(tmp_path / "lvm", kind="LVM-abc", sdb="offline"))
    assert not unhealthy(KernelFiles(tmp_path / "nothing"))
